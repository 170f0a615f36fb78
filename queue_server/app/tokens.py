"""Unguessable names for what a phone may open: keyed hashes, never stored in an event (UX P-01)."""

import base64
import hmac

MAC_BYTES = 16


class Tokens:
    """Makes and reads tokens of tickets ("t") and services ("s"): the id and 128 bits of HMAC-SHA256 over it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _mac(self, kind: str, name: str) -> str:
        digest = hmac.digest(self._key, f"{kind}:{name}".encode(), "sha256")[:MAC_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def make(self, kind: str, name: str) -> str:
        return f"{kind}{name}.{self._mac(kind, name)}"

    def code(self, name: str) -> str:
        """Four figures on a ticket's slip, typed at a kiosk beside its number: they keep others from guessing (RULES 28)."""
        digest = hmac.digest(self._key, f"c:{name}".encode(), "sha256")
        return f"{int.from_bytes(digest[:8]) % 10_000:04d}"

    def read(self, token: str) -> tuple[str, str] | None:
        """(kind, id) of a genuine token, else None."""
        body, _, mac = token.partition(".")
        kind, name = body[:1], body[1:]
        if kind in ("t", "s") and name and hmac.compare_digest(mac.encode(), self._mac(kind, name).encode()):
            return kind, name
        return None
