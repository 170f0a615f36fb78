"""One live device each: a transport, a protocol and their supervision."""
