"""Serial ports of this machine, found by what is plugged in and not by the order in which it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serial.tools import list_ports

from devices.transport.base import Address, Unavailable

FINDERS: Final = ("vid", "pid", "sn", "at")
"""Options that name a USB port: vendor and product (hex), serial number, and the socket as `devices scan` prints it."""
_LINKS: Final = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A port as the system knows it; USB ports have `vid` and `pid`. `links`: stable names, by-id before by-path."""

    name: str
    description: str = ""
    vid: int | None = None
    pid: int | None = None
    sn: str = ""
    at: str = ""
    links: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The best stable name of it in a device map."""
        if self.links:
            # Two bridges without serial numbers share one by-id name: only the socket tells them apart.
            return f"serial://{self.links[0 if self.sn else -1]}"
        if self.vid is None or self.pid is None:
            return f"serial:///{self.name.lstrip('/')}"
        which = f"&sn={self.sn}" if self.sn else f"&at={self.at}" if self.at else ""
        return f"serial://?vid={self.vid:04x}&pid={self.pid:04x}{which}"

    def fits(self, wanted: dict[str, str]) -> bool:
        """Whether it is what these finders say."""
        own = {
            "vid": f"{self.vid or 0:04x}",
            "pid": f"{self.pid or 0:04x}",
            "sn": self.sn.lower(),
            "at": self.at.lower(),
        }
        return self.vid is not None and all(own[name] == value.lower() for name, value in wanted.items())


def serial_ports() -> list[SerialPort]:
    """The ports there are now; reads the system's tables, so not from the event loop's thread."""
    links = _links()
    return [
        SerialPort(
            port.device,
            port.description if port.description != "n/a" else "",
            port.vid,
            port.pid,
            port.serial_number or "",
            port.location or "",
            tuple(links.get(str(Path(port.device).resolve()), ())),
        )
        for port in sorted(list_ports.comports())
    ]


def _links() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if sys.platform != "win32":
        for folder in _LINKS:
            for link in sorted(folder.iterdir()) if folder.is_dir() else ():
                found.setdefault(str(link.resolve()), []).append(str(link))
    return found


def wanted_port(address: Address) -> dict[str, str]:
    """The finders in a `serial://?vid=1a86&pid=7523` URL, empty in one that names its port; ValueError for half of it."""
    wanted: dict[str, str] = {name: address.options[name] for name in FINDERS if name in address.options}
    if wanted and (address.path or address.host):
        raise ValueError("a serial URL names a port or describes one: serial:///dev/… or serial://?vid=1a86&pid=7523")
    if wanted and not {"vid", "pid"} <= set(wanted):
        raise ValueError("a described serial port needs both: serial://?vid=1a86&pid=7523")
    for name in ("vid", "pid"):
        if name in wanted:
            try:
                wanted[name] = f"{int(wanted[name], 16):04x}"
            except ValueError:
                raise ValueError(f"{name} is four hex digits, not {wanted[name]!r}") from None
    return wanted


def find_port(wanted: dict[str, str], ports: Callable[[], Iterable[SerialPort]] = serial_ports) -> str:
    """The system's name of the one port that fits; `Unavailable` when none does or several do."""
    there = [port for port in ports() if port.fits(wanted)]
    said = " ".join(f"{name}={value}" for name, value in wanted.items())
    if not there:
        raise Unavailable(f"no serial port {said} is plugged in")
    if len(there) > 1:
        choices = ", ".join(f"{port.name} (at={port.at or '?'})" for port in there)
        raise Unavailable(f"{len(there)} serial ports are {said}: add sn= or at= to the url: {choices}")
    return there[0].name
