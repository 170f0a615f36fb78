"""The agent: one process a PC that owns its devices and talks with the server over one websocket."""

# long: the one conversation, read from its beginning to its end

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

import msgspec
import structlog
import websockets
from websockets.asyncio.client import ClientConnection, connect

from devices.devicemap import Calls, PrinterMaker
from devices.drivers.keypad import Keypad
from devices.drivers.printer import NotLaidOut
from devices.drivers.rating import RatingPad
from devices.drivers.speaker import Speaker
from devices.drivers.strip import Strip
from devices.healths import Healths
from devices.lines import Lines
from devices.mistakes import CELLS, SERVER_LOST, TEXT, Mistakes
from devices.presses import PressStore
from devices.protocols.keypad import KeyAction
from devices.protocols.paged import Page
from devices.readings import Readings
from devices.transport import Unavailable
from devices.trials import Trials
from queue_server.wire.agent import (
    AgentHeartbeat,
    AgentHello,
    AgentWelcome,
    DeviceEntry,
    DeviceHealth,
    FromAgent,
    Invite,
    KeypadAnswered,
    KeypadPressed,
    KeypadShow,
    PressStored,
    Printed,
    PrintJob,
    RatingPressed,
    ReadingEnded,
    ShowStrip,
    Speak,
    Spoke,
    TestDevice,
    Tested,
    ToAgent,
)
from queue_server.wire.common import DeviceState

T = TypeVar("T")

KEYPAD_AGE_LIMIT_MS: Final = 3_000
OUTBOX_LIMIT: Final = 1_000
"""Messages that may wait for a server that reads slowly; one more and the connection is dropped and begun anew."""
PENDING_LIMIT: Final = 256
JOBS_REMEMBERED: Final = 200
"""Papers and phrases whose outcome is told again after each welcome: the connection may have died with the first telling."""
DONE: Final = frozenset(("printed", "spoken", "done", "sent"))
"""Outcomes of an order that was carried out, as far as its device says."""
MESSAGE_LIMIT_BYTES: Final = 4 * 1024 * 1024

