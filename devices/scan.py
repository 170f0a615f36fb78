"""What is plugged into this machine, the URL a device map would use for it, and a guess at what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.transport.serialports import SerialPort, serial_ports

BRIDGES: Final = {
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x55D3): "CH343",
    (0x10C4, 0xEA60): "CP210x",
    (0x0403, 0x6001): "FT232R",
    (0x0403, 0x6015): "FT230X",
    (0x067B, 0x2303): "PL2303",
    (0x067B, 0x23A3): "PL2303GC",
}
"""USB-serial bridges that stand in halls; a bridge does not say what hangs on it."""
_INTERFACES: Final = {
    "03": "keyboard, scanner or pad",
    "07": "printer",
    "0b": "smart-card reader",
    "ff": "vendor's own protocol",
}
_HUB: Final = "09"


@dataclass(frozen=True, slots=True)
class Found:
    """Something plugged in. `url` is empty where no device map can name it yet."""

    bus: str
    name: str
    url: str
    guess: str

    @property
    def values(self) -> dict[str, str]:
        """As JSON."""
        return {"bus": self.bus, "name": self.name, "url": self.url, "guess": self.guess}


def scan(root: Path = Path("/"), ports: Callable[[], Iterable[SerialPort]] = serial_ports) -> list[Found]:
    """Serial ports of any system; on Linux also USB devices, printers on usblp and keyboards. Reads, opens nothing."""
    return [*map(_serial, ports()), *_usb(root), *_printers(root), *_keyboards(root)]


def _serial(port: SerialPort) -> Found:
    if port.vid is None or port.pid is None:
        return Found("serial", port.name, port.url, "built-in port")
    bridge = BRIDGES.get((port.vid, port.pid))
    guess = (
        f"{bridge} bridge: a line of keypads, strips or rating devices, or one device" if bridge else port.description
    )
    return Found("serial", f"{port.name} {port.vid:04x}:{port.pid:04x}", port.url, guess or "a serial device")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _usb(root: Path) -> Iterator[Found]:
    """USB devices that are neither hubs nor serial bridges."""
    folder = root / "sys/bus/usb/devices"
    for device in sorted(folder.iterdir()) if folder.is_dir() else ():
        vid, pid = _text(device / "idVendor"), _text(device / "idProduct")
        if not vid or _text(device / "bDeviceClass") == _HUB:
            continue
        parts = list(device.glob(f"{device.name}:*"))
        if any(list(part.glob("tty*")) for part in parts):
            continue
        what = dict.fromkeys(_INTERFACES.get(_text(part / "bInterfaceClass"), "") for part in parts)
        said = " ".join(filter(None, (_text(device / "manufacturer"), _text(device / "product"))))
        guess = "; ".join(filter(None, (said, *what)))
        yield Found("usb", f"{device.name} {vid}:{pid}", "", guess or "unknown")


def _printers(root: Path) -> Iterator[Found]:
    folder = root / "dev/usb"
    # The names that config/udev makes: lp0 and lp1 follow the order of plugging in.
    stable = {link.resolve().name: f"by-path/{link.name}" for link in sorted((folder / "by-path").glob("*"))}
    for path in sorted(folder.glob("lp*")):
        name = stable.get(path.name, path.name)
        yield Found("printer", path.name, f"file:///dev/usb/{name}", "ticket printer on USB (usblp)")


def _keyboards(root: Path) -> Iterator[Found]:
    for path in sorted((root / "dev/input/by-id").glob("*-event-kbd")):
        yield Found(
            "keyboard",
            path.name,
            f"evdev:///dev/input/by-id/{path.name}",
            "keyboard, scanner, card reader or rating pad that types",
        )
