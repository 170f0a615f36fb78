"""One claimed interface of a USB device, as the threads see it that wait for it: every method here may block."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import structlog
import usb.core
import usb.util

from devices.transport.base import Unavailable
from devices.transport.holders import hold, let_go
from devices.transport.reports import Reports
from devices.transport.usbdevices import OVERFLOW, PIPE, UsbName, configure, find_usb, sentence

SLICE_MS: Final = 200
"""The longest wait in libusb: how soon a close or a cancelled write is noticed (HARDWARE 6)."""
SET_REPORT_MS: Final = 1_000
"""A report that is not acknowledged by then is given up: below the 2 s that closing and a bus's write may take."""
CHUNK_BYTES: Final = 4096
STALLS_LIMIT: Final = 3
OVERSIZED_LIMIT: Final = 10
ALIVE_S: Final = 1.0
"""A device without a way in is asked so often whether it is still there."""
EMPTY_PAUSE_S: Final = 0.02
"""Some printers answer each question for bytes at once with none."""
_HID: Final = 0x03
_PRINTER: Final = 0x07
_BULK: Final = 2
_INTERRUPT: Final = 3
_SET_REPORT: Final = 9
_OUTPUT_REPORT: Final = 0x0200
_CLASS_TO_INTERFACE: Final = 0x21
_STANDARD_FROM_DEVICE: Final = 0x80
_GET_STATUS: Final = 0
_log = structlog.get_logger("devices.usb")
_KINDS: Final = {_HID: "HID", _PRINTER: "printer", 0x0A: "serial data", 0xFF: "vendor's own"}


@dataclass(frozen=True, slots=True)
class UsbParts:
    """What a URL says of the interface and its endpoints; None is left to the device."""

    interface: int | None = None
    into: int | None = None
    out: int | None = None


@dataclass(frozen=True, slots=True)
class _Ends:
    """An alternate setting of an interface, with what of it is used."""

    setting: Any
    into: Any
    out: Any

    @property
    def number(self) -> int:
        return int(self.setting.bInterfaceNumber)

    @property
    def kind(self) -> int:
        return int(self.setting.bInterfaceClass)


def _ends(setting: Any, parts: UsbParts) -> _Ends | None:
    """The bulk endpoints, else the interrupt ones; None where there is none, or not the ones that were named."""
    ways = [way for way in setting if usb.util.endpoint_type(way.bmAttributes) in (_BULK, _INTERRUPT)]
    ways.sort(key=lambda way: usb.util.endpoint_type(way.bmAttributes))
    chosen = []
    for incoming, named in ((True, parts.into), (False, parts.out)):
        there = [way for way in ways if bool(way.bEndpointAddress & 0x80) is incoming]
        if named is not None:
            there = [way for way in there if way.bEndpointAddress == named]
            if not there:
                return None
        chosen.append(there[0] if there else None)
    return _Ends(setting, *chosen) if any(chosen) else None


def choose(configuration: Any, parts: UsbParts, name: UsbName) -> _Ends:
    """The interface to use: the named one, the only one, or a printer's; `Unavailable` says what to add to the URL."""
    best: dict[int, _Ends] = {}
    for setting in configuration:
        if parts.interface not in (None, setting.bInterfaceNumber) or (ends := _ends(setting, parts)) is None:
            continue
        other = best.get(ends.number)
        # A printer's first setting may have no way back; one with both ways is worth more.
        if other is None or (ends.into and ends.out and not (other.into and other.out)):
            best[ends.number] = ends
    printers = [ends for ends in best.values() if ends.kind == _PRINTER]
    found = printers if len(printers) == 1 else list(best.values())
    if len(found) == 1:
        return found[0]
    if not found:
        raise Unavailable(f"usb {name} has no interface with bulk or interrupt endpoints as the url wants them")
    places = ", ".join(f"interface={ends.number:x} ({_KINDS.get(ends.kind, f'{ends.kind:02x}')})" for ends in found)
    raise Unavailable(f"usb {name} has several interfaces: add one to the url: {places}")


