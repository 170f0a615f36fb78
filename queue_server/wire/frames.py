"""Text frames of RFC 6455 section 5.2, so that one encoding serves every screen that hears it."""


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked text frame from a server, for a connection without extensions; `payload` is UTF-8."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload
