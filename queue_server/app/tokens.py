"""Unguessable names for what a phone may open: keyed hashes, never stored in an event (UX P-01)."""

import base64
import hashlib
import hmac
import re

MAC_BYTES = 16
MAC_CHARS = 22
"""Of base64 without its padding."""

_BLOCK = 64
_TICKET = re.compile(r"(?:^|/t/)(t[0-9A-Za-z]+\.[\w-]+)(?:\?.*)?$", re.ASCII)


class Tokens:
    """Makes and reads tokens of tickets ("t") and services ("s"): the id and 128 bits of HMAC-SHA256 over it."""

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def _digest(self, kind: str, name: str) -> bytes:
        """HMAC (RFC 2104) with the key already worked in: every ticket has one."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{kind}:{name}".encode())
        outer.update(inner.digest())
        return outer.digest()

    def _mac(self, kind: str, name: str) -> str:
        return base64.urlsafe_b64encode(self._digest(kind, name)[:MAC_BYTES])[:MAC_CHARS].decode()

    def make(self, kind: str, name: str) -> str:
        return f"{kind}{name}.{self._mac(kind, name)}"

    def code(self, name: str) -> str:
        """Four figures on a ticket's slip, typed at a kiosk beside its number: they keep others from guessing (RULES 28)."""
        return f"{int.from_bytes(self._digest('c', name)[:8]) % 10_000:04d}"

    def read(self, token: str) -> tuple[str, str] | None:
        """(kind, id) of a genuine token, else None."""
        body, _, mac = token.partition(".")
        kind, name = body[:1], body[1:]
        if kind in ("t", "s") and name and hmac.compare_digest(mac.encode(), self._mac(kind, name).encode()):
            return kind, name
        return None

    def found_in(self, code: str) -> str:
        """The token of a ticket in what was scanned (its address, or the token alone); "" when it is none of ours."""
        found = _TICKET.search(code.strip())
        token = found[1] if found else ""
        return token if self.read(token) else ""
