"""A USB bus in front of libusb, by umockdev's dynamic handler (HARDWARE 6): devices as descriptors, endpoints and faults.

Only for a process that runs under `umockdev-wrapper`: the handler reads and writes the memory of usbfs's callers directly.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Pointer = ctypes.c_void_p
HANDLER: Final = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, Pointer, Pointer)

# linux/usbdevice_fs.h, on a machine whose pointers have 64 bits.
GET_CAPABILITIES, CLAIM, RELEASE = 0x8004551A, 0x8004550F, 0x80045510
SUBMIT, REAP_NDELAY, DISCARD = 0x8038550A, 0x4008550D, 0x550B
GET_DRIVER, INNER, DISCONNECT, CONNECT = 0x41045508, 0xC0105512, 0x5516, 0x5517
CLEAR_HALT, SET_INTERFACE = 0x80045515, 0x80085504
ENOENT, EIO, EAGAIN, EBUSY, ENODEV, EPIPE, EPROTO, EOVERFLOW, ENODATA, ESHUTDOWN, ENOTTY = (
    *(2, 5, 11, 16, 19, 32, 71, 75, 61, 108, 25),
)
BULK, INTERRUPT = 2, 3
_LOST = 9
"""No type of usbfs: a transfer that its device will not end."""


class _Urb(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_ubyte),
        ("endpoint", ctypes.c_ubyte),
        ("status", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("buffer", Pointer),
        ("buffer_length", ctypes.c_int),
        ("actual_length", ctypes.c_int),
        ("start_frame", ctypes.c_int),
        ("number_of_packets", ctypes.c_int),
        ("error_count", ctypes.c_int),
        ("signr", ctypes.c_uint),
        ("usercontext", Pointer),
    ]


class _Library:
    """The functions of libumockdev and GObject that are called; no other binding is needed."""

    def __init__(self) -> None:
        bed, gobject, glib = (
            ctypes.CDLL(name) for name in ("libumockdev.so.0", "libgobject-2.0.so.0", "libglib-2.0.so.0")
        )
        text, error = ctypes.c_char_p, ctypes.POINTER(Pointer)
        self.new = self._of(bed, "umockdev_testbed_new", Pointer)
        self.root = self._of(bed, "umockdev_testbed_get_root_dir", text, Pointer)
        self.add = self._of(bed, "umockdev_testbed_add_from_string", ctypes.c_int, Pointer, text, error)
        self.attach = self._of(bed, "umockdev_testbed_attach_ioctl", ctypes.c_int, Pointer, text, Pointer, error)
        self.uevent = self._of(bed, "umockdev_testbed_uevent", None, Pointer, text, text)
        self.remove = self._of(bed, "umockdev_testbed_remove_device", None, Pointer, text)
        self.script = self._of(bed, "umockdev_testbed_load_script", ctypes.c_int, Pointer, text, text, error)
        self.evemu = self._of(bed, "umockdev_testbed_load_evemu_events", ctypes.c_int, Pointer, text, text, error)
        self.handler = self._of(bed, "umockdev_ioctl_base_new", Pointer)
        self.request = self._of(bed, "umockdev_ioctl_client_get_request", ctypes.c_ulong, Pointer)
        self.argument = self._of(bed, "umockdev_ioctl_client_get_arg", Pointer, Pointer)
        self.complete = self._of(bed, "umockdev_ioctl_client_complete", None, Pointer, ctypes.c_long, ctypes.c_int)
        self.retrieve = self._of(
            *(bed, "umockdev_ioctl_data_retrieve", None, Pointer, error, ctypes.POINTER(ctypes.c_int))
        )
        self.free = self._of(glib, "g_free", None, Pointer)
        self.connect = self._of(
            *(gobject, "g_signal_connect_data", ctypes.c_ulong, Pointer, text, HANDLER, Pointer, Pointer, ctypes.c_int)
        )

    @staticmethod
    def _of(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
        return function


@dataclass(frozen=True, slots=True)
class Way:
    """An endpoint."""

    address: int
    kind: int = INTERRUPT
    packet: int = 8


@dataclass(frozen=True, slots=True)
class Part:
    """An interface, or another setting of it; `driver` is the kernel's own."""

    ways: tuple[Way, ...]
    kind: int = 0x03
    number: int = 0
    setting: int = 0
    driver: str = ""


@dataclass(slots=True)
class _Taken:
    """A transfer that the device has not answered yet."""

    client: int
    address: int
    urb: _Urb
    done: int = 0


