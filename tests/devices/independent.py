"""A second decoder of FF68 and A0 90, written from HARDWARE's tables by other means; imports no project code."""

from __future__ import annotations

import re

# The whole grammar of a line as two regular expressions over latin-1 text, then a check of each candidate:
# nothing here shares an idea with the project's scanner, so that both would have to be wrong in the same way.
_FF68 = re.compile(r"(\xff?)\x68(.)(.)\x68", re.DOTALL)
_A090 = re.compile(r"\xa0\x90(.)(.)", re.DOTALL)


def decode_ff68(line: bytes) -> list[tuple[int, int, list[int]]]:
    """Every (address, function, data) in a line that holds FF68 frames and noise, left to right."""
    text, at, frames = line.decode("latin-1"), 0, []
    while found := _FF68.search(text, at):
        count, twin = ord(found[2]), ord(found[3])
        rest = [ord(c) for c in text[found.end() : found.end() + count + 2]]
        if count >= 2 and count == twin and len(rest) == count + 2:
            *body, check, end = rest
            if end == 22 and sum(body) & 255 == check:
                frames.append((body[0], body[1], body[2:]))
                at = found.end() + count + 2
                continue
        at = found.start() + 1
    return frames


def build_ff68(address: int, function: int, *data: int, lead: bool = True) -> bytes:
    """The bytes of one FF68 frame, from the table."""
    count = 2 + len(data)
    check = (address + function + sum(data)) & 255
    text = f"{count:02x}{count:02x}68{address:02x}{function:02x}" + "".join(f"{d:02x}" for d in data)
    return bytes.fromhex(("ff68" if lead else "68") + text + f"{check:02x}16")


def decode_a090(line: bytes) -> list[tuple[int, str, str]]:
    """Every ("text" frame: address, text, colours) and ("ack": address, "", "ack") of a clean line."""
    text, at, frames = line.decode("latin-1"), 0, []
    while found := _A090.search(text, at):
        address, command = ord(found[1]), ord(found[2])
        if text[found.end() - 1 : found.end() + 1] == "\xa5\xaa":
            frames.append((address, "", "ack"))
            at = found.end() + 1
            continue
        size = int.from_bytes(line[found.end() : found.end() + 2], "big")
        data = line[found.end() + 2 : found.end() + 2 + size]
        tail = line[found.end() + 2 + size : found.end() + 3 + size]
        check = address ^ command
        for byte in line[found.end() : found.end() + 2 + size]:
            check ^= byte
        if len(tail) == 1 and tail[0] == check and command in (0xA5, 0xA1, 0xA2):
            frames.append((address, *characters(data)))
            at = found.end() + 3 + size
            continue
        at = found.start() + 1
    return frames


def characters(data: bytes) -> tuple[str, str]:
    """DATA of a strip taken apart into its text and one colour digit a character."""
    raw, colours, at = b"", "", 0
    while at < len(data):
        width = 1 if data[at] < 0x80 else 2
        raw += data[at : at + width]
        colours += str(data[at + width])
        at += width + 1
    return raw.decode("gbk"), colours
