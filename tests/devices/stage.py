"""Each driver at one end of a wire and its emulated device at the other, used as a hall uses it; for the tests beside it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from devices.bus import Bus
from devices.devicemap import Calls, make_bus, plan
from devices.drivers.printer import TicketPrinter, printer_settings
from devices.emulators.nodes import AnyNode, EmulatedKeypad
from devices.emulators.printer import EmulatedPrinter, Model
from devices.emulators.rs485 import Rs485BusEmulator
from devices.profiles import PROFILES
from devices.protocols.keymaps import Key
from devices.transport import Unavailable, transport
from displays.receipts import TicketPaper, decode_paper, encode_paper, printer_profile
from displays.receipts.papers import paper_bytes
from queue_server.wire.agent import DeviceEntry
from tests.devices.wire import Pass, Wire, Write

PATIENCE_S: Final = 120.0
"""Of a hall whose time is its own; nothing here may take so long."""
PATIENT: Final = 40
"""How often a device repeats a press that nobody acknowledges."""
LIES: Final = "a length that lies"
UNSAID: Final = frozenset(("lost", "repeated", "wrong bits", "late", "very late"))
"""Of frames that a device sends."""
_names = itertools.count()


async def soon(condition: Callable[[], object]) -> None:
    """Wait until `condition` is true; TimeoutError otherwise."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - conditions of many objects
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One driver. `use(stage, n)` has it do its work for the n-th time, as its people do who try again when nothing happens.

    `told(stage)`: what came of that, each n once. `well`: its state when all is well; `silent`: how it stands when the device
    has said nothing for a while, None where silence is its nature. `lie`: the head of a frame that promises more bytes than come,
    empty where nothing tells a length.
    `others`: a whole frame of its protocol from a device at another address. `exempt`: faults that cannot be, and why.
    `node`: what its emulated device is given.
    `unsure`: faults under which what is under way may end as unknown and undone: nobody can know, and law 7 says at most once.
    """

    name: str = ""
    profile: str
    kind: str
    use: Callable[[Stage, int], Coroutine[Any, Any, None]]
    told: Callable[[Stage], list[int]]
    address: int = 0
    well: str = "online"
    silent: str | None = "offline"
    lie: str = ""
    others: str = ""
    exempt: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    node: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=lambda: {str(level): level for level in range(1, 6)})

    @property
    def impossible(self) -> frozenset[str]:
        """Faults that it cannot have: those named, and of what it never says."""
        return (
            frozenset(self.exempt) | (UNSAID if self.one_way else frozenset()) | (frozenset() if self.lie else {LIES})
        )

    @property
    def one_way(self) -> bool:
        """Whether the device never says anything."""
        return self.profile != "escpos" and not PROFILES[self.profile].codec.from_device

    def entry(self, url: str) -> DeviceEntry:
        levels = dict(self.levels) if self.kind == "rating_pad" else {}
        return DeviceEntry(
            id="it", kind=self.kind, url=url, address=self.address, profile=self.profile, window="1", levels=levels,
            settings=dict(self.settings),
        )  # fmt: skip


class Stage:
    """The device behind its wire, a keypad of FF68 on the same line (on one of its own where the two cannot share), the agent's end."""

    def __init__(self, row: Row, url: str = "", *, instead: Sequence[AnyNode] | EmulatedPrinter | None = None) -> None:
        self.row = row
        self.wire = Wire(url)
        self.node: Any = None
        self.driver: Any
        self.beside = EmulatedKeypad(9)
        self.beside.tries = PATIENT
        self.buses: list[Bus] = []
        self.healths: list[str] = []
        self.actions: list[tuple[str, str]] = []
        self.levels: list[int] = []
        self.ages_ms: list[int] = []
        self.disk_full = False
        self.cards: list[str] = []
        self.codes: list[str] = []
        self.outcomes: list[str] = []
        self._instead = instead
        self._pressed = 0
        self._tasks: list[asyncio.Task[None]] = []
        keypad = self._keypad(self.wire.url)
        self.shared = row.kind != "printer" and "k9" not in plan([row.entry(self.wire.url), keypad]).wrong

    @staticmethod
    def _keypad(url: str) -> DeviceEntry:
        return DeviceEntry(
            id="k9", kind="keypad", url=url, address=9, profile="hallquefront", window="9", levels={}, settings={}
        )  # fmt: skip

    def _calls(self) -> Calls:
        def pressed(keypad: Any, action: Any) -> None:
            self.actions.append((keypad.device, action.digits))
            keypad.answer(action.token, ok=True, show=action.digits)

        async def rated(_: Any, level: int, age_ms: int) -> None:
            if self.disk_full:
                raise Unavailable("no space left")
            self.levels.append(level)
            self.ages_ms.append(age_ms)

        def changed(device: Any) -> None:
            if device.device == "it":
                self.healths.append(str(device.health.state))

        return Calls(
            pressed, rated, changed, lambda entry, changed: None,  # type: ignore[arg-type, return-value]
            lambda _, card: self.cards.append(card.name if card else "?"), lambda _, text: self.codes.append(text),
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            own = f"memory://beside{next(_names)}"
            there = self._there()
            await stack.enter_async_context(there)
            self.wire.far = there.url
            await stack.enter_async_context(self.wire)
            if not self.shared:
                await stack.enter_async_context(Rs485BusEmulator(own, [self.beside]))
            self._start(own)
            stack.push_async_callback(self._stop)
            await soon(lambda: self.wire.connected and all(bus.up for bus in self.buses))
            yield
            for task in self._tasks:
                assert not task.done(), task  # what was heard has ended nobody's work

    def _there(self) -> Rs485BusEmulator | EmulatedPrinter:
        """What stands at the far end: its own device, unless others were put there instead."""
        url = f"memory://far{next(_names)}"
        if isinstance(self._instead, EmulatedPrinter):
            return self._instead
        if self._instead is None and self.row.kind == "printer":
            printer = self.node = EmulatedPrinter(url, Model(full_status="full_status" in self.row.settings))
            return printer
        if self._instead is None:
            self.node = PROFILES[self.row.profile].emulate(self.row.address)
            if getattr(self.node, "tries", 0):
                self.node.tries = PATIENT
            for name, value in self.row.node.items():
                setattr(self.node, name, value)
        nodes = [self.node] if self._instead is None else [*self._instead]
        return Rs485BusEmulator(url, [*nodes, self.beside] if self.shared else nodes)

    def _start(self, own: str) -> None:
        calls, keypad = self._calls(), self._keypad(self.wire.url if self.shared else own)
        if self.row.kind == "printer":
            settings = printer_settings(dict(self.row.settings))
            self.driver = TicketPrinter("it", transport(self.wire.url), _lay_out, calls.health_changed, settings)
            self._tasks.append(asyncio.create_task(self.driver.run()))
        else:
            together = (keypad,) if self.shared else ()
            self.buses.append(make_bus((self.row.entry(self.wire.url), *together), calls))
            self.driver = self.buses[0].drivers[0]
        if not self.shared:
            self.buses.append(make_bus((keypad,), calls))
        self._tasks += [asyncio.create_task(bus.run()) for bus in self.buses]

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def press_beside(self) -> None:
        """The clerk at the keypad beside it calls; each call is heard once, and shown."""
        self._pressed += 1
        number = str(100 + self._pressed)
        assert await self.beside.press(Key.CALL, number)
        await soon(lambda: self.beside.cells.strip() == number)
        assert [digits for device, digits in self.actions if device == "k9"] == [
            str(100 + each) for each in range(1, self._pressed + 1)
        ]

    @property
    def heard(self) -> tuple[list[Any], ...]:
        """What people did at the device as the hall was told: keys, levels, cards, codes."""
        return [digits for device, digits in self.actions if device == "it"], self.levels, self.cards, self.codes

    def go_silent(self, on: bool) -> None:
        """It neither hears nor says anything, or does again."""
        if isinstance(self.node, EmulatedPrinter):
            self.node.model.mute = on
        else:
            self.node.silent = on

    def answered_by(self, other: bytes) -> Pass:
        """A device at another address answers whatever is said."""

        async def passed(frame: bytes, write: Write) -> None:
            await write(frame)
            await self.wire.say(other)

        return passed

    async def ask_of_a_stranger(self) -> None:
        """What the hall wants of the device that is not there; what comes of it is in `outcomes`."""
        match self.row.kind:
            case "speaker":
                await asyncio.sleep(5)
                self.outcomes.append((await self.driver.say([*"请A零零一号到零号", "窗口"], 80, 20_000))[0])
            case "printer":
                await asyncio.sleep(5)
                self.outcomes.append((await self.driver.print(a_ticket(1), 20_000))[0])
            case "strip":
                self.driver.show([[("A001", "red")]])
            case "rating_pad":
                self.driver.invite(60_000)
            case _:
                pass

    async def wait_for(self, use: asyncio.Task[None]) -> None:
        """Until a use has ended, one way or the other."""
        with contextlib.suppress(AssertionError):
            await use

    @property
    def told(self) -> list[int]:
        """What the hall was told or has seen of it: the n of each use, in turn."""
        return self.row.told(self)

    async def is_well(self) -> None:
        await soon(lambda: self.driver.health.state == self.row.well)


def a_ticket(n: int) -> bytes:
    """The paper of the number A00n."""
    return encode_paper(
        TicketPaper(
            hall="云水区政务服务中心", number=f"A{n:03}", matters=("居民身份证补领",), ahead=5, wait_low_min=15, wait_high_min=25,
            taken_at="2026-11-23 10:32", url="http://192.0.2.10/t/x",
        )
    )  # fmt: skip


def _lay_out(paper: bytes) -> bytes:
    return paper_bytes(decode_paper(paper), printer_profile("80mm"))
