"""A second decoder of SYN6288, written from HARDWARE's table by other means; imports no project code."""

from __future__ import annotations

import re

_REPLIES = {"4a": "ready", "41": "taken", "45": "refused", "4e": "busy", "4f": "idle"}
_SPOKEN = ("gb2312", "gbk", "big5", "utf_16_be")
_CONTROL = re.compile(r"\[[a-z][0-9]*\]")


def replies(line: bytes) -> list[str]:
    """What the module says, in words; other bytes are skipped."""
    pairs = re.findall("..", line.hex())
    return [_REPLIES[pair] for pair in pairs if pair in _REPLIES]


def frames(line: bytes) -> list[tuple[int, bytes]]:
    """Every (command, rest) of a line with frames and noise.

    A frame is known by its head and by all its bytes xored giving zero.
    """
    digits, found = line.hex(), list[tuple[int, bytes]]()
    starts = [at for at in range(0, len(digits), 2) if digits.startswith("fd00", at)]
    taken_until = 0
    for at in starts:
        if at < taken_until:
            continue
        size = digits[at + 4 : at + 6]
        end = at + 6 + 2 * int(size or "0", 16)
        command = digits[at + 6 : at + 8]
        if not size or end > len(digits) or not 2 <= int(size, 16) <= 203:
            continue
        if command not in ("01", "31", "02", "03", "04", "21", "88", "ff") or _parity(digits[at:end]):
            continue
        found.append((int(command, 16), bytes.fromhex(digits[at + 8 : end - 2])))
        taken_until = end
    return found


def _parity(digits: str) -> int:
    """All bytes xored, a bit column at a time."""
    rows = [f"{int(pair, 16):08b}" for pair in re.findall("..", digits)]
    return int("".join(str(sum(map(int, column)) % 2) for column in zip(*rows, strict=True)), 2)


def spoken(rest: bytes) -> tuple[str, int, list[str]]:
    """The text of a speak command without its control words, the number of its background music, and those words."""
    text = rest[1:].decode(_SPOKEN[rest[0] % 8])
    return _CONTROL.sub("", text), rest[0] // 8, _CONTROL.findall(text)


def build(command: int, rest: bytes = b"") -> bytes:
    """The bytes of one frame, from the table."""
    digits = f"fd{len(rest) + 2:04x}{command:02x}{rest.hex()}"
    return bytes.fromhex(f"{digits}{_parity(digits):02x}")
