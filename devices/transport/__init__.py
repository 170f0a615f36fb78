"""Bytes over serial, USB, TCP, UDP, websocket and memory, named by one URL; knows no meaning."""

from __future__ import annotations

from devices.transport.base import Address, Listener, Transport, Unavailable, parse_url
from devices.transport.called import CalledTransport, CallingListener
from devices.transport.datagrams import UdpListener, UdpTransport
from devices.transport.devicefile import FileTransport
from devices.transport.exchange import ExchangeTransport
from devices.transport.memory import MemoryListener, MemoryTransport, memory_pair
from devices.transport.sockets import WebsocketListener, WebsocketTransport
from devices.transport.streams import SerialTransport, TcpListener, TcpTransport

__all__ = ["Address", "Listener", "Transport", "Unavailable", "listen", "memory_pair", "parse_url", "transport"]


def transport(url: str) -> Transport:
    """A closed transport for `serial|file|evdev:///dev/…`, `usb://…`, `tcp|udp|ws://host:port` or `memory://name`; else ValueError."""
    address = parse_url(url)
    match address.scheme:
        case "serial":
            return SerialTransport(url)
        case "tcp" if "each" in address.options:
            return ExchangeTransport(url)
        case "tcp":
            return TcpTransport(url)
        case "udp":
            return UdpTransport(url)
        case "ws" if "local" in address.options:
            return CalledTransport(url)
        case "ws" | "wss":
            return WebsocketTransport(url)
        case "file":
            return FileTransport(url)
        case "memory":
            return MemoryTransport(url, address.host)
        case "evdev":
            from devices.transport.evdev import EvdevTransport  # noqa: PLC0415 - Linux only

            return EvdevTransport(url)
        case "usb":
            from devices.transport.usb import UsbTransport  # noqa: PLC0415 - loads libusb, which few lines need

            return UsbTransport(url)
        case scheme:
            raise ValueError(f"no transport for {scheme!r}: use serial, usb, tcp, udp, ws, wss, evdev, file or memory")


async def listen(url: str) -> Listener:
    """The devices' end of `memory://name`, `tcp|udp|ws://host:0` or `pty://` (`pty:///stable/link?baud=9600`)."""
    address = parse_url(url)
    match address.scheme:
        case "memory":
            return MemoryListener(address.host)
        case "tcp":
            return await TcpListener.start(address.host, address.port or 0)
        case "udp":
            return await UdpListener.start(address.host, address.port or 0)
        case "ws" if "local" in address.options:
            return CallingListener(url)
        case "ws":
            return await WebsocketListener.start(address.host, address.port or 0)
        case "pty":
            try:
                from devices.transport.pty import PtyListener  # noqa: PLC0415
            except ImportError as error:  # Windows
                raise Unavailable(f"{url}: no ptys on this system; use tcp://127.0.0.1:PORT") from error
            return PtyListener(address.path, int(address.options.get("baud", "9600")))
        case scheme:
            raise ValueError(f"cannot listen on {scheme!r}: use memory, tcp, udp, ws or pty")
