"""What is plugged into this machine, the URL a device map would use for it, and a guess at what it is."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from devices.transport import Unavailable
from devices.transport.serialports import SerialPort, serial_ports
from devices.transport.usbdevices import UsbDevice, UsbName, usb_devices

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
    0x03: "keyboard, scanner or pad",
    0x07: "printer",
    0x0B: "smart-card reader",
    0xFF: "vendor's own protocol",
}
_SPOKEN_TO: Final = frozenset((0x03, 0x07, 0xFF))
"""Classes that a usb:// line may speak to, unless it is a keyboard or a mouse: those are found by the name of their keys."""
_TYPES: Final = frozenset(((0x03, 1), (0x03, 2)))
_HUB: Final = 0x09


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
    """Serial ports and USB devices of any system; on Linux also printers on usblp and keyboards.

    On Linux nothing is opened; elsewhere USB devices are, for their names.
    """
    devices = _sysfs(root) if sys.platform == "linux" else _libusb({(port.vid, port.pid) for port in ports()})
    return [*map(_serial, ports()), *_usb(devices), *_printers(root), *_keyboards(root)]


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


def _hex(path: Path) -> int:
    return int(_text(path) or "0", 16)


def _sysfs(root: Path) -> list[UsbDevice]:
    """USB devices without a serial port, as Linux tells them to everybody."""
    folder, found = root / "sys/bus/usb/devices", []
    for device in sorted(folder.iterdir()) if folder.is_dir() else ():
        parts = list(device.glob(f"{device.name}:*"))
        if not _text(device / "idVendor") or any(list(part.glob("tty*")) for part in parts):
            continue
        name = UsbName(_hex(device / "idVendor"), _hex(device / "idProduct"), _text(device / "serial"), device.name)
        said = " ".join(filter(None, (_text(device / "manufacturer"), _text(device / "product"))))
        kinds = [(_hex(part / "bInterfaceClass"), _hex(part / "bInterfaceProtocol")) for part in parts]
        found.append(UsbDevice(name, _hex(device / "bDeviceClass"), tuple(dict.fromkeys(kinds)), said))
    return found


def _libusb(bridges: Set[tuple[int | None, int | None]]) -> list[UsbDevice]:
    try:
        return [device for device in usb_devices() if (device.name.vid, device.name.pid) not in bridges]
    except Unavailable:
        return []  # the serial ports are found all the same


def _usb(devices: list[UsbDevice]) -> Iterator[Found]:
    """USB devices that are no hubs."""
    several = Counter((device.name.vid, device.name.pid, device.name.sn) for device in devices)
    for device in devices:
        name = device.name
        if device.kind == _HUB:
            continue
        guess = "; ".join(filter(None, (device.said, *(_INTERFACES.get(kind, "") for kind in device.classes))))
        spoken = any(kind in _SPOKEN_TO and (kind, way) not in _TYPES for kind, way in device.parts)
        at = f"?at={name.at}" if several[name.vid, name.pid, name.sn] > 1 else ""
        sn = f":{quote(name.sn, safe='')}" if name.sn else ""
        url = f"usb://{name.vid:04x}:{name.pid:04x}{sn}{at}" if spoken else ""
        yield Found("usb", f"{name.at} {name.vid:04x}:{name.pid:04x}", url, guess or "unknown")


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
