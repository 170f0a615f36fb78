"""A line with the devices on it: the other end of `devices.bus`, with faults to order."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from types import TracebackType
from typing import Self

from devices.emulators.faults import LINE_FAULTS, RELISTEN_S, UNPLUGGED, Cable, Faults, set_fault
from devices.emulators.nodes import AnyNode, NodeFrame
from devices.framing.codec import AnyCodec
from devices.framing.named import Heard, Named
from devices.framing.stream import Framer, Garbage
from devices.transport import Listener, Transport, Unavailable, listen, parse_url
from devices.transport.paced import PacedListener, untold
from devices.transport.tap import Tap, TappedListener

__all__ = ["Faults", "Rs485BusEmulator"]


class Rs485BusEmulator:
    """Holds nodes behind one `listen` URL (memory://, tcp://, pty://); use it as an async context, which plugs it in.

    `tap` is told every byte that passes the devices' end. `baud`: bytes take their time, as on the real line; 0: none. `shared`
    False: wires of its own for each direction.
    """

    def __init__(
        self,
        url: str,
        nodes: Iterable[AnyNode],
        faults: Faults | None = None,
        seed: int = 0,
        tap: Tap | None = None,
        *,
        baud: int = 0,
        shared: bool = True,
    ) -> None:
        self.faults = faults or Faults()
        self.cable = Cable(self.plug, self.unplug)
        self.nodes = list(nodes)
        self.heard: deque[NodeFrame] = deque(maxlen=1000)
        """The host's last 1,000 frames."""
        self.garbage = 0
        self._listen_url = url
        self._tap = tap
        self._paced: PacedListener | None = None
        self._shared = shared
        self.baud = baud
        self._random = Random(seed)
        self._listener: Listener | None = None
        self._end: Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._babble: asyncio.Task[None] | None = None
        self._plugged = asyncio.Event()
        self._changed = asyncio.Condition()
        self._line = asyncio.Lock()
        for node in self.nodes:
            node.join(self)

    @property
    def url(self) -> str:
        """What the agent's side opens."""
        if self._listener is None:
            raise Unavailable(f"{self._listen_url} is unplugged")
        return self._listener.url

    @property
    def collisions(self) -> int:
        """How often the host spoke while a device did, since the line was plugged in."""
        return self._paced.collisions if self._paced is not None else 0

    @property
    def connected(self) -> bool:
        """Whether somebody has opened the line (a pty counts as open from the start)."""
        return self._end is not None

    async def __aenter__(self) -> Self:
        if not self.cable.pulled:
            await self.plug()
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cable.close()
        for task in (self._task, self._babble):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self.unplug()

    async def plug(self) -> None:
        """Plug the line in (again), at the same URL; a pty needs a link for that."""
        line = await listen(self._listen_url)
        if self.baud:
            line = self._paced = PacedListener(line, self.baud, self._tap or untold, shared=self._shared)
        self._listener = TappedListener(line, self._tap) if self._tap and not self.baud else line
        if parse_url(self._listen_url).scheme in ("tcp", "udp", "ws"):
            self._listen_url = self._listener.url  # the port it got stays its port
        self._plugged.set()

    async def unplug(self) -> None:
        """Pull the cable: whoever is connected loses it, and nobody can connect."""
        self._plugged.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
        if self._end is not None:
            await self._end.close()

    async def _serve(self) -> None:
        while True:
            while (listener := self._listener) is None:  # it may be pulled again before this task comes to it
                await self._plugged.wait()
            with contextlib.suppress(Unavailable):
                end = await listener.accept()
                self._end = end
                await self.notify()
                try:
                    await self._listen(end)
                finally:
                    self._end = None
                    await end.close()
            await asyncio.sleep(RELISTEN_S)

    async def _listen(self, end: Transport) -> None:
        codecs = dict.fromkeys(node.codec for node in self.nodes)
        framer: Framer[Heard] = Framer([Named(codec, grammar, "host") for codec in codecs for grammar in codec.hosts])
        while True:
            # Devices that a test adds meanwhile speak one of these codecs.
            for item in framer.feed(await end.read()):
                if isinstance(item, Garbage):
                    self.garbage += len(item.data)
                else:
                    await self._hear(item.codec, item.frame)
            await self.notify()

    async def _hear(self, codec: AnyCodec, frame: NodeFrame) -> None:
        if self._random.random() < self.faults.lossy:
            return
        self.heard.append(frame)
        address = codec.address(frame)
        there = [node for node in self.nodes if node.codec == codec and address in (None, node.address)]
        if self.faults.lose_acks and any(node.acknowledges(frame) for node in there):
            self.faults.lose_acks -= 1
            return
        for node in there:
            if not node.silent:
                await node.receive(frame)

    # Faults, while it runs.

    @property
    def fault_names(self) -> tuple[str, ...]:
        """What can go wrong on the line; each device has its own besides."""
        return (*LINE_FAULTS, UNPLUGGED)

    @property
    def fault_values(self) -> dict[str, object]:
        """How each stands now."""
        return {**{name: getattr(self.faults, name) for name in LINE_FAULTS}, UNPLUGGED: self.cable.pulled}

    async def set_fault(self, name: str, value: str) -> None:
        """One fault by its name; ValueError names the ones there are."""
        if name == UNPLUGGED:
            await self.cable.set(value)
        else:
            set_fault(self.faults, LINE_FAULTS, name, value)
        await self.notify()

    # What nodes and tests use.

    async def transmit(self, frame: NodeFrame, codec: AnyCodec) -> None:
        """Put a device's frame on the line, with the faults that are set; nobody connected: it is lost."""
        raw = codec.encode(frame)
        if (heard := self.faults.spoil(raw, self._random)) is not None:
            await self.transmit_raw(heard)

    async def transmit_raw(self, raw: bytes) -> None:
        """Put any bytes on the line, whole or in pieces as the faults say."""
        async with self._line:
            if self.faults.bytewise or self.faults.slow_ms:
                for byte in raw:
                    await self._write(bytes((byte,)))
                    await asyncio.sleep(self.faults.slow_ms / 1000)
            elif self.faults.split_ms:
                half = len(raw) // 2
                await self._write(raw[:half])
                await asyncio.sleep(self.faults.split_ms / 1000)
                await self._write(raw[half:])
            else:
                await self._write(raw)

    async def _write(self, raw: bytes) -> None:
        if self._end is not None:
            with contextlib.suppress(Unavailable):
                await self._end.write(raw)

    def babble(self, raw: bytes, every_ms: int) -> None:
        """From now on some device sends `raw` again and again, without listening; empty `raw` ends it."""
        if self._babble is not None:
            self._babble.cancel()
        self._babble = asyncio.create_task(self._chatter(raw, every_ms)) if raw else None

    async def _chatter(self, raw: bytes, every_ms: int) -> None:
        while True:
            await self.transmit_raw(raw)
            await asyncio.sleep(every_ms / 1000)

    async def notify(self) -> None:
        """Something changed that `until` may wait for."""
        async with self._changed:
            self._changed.notify_all()

    async def hang_up(self) -> None:
        """A device ends the connection; the host may open another."""
        if self._end is not None:
            await self._end.close()

    async def change(self) -> None:
        """Wait for the next `notify`."""
        async with self._changed:
            await self._changed.wait()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait until `condition` holds; TimeoutError after `timeout_s`."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)
