"""What every transport offers and the one error it raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

READ_LIMIT_BYTES = 4096


class Unavailable(Exception):
    """The other end is not there (DESIGN 7): open again later."""


class Transport(Protocol):
    """One byte stream; after `Unavailable` it may be opened again. Not for two readers at a time."""

    @property
    def url(self) -> str:
        """Where `open` goes."""

    async def open(self) -> None:
        """Connect, or raise `Unavailable`; opening an open transport closes it first."""

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        """At least one byte and at most `limit_bytes`; raises `Unavailable` when the other end is gone."""

    async def write(self, data: bytes) -> None:
        """Hand `data` to the line in order; waits while the line's buffer is full; raises `Unavailable`."""

    async def close(self) -> None:
        """Give the line back; pending `read` calls raise `Unavailable`. Never raises, may be called twice."""


class Listener(Protocol):
    """The end that devices (emulators) hold: something that transports open."""

    @property
    def url(self) -> str:
        """The URL that the other side opens; for a pty it changes when it is plugged in again without a link."""

    async def accept(self) -> Transport:
        """The next opened connection; raises `Unavailable` once closed."""

    async def close(self) -> None:
        """Stop listening; connections already accepted live on."""


@dataclass(frozen=True, slots=True)
class Address:
    """A transport's URL taken apart; `options` are the query's pairs."""

    scheme: str
    host: str
    port: int | None
    path: str
    options: dict[str, str]


def parse_url(url: str) -> Address:
    """`serial:///dev/x?baud=9600`, `tcp://host:port`, `usb://VID:PID`, `memory://name`, `pty:///link`; else ValueError."""
    parts = urlsplit(url)
    if not parts.scheme or "://" not in url:
        raise ValueError(f"not a transport URL: {url!r}")
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "usb":  # vendor and product are hex, and no host and port
        return Address("usb", parts.netloc, None, parts.path, options)
    return Address(parts.scheme, parts.hostname or "", parts.port, parts.path, options)
