"""SM3 (GB/T 32905-2016) and its HMAC, through OpenSSL where it has it."""

import hashlib
import hmac

_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
_MASK = 0xFFFFFFFF


def _turn(value: int, bits: int) -> int:
    bits %= 32
    return (value << bits | value >> (32 - bits)) & _MASK if bits else value


def sm3(data: bytes) -> bytes:
    """The 32 bytes of the digest."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = _START
    for at in range(0, len(padded), 64):
        w = [int.from_bytes(padded[at + 4 * j : at + 4 * j + 4], "big") for j in range(16)]
        for j in range(16, 68):
            mixed = w[j - 16] ^ w[j - 9] ^ _turn(w[j - 3], 15)
            w.append(mixed ^ _turn(mixed, 15) ^ _turn(mixed, 23) ^ _turn(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            first = _turn((_turn(a, 12) + e + _turn(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & _MASK, 7)
            second = first ^ _turn(a, 12)
            choose = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            other = e ^ f ^ g if j < 16 else e & f | ~e & _MASK & g
            one = (choose + d + second + (w[j] ^ w[j + 4])) & _MASK
            two = (other + h + first + w[j]) & _MASK
            a, b, c, d, e, f, g, h = one, a, _turn(b, 9), c, two ^ _turn(two, 9) ^ _turn(two, 17), e, _turn(f, 19), g
        state = tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))
    return b"".join(word.to_bytes(4, "big") for word in state)


def hmac_sm3(key: bytes, data: bytes) -> str:
    """Hex HMAC-SM3."""
    if "sm3" in hashlib.algorithms_available:
        try:
            return hmac.new(key, data, "sm3").hexdigest()
        except ValueError:
            pass  # OpenSSL lists it and does not have it
    block = (key if len(key) <= 64 else sm3(key)).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + data)
    return sm3(bytes(byte ^ 0x5C for byte in block) + inner).hex()