_log = structlog.get_logger("devices.agent")
_decoder = msgspec.json.Decoder(ToAgent)
_map_decoder = msgspec.json.Decoder(AgentWelcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """`server` is the websocket's URL (ws://host:port/api/v1/agent), `state` the file for presses and the map."""

    server: str
    token: str
    state: Path
    agent: str
    build: str = "0.1.0"
    retry_first_s: float = 0.2
    retry_limit_s: float = 5.0
    silence_s: float = 5.0
    """Without a message (the server sends a heartbeat every second) for this long the connection is given up."""
    health_s: float = 30.0
    press_retry_s: float = 5.0


Render = Callable[[ShowStrip, DeviceEntry], Sequence[Page]]
"""`Malformed` (displays.errors) names a setting that makes no sense; its sentence is told."""
_Order = PrintJob | Speak | TestDevice
_Outcome = Printed | Spoke | Tested


class Agent:
    """`run` lives until cancelled. `render` turns a strip's meaning into pages, `make_printer` builds ticket printers."""

    def __init__(self, settings: AgentSettings, render: Render, make_printer: PrinterMaker) -> None:
        self._settings = settings
        self._render = render
        self._make_printer = make_printer
        self._presses = PressStore(settings.state)
        self._outbox: asyncio.Queue[FromAgent | _Aged] | None = None
        self._stalled = asyncio.Event()
        self._asked: OrderedDict[str, tuple[Keypad, int]] = OrderedDict()
        self._readings = Readings(lambda message: self._tell(_Aged(message)))
        self._jobs: OrderedDict[str, _Outcome | None] = OrderedDict()
        self._meant: dict[str, ShowStrip] = {}
        self.counters: Counter[str] = Counter()
        self._mistakes = Mistakes(lambda device: self._lines.health(device), self.counters)  # noqa: PLW0108 - no lines yet
        self._trials = Trials(self._show, self._mistakes)
        self._healths = Healths(lambda: [*self._lines.drivers, *self._lines.printers], self._tell)
        self._random = random.Random()
        self._epoch = 0
        self._group: asyncio.TaskGroup
        self._lines: Lines

    @property
    def connected(self) -> bool:
        """Whether the server has welcomed us on the present connection."""
        return self._outbox is not None

    async def run(self) -> None:
        """Own the devices and talk with the server until cancelled; starts with the last map it was given."""
        async with self._presses, asyncio.TaskGroup() as self._group:
            said = (self._pressed, self._rated, self._healths.changed, self._make_printer)
            self._lines = Lines(self._group, Calls(*said, card=self._readings.card, code=self._readings.code))
            await self._start_with_saved_map()
            delay_s = self._settings.retry_first_s
            while True:
                if await self._talk():
                    delay_s = self._settings.retry_first_s
                await asyncio.sleep(delay_s * self._random.uniform(0.5, 1.5))
                delay_s = min(2 * delay_s, self._settings.retry_limit_s)

    async def _start_with_saved_map(self) -> None:
        try:
            if saved := await self._presses.load_map():
                await self._lines.apply(_map_decoder.decode(saved).devices)
        except (Unavailable, msgspec.MsgspecError) as error:
            # Keypads and strips need no disk: the server's welcome brings the map, health tells about the presses.
            _log.error("saved_map_unreadable", error=str(error))

    # The conversation.

    async def _talk(self) -> bool:
        """One connection, from hello to its end; whether the server welcomed us."""
        headers = {"Authorization": f"Bearer {self._settings.token}"}
        welcomed = False
        try:
            async with connect(
                self._settings.server,
                additional_headers=headers,
                max_size=MESSAGE_LIMIT_BYTES,
                open_timeout=self._settings.silence_s,
                close_timeout=1,
                user_agent_header="yichuang-agent",
                proxy=None,  # the server is in the hall
            ) as socket:
                await socket.send(_text(AgentHello(agent=self._settings.agent, build=self._settings.build)))
                await self._converse(socket)
        except* (OSError, TimeoutError, websockets.WebSocketException) as errors:
            if self.connected or not self.counters["failures"]:
                _log.warning("server_lost", server=self._settings.server, error=_first(errors))
            self.counters["failures"] += 1
        finally:
            welcomed = self.connected
            self._outbox = None
            self._asked.clear()
            self._readings.server_lost()
            for driver in self._lines.drivers:
                if isinstance(driver, Keypad):
                    with self._mistakes.end(driver.device, SERVER_LOST):
                        driver.server_lost()
        return welcomed

    async def _converse(self, socket: ClientConnection) -> None:
        self._stalled.clear()
        async with asyncio.TaskGroup() as group:
            writer: asyncio.Task[None] | None = None
            while True:
                async with asyncio.timeout(self._settings.silence_s):
                    text = await socket.recv()
                message = self._understand(text)
                if message is None:
                    continue
                if isinstance(message, AgentWelcome):
                    await self._welcome(message)
                    if writer is None:
                        self._outbox = asyncio.Queue(OUTBOX_LIMIT)
                        writer = group.create_task(self._send(socket, self._outbox))
                        group.create_task(self._repeat_presses())
                        group.create_task(self._repeat_health())
                        group.create_task(self._give_up_when_stalled())
                    self._tell_all()
                    self._tell_outcomes()
                elif writer is not None:
                    await self._obey(message)

    def _understand(self, text: str | bytes) -> ToAgent | None:
        try:
            message: ToAgent = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.counters["malformed"] += 1
            _log.warning("server_message_malformed", error=str(error))
            return None
        if message.epoch < self._epoch:
            self.counters["stale_epoch"] += 1
            raise ConnectionError(f"the server has epoch {message.epoch}, another one had {self._epoch}")
        self._epoch = message.epoch
        return message

    async def _send(self, socket: ClientConnection, outbox: asyncio.Queue[FromAgent | _Aged]) -> None:
        while True:
            item = await outbox.get()
            message = item.now() if isinstance(item, _Aged) else item
            if message is None:
                continue
            await socket.send(_text(message))

    def _tell(self, message: FromAgent | _Aged) -> bool:
        """Queue a message; False when there is no server. A full queue ends the connection: it has stalled."""
        if self._outbox is None:
            return False
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._stalled.set()
            return False
        return True

    async def _give_up_when_stalled(self) -> None:
        await self._stalled.wait()
        self.counters["stalled"] += 1
        raise ConnectionError("the server reads too slowly")

    async def _repeat_presses(self) -> None:
        while True:
            for press in await self._disk(self._presses.waiting()) or ():
                self._tell(RatingPressed(id=press.id, device=press.device, level=press.level, age_ms=press.age_ms))
            await asyncio.sleep(self._settings.press_retry_s)

    async def _disk(self, work: Coroutine[Any, Any, T]) -> T | None:
        """A disk that fails must not take the keypads with it: presses stay unacknowledged, and that shows."""
        try:
            return await work
        except Unavailable as error:
            if not self.counters["disk_failures"]:
                _log.error("press_store_failed", error=str(error))
            self.counters["disk_failures"] += 1
            return None

    async def _repeat_health(self) -> None:
        while True:
            await asyncio.sleep(self._settings.health_s)
            self._tell_all()

    def _tell_all(self) -> None:
        self._healths.tell_all()
        for device_id, reason in self._lines.wrong.items():
            offline = DeviceState.OFFLINE
            self._tell(
                DeviceHealth(
                    device=device_id, state=offline, last_seen_ms=None, last_error=reason, printer=None, counters={}
                )
            )

    def _tell_outcomes(self) -> None:
        for outcome in self._jobs.values():
            if outcome is not None:
                self._tell(outcome)

    # What the server says.

    async def _welcome(self, message: AgentWelcome) -> None:
        _log.info("server_welcome", server=self._settings.server, hall=message.hall, devices=len(message.devices))
        await self._disk(self._presses.save_map(msgspec.json.encode(message)))
        await self._lines.apply(message.devices)

    async def _obey(self, message: ToAgent) -> None:
        asked = _asked(message)
        match message:
            case KeypadAnswered():
                if pressed := self._asked.pop(message.id, None):
                    keypad, token = pressed
                    proves = (SERVER_LOST, CELLS) if message.ok and message.show else (SERVER_LOST,)
                    with self._mistakes.end(keypad.device, asked, *proves):
                        keypad.answer(token, ok=message.ok, show=message.show)
            case PressStored():
                with self._mistakes.end("", asked):
                    await self._disk(self._presses.forget(message.id))
            case ReadingEnded():
                with self._mistakes.end("", asked):
                    self._readings.ended(message)
            case ShowStrip():
                before = self._meant.get(message.device)
                self._meant[message.device] = message
                # What stood there when the agent came is no new call.
                self._show(message.device, flash=before is not None and message.call not in ("", before.call))
            case Invite():
                if isinstance(pad := self._lines.driver(message.device), RatingPad):
                    with self._mistakes.end(pad.device, asked):
                        self._trials.invited(pad.device)
                        pad.invite(message.for_ms)
            case KeypadShow():
                shown = self._lines.driver(message.device)
                if isinstance(shown, Keypad) and message.show:  # empty says nothing, it does not blank the cells
                    with self._mistakes.end(shown.device, asked, SERVER_LOST):
                        shown.show(message.show)
            case PrintJob():
                self._once(message.job, message, self._print(message))
            case Speak():
                self._once(message.job, message, self._speak(message))
            case TestDevice():
                self._once(message.id, message, self._trials.carry_out(message, self._lines))
            case AgentWelcome() | AgentHeartbeat():
                pass
            case _:
                assert_never(message)

    def _show(self, device: str, *, flash: bool = False) -> None:
        """What the hall last said that a strip or board means; nothing, when it has said nothing or that cannot be shown."""
        driver = self._lines.driver(device)
        if not isinstance(driver, Strip):
            return
        meant = self._meant.get(device)
        with self._mistakes.end(device, TEXT):
            try:
                pages = self._render(meant, driver.laid_out(self._lines.entries[device])) if meant is not None else ()
                driver.show(pages, flash=flash)
            except Exception:
                driver.show(())  # an earlier call would invite somebody whom nobody expects
                raise

    def _once(self, job: str, order: _Order, work: Coroutine[Any, Any, _Outcome]) -> None:
        """A paper is printed, a phrase said at most once (law 7); only its outcome may be told again."""
        if job in self._jobs:
            work.close()
            if outcome := self._jobs[job]:
                self._tell(outcome)
            return
        self._jobs[job] = None
        if len(self._jobs) > JOBS_REMEMBERED:
            self._jobs.popitem(last=False)
        self._group.create_task(self._do(job, order, work))

    async def _do(self, job: str, order: _Order, work: Coroutine[Any, Any, _Outcome]) -> None:
        try:
            outcome = await work
        except Exception as error:  # ends this order, and not the agent
            reason = self._mistakes.tell(order.device, _asked(order), error)
            outcome = _undone(order, reason, begun=not isinstance(error, NotLaidOut))
        else:
            if _said(outcome) in DONE:
                self._mistakes.worked(order.device, _asked(order))
        if job in self._jobs:
            self._jobs[job] = outcome
        self._tell(outcome)

    async def _print(self, job: PrintJob) -> Printed:
        printer = self._lines.printer(job.device)
        if printer is None:
            outcome, reason = "failed", f"no printer {job.device} at this agent"
        else:
            outcome, reason = await printer.print(bytes(job.paper), job.expires_in_ms)
        return Printed(job=job.job, outcome=outcome, reason=reason)

    async def _speak(self, job: Speak) -> Spoke:
        def told(state: str, reason: str = "") -> Spoke:
            return Spoke(job=job.job, device=job.device, state=state, reason=reason)

        speaker = self._lines.driver(job.device)
        if not isinstance(speaker, Speaker):
            return told("failed", f"no voice module {job.device} at this agent")
        return told(
            *await speaker.say(
                job.tokens,
                job.volume,
                job.expires_in_ms,
                follows=job.follows,
                started=lambda: self._tell(told("started")),
            )
        )

    # What devices say.

    def _pressed(self, keypad: Keypad, action: KeyAction) -> None:
        press = uuid.uuid4().hex
        loop = asyncio.get_running_loop()
        at = loop.time()

        def message() -> FromAgent | None:
            age_ms = int((loop.time() - at) * 1000)
            if age_ms > KEYPAD_AGE_LIMIT_MS:
                return None  # law 8: the keypad has shown failure already
            key = str(action.action)
            return KeypadPressed(id=press, device=keypad.device, action=key, digits=action.digits, age_ms=age_ms)

        self._asked[press] = (keypad, action.token)
        if len(self._asked) > PENDING_LIMIT:
            self._asked.popitem(last=False)
        if not self._tell(_Aged(message)):
            del self._asked[press]
            keypad.answer(action.token, ok=False)

    async def _rated(self, pad: RatingPad, level: int, age_ms: int) -> None:
        if not age_ms and self._trials.pressed(pad.device, level):  # an older press is no answer to a test of now
            return
        press = await self._presses.keep(pad.device, level, age_ms)
        self._tell(RatingPressed(id=press.id, device=press.device, level=press.level, age_ms=press.age_ms))


@dataclass(frozen=True, slots=True)
class _Aged:
    """A message whose age is told when it leaves; None when it is too old to be worth it."""

    now: Callable[[], FromAgent | None]


def _asked(message: ToAgent) -> str:
    """What a message asks for, by its name on the wire."""
    return str(message.__struct_config__.tag)


def _undone(order: _Order, reason: str, *, begun: bool) -> _Outcome:
    """The end of an order that broke: once its driver had begun, nobody knows whether paper or sound came of it (law 7)."""
    outcome = "unknown" if begun else "failed"
    match order:
        case PrintJob():
            return Printed(job=order.job, outcome=outcome, reason=reason)
        case Speak():
            return Spoke(job=order.job, device=order.device, state=outcome, reason=reason)
        case TestDevice():
            return Tested(id=order.id, device=order.device, outcome=outcome, reason=reason)
        case _:
            assert_never(order)


def _said(outcome: _Outcome) -> str:
    return outcome.state if isinstance(outcome, Spoke) else outcome.outcome


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else str(error) or type(error).__name__


def _text(message: FromAgent) -> str:
    return msgspec.json.encode(message).decode()