@dataclass(slots=True, eq=False)
class MockedUsb:
    """A device. `says` and `took` are what its endpoints give and got; change the rest while it is plugged in."""

    vid: int
    pid: int
    parts: tuple[Part, ...]
    serial: str = ""
    product: str = ""
    kind: int = 0
    """Its device class."""
    room: int | None = None
    """Bytes that its endpoints out still take; None is any number."""
    refuses: int = 0
    """So many transfers out are stalled."""
    unsaid: int = 0
    """So many reports by SET_REPORT are taken, and nothing is said of it."""
    busy: bool = False
    took: bytearray = field(default_factory=bytearray)
    reports: list[bytes] = field(default_factory=list)
    """Each transfer out by itself, and what came by SET_REPORT."""
    events: list[str] = field(default_factory=list)
    node: str = ""
    path: str = ""
    _waits: list[_Taken] = field(default_factory=list)
    _done: dict[int, deque[int]] = field(default_factory=dict)
    _says: dict[int, deque[tuple[int, bytes]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    gone: bool = False

    def say(self, data: bytes, way: int = 0x81, *, error: int = 0) -> None:
        """Give a transfer in to whoever asks next; `error` is the errno it ends with instead."""
        with self._lock:
            self._says.setdefault(way, deque()).append((error, data))
            self._serve()

    def take(self, room: int | None) -> None:
        """Take so many bytes more."""
        with self._lock:
            self.room = room
            self._serve()

    def end(self) -> None:
        """Pulled out: every transfer ends, and every call fails."""
        with self._lock:
            self.gone = True
            for taken in self._waits:
                self._finish(taken, ESHUTDOWN)
            self._waits.clear()

    @property
    def descriptors(self) -> bytes:
        """As sysfs has them: the device's and its one configuration's (USB 2.0, 9.6)."""
        settings = [
            struct.pack("<9B", 9, 4, part.number, part.setting, len(part.ways), part.kind, 0, 0, 0)
            + b"".join(struct.pack("<4BHB", 7, 5, way.address, way.kind, way.packet, 1) for way in part.ways)
            for part in self.parts
        ]
        body = b"".join(settings)
        numbers = len({part.number for part in self.parts})
        strings = (0, 2 if self.product else 0, 3 if self.serial else 0)
        return (
            struct.pack("<2BH4B3H4B", 18, 1, 0x200, self.kind, 0, 0, 64, self.vid, self.pid, 0x100, *strings, 1)
            + struct.pack("<2BH5B", 9, 2, 9 + len(body), numbers, 1, 0, 0x80, 50)
            + body
        )

    # What usbfs is asked.

    def answer(self, client: int, request: int, argument: int) -> tuple[int, int]:
        """Result and errno of one ioctl; runs on umockdev's thread."""
        with self._lock:
            if self.gone and request != REAP_NDELAY:
                return -1, ENODEV
            match request:
                case _ if request == SUBMIT:
                    self._waits.append(_Taken(client, argument, _Urb.from_address(argument)))
                    self._serve()
                case _ if request == REAP_NDELAY:
                    return self._reap(client, argument)
                case _ if request == DISCARD:
                    for taken in [taken for taken in self._waits if taken.address == argument]:
                        self._waits.remove(taken)
                        self._finish(taken, ENOENT)
                case _ if request == CLAIM and self.busy:
                    return -1, EBUSY
                case _ if request in (GET_DRIVER, INNER):
                    return self._driver(request, argument)
                case _ if request == GET_CAPABILITIES:
                    ctypes.c_uint32.from_address(argument).value = 0
                case _ if request in (CLAIM, RELEASE, CLEAR_HALT, SET_INTERFACE):
                    value = ctypes.c_uint32.from_address(argument).value
                    name = {CLAIM: "claim", RELEASE: "release", CLEAR_HALT: "clear", SET_INTERFACE: "setting"}[request]
                    if request == SET_INTERFACE:
                        value = ctypes.c_uint32.from_address(argument + 4).value
                    self.events.append(f"{name} {value:02x}")
                case _:
                    return -1, ENOTTY
            return 0, 0

    def _reap(self, client: int, argument: int) -> tuple[int, int]:
        done = self._done.get(client)
        if done:
            ctypes.c_uint64.from_address(argument).value = done.popleft()
            return 0, 0
        if self.gone:
            return -1, ENODEV
        time.sleep(0.001)  # libusb asks again and again, because the stand-in for usbfs is always writable
        return -1, EAGAIN

    def _driver(self, request: int, argument: int) -> tuple[int, int]:
        number = ctypes.c_uint32.from_address(argument).value
        place, part = next((at, part) for at, part in enumerate(self.parts) if part.number == number)
        if request == GET_DRIVER:
            if not part.driver or "detach" in self.events[-1:]:
                return -1, ENODATA
            ctypes.memmove(argument + 4, part.driver.encode() + b"\0", len(part.driver) + 1)
            return 0, 0
        code = ctypes.c_uint32.from_address(argument + 4).value
        assert code in (DISCONNECT, CONNECT), hex(code)
        self.events.append(f"{'detach' if code == DISCONNECT else 'attach'} {self.parts[place].driver}")
        return 0, 0

    def _serve(self) -> None:
        for taken in list(self._waits):
            status = self._one(taken)
            if status is not None:
                self._waits.remove(taken)
                self._finish(taken, status)

    def _one(self, taken: _Taken) -> int | None:
        """Move what can be moved; the errno of a transfer that is over, None for one that waits."""
        urb = taken.urb
        if urb.type == _LOST:
            return None
        if urb.type == 2:
            return self._control(taken)
        if urb.endpoint & 0x80:
            says = self._says.get(urb.endpoint)
            if not says:
                return None
            error, data = says.popleft()
            if not error and len(data) > urb.buffer_length:
                error, data = EOVERFLOW, data[: urb.buffer_length]
            ctypes.memmove(urb.buffer, data, len(data))
            taken.done = len(data)
            return error
        if self.refuses:
            self.refuses -= 1
            return EPIPE
        rest = urb.buffer_length - taken.done
        step = rest if self.room is None else min(rest, self.room)
        data = ctypes.string_at(urb.buffer + taken.done, step)
        self.took += data
        taken.done += step
        if self.room is not None:
            self.room -= step
        if taken.done < urb.buffer_length:
            return None
        self.reports.append(ctypes.string_at(urb.buffer, urb.buffer_length))
        return 0

    def _control(self, taken: _Taken) -> int | None:
        setup = struct.unpack("<2B3H", ctypes.string_at(taken.urb.buffer, 8))
        answer = b""
        match setup:
            case (0x80, 6, value, _, _) if value >> 8 == 3 and (value & 0xFF) in (0, 2, 3):
                said = {0: "\u0409", 2: self.product, 3: self.serial}[value & 0xFF].encode("utf-16-le")
                answer = bytes((2 + len(said), 3)) + said
            case (0x80, 0, _, _, _):
                answer = b"\0\0"
            case (0x21, 9, value, _, length):
                if self.room == 0:
                    return None
                self.reports.append(ctypes.string_at(taken.urb.buffer + 8, length))
                self.events.append(f"report {value:04x}")
                if self.unsaid:
                    self.unsaid -= 1
                    taken.urb.type = _LOST
                    return None
                taken.done = length
                return 0
            case _:
                return EPIPE
        answer = answer[: setup[4]]
        ctypes.memmove(taken.urb.buffer + 8, answer, len(answer))
        taken.done = len(answer)
        return 0

    def _finish(self, taken: _Taken, error: int) -> None:
        taken.urb.status, taken.urb.actual_length = -error, taken.done
        self._done.setdefault(taken.client, deque()).append(taken.address)


class UsbBed:
    """The machine: what is plugged into it, for every program in this process."""

    def __init__(self) -> None:
        self._library = _Library()
        self._bed = self._library.new()
        self._keep: list[Any] = []
        self._plugged: dict[str, MockedUsb] = {}
        self._numbers = itertools.count(2)
        for bus in (1, 3):
            hub = Part((Way(0x81, INTERRUPT, 4),), 0x09)
            self._add(f"/devices/pci0/usb{bus}", bus, 1, MockedUsb(0x1D6B, 2, (hub,), kind=0x09))

    @property
    def root(self) -> str:
        """Where the bed's /sys and /dev lie."""
        return str(self._library.root(self._bed).decode())

    def plug(self, device: MockedUsb, *, bus: int = 1, port: int = 2) -> None:
        """Into this socket; as the kernel's, its number at the bus is always a new one."""
        number = next(self._numbers)
        device.path = f"/devices/pci0/usb{bus}/{bus}-{port}"
        device.node = self._add(device.path, bus, number, device)
        for part in device.parts:
            if not part.setting:
                self._interface(device.path, f"{bus}-{port}:1.{part.number}", part)
        self.on_ioctl(device.node, device.answer)
        self._plugged[device.node] = device
        self._library.uevent(self._bed, f"/sys{device.path}".encode(), b"add")

    def unplug(self, device: MockedUsb) -> None:
        """Out of its socket, whatever it was doing."""
        device.end()
        del self._plugged[device.node]
        self.remove(device.path)

    @contextlib.contextmanager
    def shut(self, device: MockedUsb) -> Iterator[None]:
        """Be a user who may not open the device; root becomes one."""
        root, node, sockets = (Path(self.root + part) for part in ("", device.node, "/ioctl" + device.node))
        root.chmod(0o755)
        sockets.chmod(0o777)
        node.chmod(0)
        own = os.geteuid()
        if own == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(own)

    def close(self) -> None:
        """Everything out."""
        for device in list(self._plugged.values()):
            self.unplug(device)

    def add(self, text: str) -> None:
        """Devices as umockdev's own files describe them."""
        error = Pointer()
        assert self._library.add(self._bed, text.encode(), ctypes.byref(error)), text

    def remove(self, path: str) -> None:
        """One of them out."""
        self._library.uevent(self._bed, f"/sys{path}".encode(), b"remove")
        time.sleep(0.05)  # libudev drops the event of a device whose folder is gone when it comes to read it
        self._library.remove(self._bed, f"/sys{path}".encode())
        for link in (Path(self.root) / "sys/bus/usb/devices").glob(f"{Path(path).name}:*"):
            link.unlink()  # umockdev 0.17.16 forgets those of children

    def on_ioctl(self, node: str, answer: Any) -> None:
        """Have `answer(client, request, argument)` say result and errno of every ioctl on the node."""
        library = self._library

        @HANDLER
        def asked(handler: int, client: int, data: int) -> int:
            raw, length = Pointer(), ctypes.c_int()
            library.retrieve(library.argument(client), ctypes.byref(raw), ctypes.byref(length))
            argument = ctypes.c_uint64.from_address(raw.value or 0).value
            library.free(raw)
            library.complete(client, *answer(client, library.request(client) & 0xFFFFFFFF, argument))
            return 1

        handler, error = library.handler(), Pointer()
        library.connect(handler, b"handle-ioctl", asked, None, None, 0)
        assert library.attach(self._bed, node.encode(), handler, ctypes.byref(error)), node
        self._keep += [asked, handler]

    def play(self, node: str, script: str) -> None:
        """Let a terminal's node speak by umockdev's script."""
        error = Pointer()
        assert self._library.script(self._bed, node.encode(), script.encode(), ctypes.byref(error)), node

    def type(self, node: str, events: str) -> None:
        """Let an input device's node give the events of an evemu file."""
        error = Pointer()
        assert self._library.evemu(self._bed, node.encode(), events.encode(), ctypes.byref(error)), node

    def _add(self, path: str, bus: int, number: int, device: MockedUsb) -> str:
        node = f"bus/usb/{bus:03}/{number:03}"
        attributes = {
            "busnum": bus,
            "devnum": number,
            "speed": 12,
            "bConfigurationValue": 1,
            "bDeviceClass": f"{device.kind:02x}",
            "idVendor": f"{device.vid:04x}",
            "idProduct": f"{device.pid:04x}",
            **({"serial": device.serial} if device.serial else {}),
            **({"product": device.product} if device.product else {}),
        }
        lines = [
            f"P: {path}",
            f"N: {node}",
            f"E: DEVNAME=/dev/{node}",
            "E: DEVTYPE=usb_device",
            "E: SUBSYSTEM=usb",
            f"E: BUSNUM={bus:03}",
            f"E: DEVNUM={number:03}",
            *(f"A: {name}={value}\\n" for name, value in attributes.items()),
            f"H: descriptors={device.descriptors.hex().upper()}",
        ]
        self.add("\n".join(lines) + "\n\n")
        return f"/dev/{node}"

    def _interface(self, path: str, name: str, part: Part) -> None:
        self.add(
            f"P: {path}/{name}\nE: DEVTYPE=usb_interface\nE: SUBSYSTEM=usb\n"
            f"A: bInterfaceClass={part.kind:02x}\\n\nA: bInterfaceNumber={part.number:02x}\\n\n\n"
        )


def beds() -> Iterator[UsbBed]:
    """The one machine of this process, with nothing plugged in before and after; for a fixture."""
    bed = UsbBed()
    try:
        yield bed
    finally:
        bed.close()
