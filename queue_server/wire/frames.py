"""Frames of RFC 6455 section 5 that a server sends without waiting; one encoding serves every screen that hears it."""

from typing import Final

PING: Final = b"\x89\x00"
"""Whoever speaks the protocol answers it without its program having a say (5.5.2)."""


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked text frame from a server, for a connection without extensions; `payload` is UTF-8."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping, whose up to 125 bytes it repeats (5.5.3)."""
    return bytes((0x8A, len(payload))) + payload