class UsbClaim:
    """Made by `open`, ended by `release`; one thread may read while another writes."""

    def __init__(self, name: UsbName, device: Any, ends: _Ends, reports: Reports, counters: Counter[str]) -> None:
        self._name = name
        self._device = device
        self._ends = ends
        self._reports = reports
        self._counters = counters
        self._detached = False
        self._stop = threading.Event()
        self._reader = threading.Lock()
        self._noted: set[str] = set()

    @classmethod
    def open(cls, name: UsbName, parts: UsbParts, reports: Reports | None, counters: Counter[str]) -> UsbClaim:
        """Find the device, take its interface from the kernel's driver and claim it; raises `Unavailable`."""
        device = find_usb(name)
        try:
            ends = choose(configure(device), parts, name)
            if reports is None:
                reports = Reports("padded" if ends.kind == _HID else "stream")
            claim = cls(name, device, ends, reports, counters)
            try:
                claim._take()
            except BaseException:
                let_go(claim)
                raise
        except (usb.core.USBError, NotImplementedError) as error:
            usb.util.dispose_resources(device)
            raise Unavailable(sentence(error, name)) from error
        except Unavailable:
            usb.util.dispose_resources(device)
            raise
        return claim

    @property
    def url(self) -> str:
        """The device, by what it was asked for."""
        return f"usb://{self._name}"

    def _take(self) -> None:
        number = self._ends.number
        hold(("usb", self._device.bus, self._device.address, number), self)
        with contextlib.suppress(NotImplementedError):  # only Linux has drivers that can be asked to go
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)
                self._detached = True
        try:
            usb.util.claim_interface(self._device, number)
            if self._ends.setting.bAlternateSetting:
                self._ends.setting.set_altsetting()
        except usb.core.USBError:
            self._attach()
            raise

    def _attach(self) -> None:
        if self._detached:
            with contextlib.suppress(usb.core.USBError, NotImplementedError):  # it may be gone
                self._device.attach_kernel_driver(self._ends.number)

    def stop(self) -> None:
        """Have every call end within `SLICE_MS`. Does not block."""
        self._stop.set()

    def release(self) -> None:
        """Give the interface back to the kernel's driver once the reader has ended; never raises."""
        self._stop.set()
        with self._reader:
            with contextlib.suppress(usb.core.USBError, NotImplementedError):
                usb.util.release_interface(self._device, self._ends.number)
            self._attach()
            with contextlib.suppress(usb.core.USBError, NotImplementedError):
                usb.util.dispose_resources(self._device)
            let_go(self)

    # Reading.

    def read(self) -> bytes:
        """At least one byte; raises `Unavailable` when the device is gone, fails, or `stop` was called."""
        stalls = oversized = 0
        with self._reader:
            while not self._stop.is_set():
                try:
                    data = self._take_in()
                except usb.core.USBTimeoutError:
                    continue  # it has nothing to say: how long that may last is its driver's to know
                except (usb.core.USBError, NotImplementedError) as error:
                    code = getattr(error, "backend_error_code", None)
                    stalls += code == PIPE
                    oversized += code == OVERFLOW
                    if not self._may_go_on(code, stalls, oversized):
                        raise Unavailable(sentence(error, self._name)) from error
                else:
                    if data:
                        return data
        raise Unavailable(f"usb {self._name} is closed")

    def _take_in(self) -> bytes:
        if self._ends.into is None:
            self._stop.wait(ALIVE_S)
            self._device.ctrl_transfer(_STANDARD_FROM_DEVICE, _GET_STATUS, 0, 0, 2, timeout=SLICE_MS)
            return b""
        bulk = usb.util.endpoint_type(self._ends.into.bmAttributes) == _BULK
        size = CHUNK_BYTES if bulk else _packet(self._ends.into)
        raw = bytes(self._device.read(self._ends.into.bEndpointAddress, size, timeout=SLICE_MS))
        if not raw:
            time.sleep(EMPTY_PAUSE_S)
            return b""
        data = self._reports.unpack(raw)
        if data is None:
            self._note("dropped")
        return data or b""

    def _may_go_on(self, code: int | None, stalls: int, oversized: int) -> bool:
        """Mend what the device asks to be mended, a few times; what it said is lost and counted."""
        match code:
            case _ if code == PIPE:
                self._note("stalls")
                return stalls < STALLS_LIMIT and self._clear_halt(self._ends.into)
            case _ if code == OVERFLOW:
                self._note("oversized")
                return oversized < OVERSIZED_LIMIT
            case _:
                return False

    def _note(self, what: str) -> None:
        self._counters[what] += 1
        if what not in self._noted:
            self._noted.add(what)
            _log.warning("usb_transfer_wrong", device=str(self._name), what=what)

    def _clear_halt(self, way: Any) -> bool:
        try:
            self._device.clear_halt(way.bEndpointAddress)
        except (usb.core.USBError, NotImplementedError):
            return False
        return True

    # Writing.

    def write(self, data: bytes, cancelled: threading.Event) -> None:
        """Hand `data` over however long the device takes; raises `Unavailable`, also when cancelled or stopped."""
        size = _packet(self._ends.out) if self._ends.out is not None else _packet(self._ends.into)
        try:
            for piece in self._reports.pack(data, size):
                self._hand_over(piece, cancelled)
        except usb.core.USBError as error:
            if error.backend_error_code == PIPE:
                # How much of it was taken is not known, so it is not sent again: that is its protocol's to decide.
                self._note("stalls")
                if self._ends.out is not None:
                    self._clear_halt(self._ends.out)
                raise Unavailable(f"usb {self._name} refuses what it is sent (stall)") from error
            raise Unavailable(sentence(error, self._name)) from error
        except (NotImplementedError, ValueError) as error:
            raise Unavailable(f"usb {self._name}: {error}") from error

    def _hand_over(self, piece: bytes, cancelled: threading.Event) -> None:
        while piece:
            if self._stop.is_set() or cancelled.is_set():
                raise Unavailable(f"usb {self._name} is closed")
            try:
                taken = self._put_out(piece[:CHUNK_BYTES])
            except usb.core.USBTimeoutError:
                continue  # an endpoint that took some of it says how much: this one took nothing
            piece = piece[taken:]

    def _put_out(self, piece: bytes) -> int:
        if self._ends.out is not None:
            return int(self._device.write(self._ends.out.bEndpointAddress, piece, timeout=SLICE_MS))
        if self._ends.kind != _HID:
            raise ValueError("it can only be read")
        report = _OUTPUT_REPORT | (self._reports.id or 0)
        request = (_CLASS_TO_INTERFACE, _SET_REPORT, report, self._ends.number, piece, SET_REPORT_MS)
        try:
            # HID 1.11, 7.2.2: a device without an interrupt endpoint out takes its reports by SET_REPORT.
            return int(self._device.ctrl_transfer(*request))
        except usb.core.USBTimeoutError as error:
            # A control transfer's time-out does not tell how far it came, as that of an endpoint does: whether the
            # report may be sent again is its protocol's to know.
            raise Unavailable(f"usb {self._name} does not acknowledge a report, which may have arrived") from error


def _packet(way: Any) -> int:
    """The largest packet of an endpoint in bytes; the bits above say how often it comes (USB 2.0, 9.6.6)."""
    return int(way.wMaxPacketSize) & 0x7FF
