"""USB devices of this machine, found by what they are: vendor, product, serial number, or the socket they are in."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import libusb_package
import usb.backend.libusb1
import usb.control
import usb.core
import usb.util

from devices.transport.base import Address, Unavailable

RULES: Final = "config/udev/70-yichuang.rules"
_DIGITS: Final = re.compile(r"[0-9a-fA-F]{4}")
_STRING: Final = 3
"""Type of a string descriptor (USB 2.0, table 9-5)."""
_LONGEST_STRING: Final = 255

NO_ACCESS: Final = -3
NO_DEVICE: Final = -4
BUSY: Final = -6
OVERFLOW: Final = -8
PIPE: Final = -9
"""libusb.h, enum libusb_error: the same on every system, which errno is not."""


@dataclass(frozen=True, slots=True)
class UsbName:
    """Which device a URL means. `at`: bus and ports as `devices scan` prints them, `1-2.4`."""

    vid: int
    pid: int
    sn: str = ""
    at: str = ""

    def __str__(self) -> str:
        sn = f":{self.sn}" if self.sn else ""
        return f"{self.vid:04x}:{self.pid:04x}{sn}" + (f" at {self.at}" if self.at else "")

    @property
    def rule(self) -> str:
        """The line of a udev rule that lets the agent open it."""
        return (
            f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{self.vid:04x}", ATTR{{idProduct}}=="{self.pid:04x}",'
            ' GROUP="dialout", MODE="0660"'
        )


def usb_name(address: Address) -> UsbName:
    """The device of `usb://VID:PID[:SERIAL][?at=…]`; ValueError when it names none."""
    vid, _, rest = address.host.partition(":")
    pid, _, sn = rest.partition(":")
    if not _DIGITS.fullmatch(vid) or not _DIGITS.fullmatch(pid):
        raise ValueError(f"a USB URL is usb://VID:PID or usb://VID:PID:SERIAL in hex, not usb://{address.host}")
    return UsbName(int(vid, 16), int(pid, 16), unquote(sn), address.options.get("at", ""))


def usb_library() -> Any:
    """pyusb on the libusb that came with libusb-package, else on the system's; `Unavailable` without either."""
    for find in (libusb_package.find_library, None):
        if (found := usb.backend.libusb1.get_backend(find_library=find)) is not None:
            return found
    raise Unavailable("USB cannot be used: libusb-1.0 does not start on this machine")


def usb_at(device: Any) -> str:
    """The socket: bus and ports on the way, as in /sys/bus/usb/devices and in pyserial's `location`."""
    return f"{device.bus}-{'.'.join(map(str, device.port_numbers))}" if device.port_numbers else str(device.bus)


def find_usb(name: UsbName) -> Any:
    """The one device that is meant, opened by pyusb; `Unavailable` when it is not there, shut, or there are several.

    Blocks while devices are opened and serial numbers read.
    """
    shut: Exception | None = None
    there = []
    try:
        found = list(usb.core.find(find_all=True, backend=usb_library(), idVendor=name.vid, idProduct=name.pid))
    except (usb.core.USBError, NotImplementedError) as broken:
        raise Unavailable(sentence(broken, name)) from broken
    for device in found:
        fits, error = _fits(device, name)
        if fits:
            there.append(device)
        else:
            usb.util.dispose_resources(device)
            shut = error or shut
    if len(there) == 1:
        return there[0]
    for device in there:
        usb.util.dispose_resources(device)
    if there:
        places = ", ".join(f"at={usb_at(device)}" for device in there)
        raise Unavailable(
            f"{len(there)} USB devices are {name}: name one by its serial number or its socket in the url: {places}"
        )
    if shut is not None:
        raise Unavailable(sentence(shut, name)) from shut
    raise Unavailable(f"no USB device {name} is plugged in")


def _fits(device: Any, name: UsbName) -> tuple[bool, Exception | None]:
    """Whether it is the device, and why that cannot be known."""
    if name.at and usb_at(device) != name.at:
        return False, None
    try:
        # libusb lists a device that is gone until it next handles events: only opening tells.
        with contextlib.suppress(_NotConfigured):
            active_configuration(device)
        return not name.sn or serial_number(device) == name.sn, None
    except (usb.core.USBError, NotImplementedError) as error:
        # One that cannot be opened is there all the same: another of its kind must not be taken for it.
        gone = getattr(error, "backend_error_code", None) == NO_DEVICE
        return not gone and not name.sn, error if not gone else None


class _NotConfigured(Exception):
    """No driver has chosen a configuration of the device."""


def active_configuration(device: Any) -> Any:
    """As pyusb has it; raises what libusb raises."""
    try:
        return device.get_active_configuration()
    except usb.core.USBError as error:
        if error.backend_error_code is not None:
            raise
        raise _NotConfigured from error


def configure(device: Any) -> Any:
    """The active configuration, the device's first when it has none yet."""
    try:
        return active_configuration(device)
    except _NotConfigured:
        device.set_configuration()
        return active_configuration(device)


def serial_number(device: Any) -> str:
    """What the device says of itself, empty when nothing; opens it. pyusb's own property hides why it cannot."""
    return _text(device, device.iSerialNumber)


def _text(device: Any, index: int) -> str:
    if not index:
        return ""
    languages = bytes(usb.control.get_descriptor(device, _LONGEST_STRING, _STRING, 0))
    language = int.from_bytes(languages[2:4], "little")
    raw = bytes(usb.control.get_descriptor(device, _LONGEST_STRING, _STRING, index, language))
    return raw[2 : raw[0]].decode("utf-16-le", "replace") if raw else ""


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device that is plugged in: its class, and class and protocol of each interface.

    The serial number and what it says of itself are empty when it may not be opened.
    """

    name: UsbName
    kind: int
    parts: tuple[tuple[int, int], ...]
    said: str = ""

    @property
    def classes(self) -> list[int]:
        """Of its interfaces, each once."""
        return list(dict.fromkeys(kind for kind, _ in self.parts))


def usb_devices() -> list[UsbDevice]:
    """What libusb sees; opens each device for its names, so nothing here is done on the event loop's thread."""
    found = []
    for device in usb.core.find(find_all=True, backend=usb_library()):
        sn, said, parts = "", "", {}
        # A device of another program or driver: what it is shows all the same.
        with contextlib.suppress(usb.core.USBError, NotImplementedError):
            parts = {(part.bInterfaceClass, part.bInterfaceProtocol): None for setting in device for part in setting}
            sn = serial_number(device)
            said = " ".join(filter(None, (_text(device, index) for index in (device.iManufacturer, device.iProduct))))
        name = UsbName(device.idVendor, device.idProduct, sn, usb_at(device))
        found.append(UsbDevice(name, device.bDeviceClass, tuple(parts), said))
        usb.util.dispose_resources(device)
    return found


def sentence(error: Exception, name: UsbName) -> str:
    """Why a USB call failed, and what to do about it."""
    match error:
        case NotImplementedError():  # what pyusb makes of NOT_SUPPORTED
            return f"usb {name} cannot be opened: on Windows give it the WinUSB driver"
        case usb.core.USBError(backend_error_code=code) if code == NO_ACCESS:
            return (
                f"usb {name} may not be opened: put the line {name.rule} into {RULES}, install that file, and put this"
                " user into the group dialout (a printer's group is lp)"
            )
        case usb.core.USBError(backend_error_code=code) if code == NO_DEVICE:
            return f"usb {name} is unplugged"
        case usb.core.USBError(backend_error_code=code) if code == BUSY:
            return f"usb {name} is taken by another program"
        case _:
            return f"usb {name}: {getattr(error, 'strerror', '') or error}"
