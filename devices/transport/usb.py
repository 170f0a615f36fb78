"""Bytes over the bulk or interrupt endpoints of one interface of a USB device."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Unavailable, parse_url
from devices.transport.reports import Reports
from devices.transport.usbclaim import UsbClaim, UsbParts
from devices.transport.usbdevices import usb_name

OPEN_S: Final = 5.0
"""A device that takes longer to be opened is given up; reading descriptors takes milliseconds."""
CLOSE_S: Final = 2.0
_OPTIONS: Final = frozenset(("at", "interface", "in", "out", "report", "id"))


class UsbTransport:
    """`usb://VID:PID[:SERIAL][?at=1-2.4&interface=0&in=81&out=02&report=padded&id=01]`; numbers are hex.

    The device is looked up at each opening: it may come back at another bus, and under another number there. libusb blocks, so
    one thread reads and one writes, each for at most `SLICE_MS` at a time; the loop never waits for the device.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        if unknown := set(address.options) - _OPTIONS:
            raise ValueError(f"unknown USB option {sorted(unknown)[0]!r} in {url!r}: {', '.join(sorted(_OPTIONS))}")
        if address.path:
            raise ValueError(f"a USB URL has no path: usb://VID:PID, not {url!r}")
        numbers = {}
        for name in ("interface", "in", "out", "id"):
            if name in address.options:
                try:
                    numbers[name] = int(address.options[name], 16)
                except ValueError:
                    raise ValueError(f"{name} is a hex number, not {address.options[name]!r}") from None
        self._url = url
        self._name = usb_name(address)
        self._parts = UsbParts(numbers.get("interface"), numbers.get("in"), numbers.get("out"))
        report = address.options.get("report")
        self._reports = (
            None if report is None and "id" not in numbers else Reports(report or "padded", numbers.get("id"))
        )
        self.counters: Counter[str] = Counter()
        """`stalls`, `oversized` (more than a report holds) and `dropped` (another report, or shorter than it says)."""
        self._claim: UsbClaim | None = None
        self._threads: tuple[ThreadPoolExecutor, ThreadPoolExecutor] | None = None
        self._reading: asyncio.Future[bytes] | None = None
        self._stuck: Future[None] | None = None
        self._rest = b""

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        if self._stuck is not None and not self._stuck.done():
            # Another thread would hang on the same device: one is enough.
            raise Unavailable(f"usb {self._name} does not let go of its last call")
        self._threads = (ThreadPoolExecutor(1, "usb-read"), ThreadPoolExecutor(1, "usb-write"))
        opening = self._threads[1].submit(UsbClaim.open, self._name, self._parts, self._reports, self.counters)
        try:
            async with asyncio.timeout(OPEN_S):
                self._claim = await asyncio.wrap_future(opening)
        except BaseException as error:
            self._stuck = self._threads[1].submit(_give_back, opening)  # it may yet succeed, and nobody would use it
            self._end_threads()
            if isinstance(error, TimeoutError):
                raise Unavailable(f"usb {self._name} does not answer") from error
            raise

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        while not self._rest:
            claim, threads = self._claim, self._threads
            if claim is None or threads is None:
                raise Unavailable(f"{self._url} is not open")
            if self._reading is None:
                self._reading = asyncio.wrap_future(threads[0].submit(claim.read))
            reading = self._reading
            # A caller that gives up leaves the reading to the next one: no byte is lost between the two.
            await asyncio.wait((reading,))
            if self._reading is not reading:
                raise Unavailable(f"{self._url} is closed")
            self._reading = None
            self._rest = reading.result()
        data, self._rest = self._rest[:limit_bytes], self._rest[limit_bytes:]
        return data

    async def write(self, data: bytes) -> None:
        claim, threads = self._claim, self._threads
        if claim is None or threads is None:
            raise Unavailable(f"{self._url} is not open")
        if not data:
            return
        cancelled = threading.Event()
        writing = asyncio.wrap_future(threads[1].submit(claim.write, data, cancelled))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            cancelled.set()  # what is not on the line yet stays away from it
            writing.add_done_callback(_forget)
            raise

    async def close(self) -> None:
        claim, reading = self._claim, self._reading
        self._claim, self._reading, self._rest = None, None, b""
        threads = self._threads
        if claim is None or threads is None:
            return
        claim.stop()
        # The writer's thread gives the device back once its own call has ended; the reader's has seen `stop` by then.
        releasing = threads[1].submit(claim.release)
        self._stuck = releasing
        self._end_threads()
        if reading is not None:
            reading.add_done_callback(_forget)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.wait((asyncio.wrap_future(releasing),))

    def _end_threads(self) -> None:
        """They end with their last call."""
        threads, self._threads = self._threads, None
        for thread in threads or ():
            thread.shutdown(wait=False)


def _give_back(opening: Future[UsbClaim]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().release()


def _forget(done: asyncio.Future[bytes] | asyncio.Future[None]) -> None:
    if not done.cancelled():
        done.exception()
