"""The server's side of the agents: their devices are shown what the hall says, and their presses become commands."""

# long: the other half of the agent's conversation, in its order

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog
from msgspec import structs

from queue_server.app.hub import Cause, Hub, KeyReused
from queue_server.app.keypads import Keypads, StaffName, in_hand
from queue_server.app.live import Live
from queue_server.app.pages import Pages
from queue_server.app.printing import PRINTING, PrintJobs
from queue_server.app.readings import Readings
from queue_server.app.speakers import Speakers
from queue_server.app.trials import Trials
from queue_server.app.views.devices import unheard
from queue_server.app.views.screens import Screens
from queue_server.app.views.strips import board_of, strip_of
from queue_server.app.voice import Voice
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Device
from queue_server.domain.devices import ZONE, lost_devices
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall
from queue_server.store.port import StorePort
from queue_server.wire.agent import (
    AgentWelcome,
    CardRead,
    CodeRead,
    DeviceEntry,
    DeviceHealth,
    Invite,
    KeypadPressed,
    KeypadShow,
    PressStored,
    Printed,
    RatingPressed,
    Spoke,
    Tested,
    ToAgent,
)
from queue_server.wire.common import DeviceState
from queue_server.wire.documents import DeviceDocument

log = structlog.get_logger()

RESHOW_S = 30.0
"""UX W-02: states are sent again, so that a rebooted strip heals."""

ABSENT_S = 3.0
"""An agent without a link for so long: its devices are offline (UX K-11 wants a dead printer known within 5 s). One that
restarts is back before."""

STARTED_S = 10.0
"""So long after our own start only a printer is missed: agents try again every few seconds, and their devices were not lost."""

UNTOLD_S = 60.0
"""A linked agent tells of its devices every 30 s: one it has not named for so long since the start is offline too."""

UNLINKED, UNTOLD = "agent-lost", "agent-silent"
"""What the server itself says of a device: the manager's page has a sentence for each in both languages."""

EVERYWHERE = (e.MessageSet, e.DayStarted, e.DayClosing, e.DayEnded, e.DayOpened)
"""What every strip and board shows."""


class Link(Protocol):
    """One connected agent. `offer` never blocks and is False when the agent no longer reads."""

    def offer(self, message: ToAgent) -> bool: ...


@dataclass(slots=True)
class _Live:
    links: dict[str, Link] = field(default_factory=dict)
    shown: dict[str, bytes] = field(default_factory=dict)
    absent: dict[str, float] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class Agents:
    """Owns the links; every message carries the epoch, so that a paused process is not believed when it wakes."""

    def __init__(
        self,
        hub: Hub,
        store: StorePort,
        screens: Screens,
        live: Live,
        staff_name: StaffName,
        voice: Voice,
        readings: Readings,
        pages: Pages,
    ) -> None:
        self._hub = hub
        self._around = screens.around
        self._live_views = live
        self._keypads = Keypads(hub, staff_name)
        self._state = _Live()
        self.prints = PrintJobs(hub, store, self._around.papers, self._send)
        self._speakers = Speakers(hub, voice, self._send)
        self._readings = readings
        self.trials = Trials(hub, self._around.papers, self._send, self.prints, voice, pages)
        voice.tested = lambda name, zone, outcome, reason: self.trials.ended(
            Tested(id=name, device=f"{ZONE}{zone}", outcome=outcome, reason=reason)
        )

    # --- the hall speaks ---

    async def connect(self, agent: str, link: Link) -> None:
        """A new link replaces the agent's older one; it is told its map and everything it should show."""
        self._state.links[agent] = link
        await self._hub.read(lambda hall: self._introduce(hall, agent))

    async def disconnect(self, agent: str, link: Link, *, lost: bool = False) -> None:
        """Its devices are missed from now on, unless a newer link has taken over; at once when it was `lost` in silence."""
        if self._state.links.get(agent) is link:
            del self._state.links[agent]
            for device in await self._hub.read(lambda hall: hall.configuration.device):
                if agent in self._state.links:
                    return  # it is back, while the loss of the one before was being written
                if device.agent == agent:
                    self._speakers.met(device, DeviceState.OFFLINE)
                    if lost:
                        await self._health(agent, _offline(device.id, UNLINKED))

    def _introduce(self, hall: Hall, agent: str) -> None:
        link = self._state.links.get(agent)
        if link is None:
            return
        devices = [
            DeviceEntry(
                id=device.id,
                kind=device.kind,
                url=device.url,
                address=device.address,
                profile=device.profile,
                window=device.window,
                levels=device.levels,
                settings=device.settings,
            )
            for device in hall.configuration.device
            if device.agent == agent
        ]
        epoch = self._hub.lease.epoch
        link.offer(AgentWelcome(epoch=epoch, hall=self._hub.name, agent=agent, devices=devices))
        for entry in devices:
            self._state.shown.pop(entry.id, None)
        self._show(hall, None)

    def on_published(self, hall: Hall, events: list[e.Event]) -> None:
        """Strips follow, invitations and slips go out."""
        touched: set[str] = set()
        everywhere = False
        for event in events:
            if isinstance(event, PRINTING):
                if event.printer:
                    self.prints.begin(hall, event)
                continue
            if isinstance(event, e.RatingInvited) and event.device:
                self._send(hall, event.device, self._invitation(event))
            elif isinstance(event, e.DeviceChanged):
                self._log_presence(hall, event)
            elif isinstance(event, e.DeviceTestAsked):
                self.trials.begin(hall, event)
            elif isinstance(event, e.ConfigurationApplied):
                for name in self._around.devices.keys() - hall.catalogue.device_names.keys():
                    del self._around.devices[name]  # the hall's file has it no longer; one of its name later is another
                self._speakers.set_up(hall.configuration)
                for agent in list(self._state.links):
                    self._introduce(hall, agent)
            everywhere = everywhere or isinstance(event, EVERYWHERE)
            touched.add(getattr(event, "window", ""))
        touched.discard("")
        if everywhere or touched:
            self._show(hall, None if everywhere else touched)

    def _log_presence(self, hall: Hall, event: e.DeviceChanged) -> None:
        """RULES 37: a loss and a return once each, however often the agent says so."""
        lost = event.state is DeviceState.OFFLINE
        if lost and event.device not in self._state.lost:
            self._state.lost.add(event.device)
            log.warning("device lost", device=event.device, error=event.error, losses=hall.devices[event.device].losses)
        elif not lost and event.device in self._state.lost:
            self._state.lost.discard(event.device)
            log.info("device back", device=event.device, state=str(event.state))

    def _invitation(self, event: e.RatingInvited) -> Invite:
        return Invite(epoch=self._hub.lease.epoch, device=event.device, service=event.service, for_ms=event.for_ms)

    def _send(self, hall: Hall, device: str, message: ToAgent) -> bool:
        entry = hall.catalogue.devices.get(device)
        link = self._state.links.get(entry.agent) if entry else None
        return link is not None and link.offer(message)

    def _show(self, hall: Hall, windows: set[str] | None) -> None:
        """Strips of the windows (all when None), and the boards, where they changed."""
        for device in hall.configuration.device:
            if device.kind == "strip" and (windows is None or device.window in windows):
                message: ToAgent = strip_of(hall, self._hub.lease.epoch, device.id, device.window)
            elif device.kind == "board":
                message = board_of(hall, self._hub.lease.epoch, device.id, device.settings.get("zone", ""))
            elif device.kind == "keypad" and windows is None:
                message = KeypadShow(epoch=self._hub.lease.epoch, device=device.id, show="")
            else:
                continue
            encoded = msgspec.json.encode(message)
            if self._state.shown.get(device.id) != encoded and self._send(hall, device.id, message):
                self._state.shown[device.id] = encoded

    async def _show_in_hand(self, keypads: list[str]) -> None:
        """Where a question stood, also on cells that are to be blank: an empty text would leave it there."""

        def show(hall: Hall) -> None:
            for device in keypads:
                if entry := hall.catalogue.devices.get(device):
                    number = in_hand(hall, entry.window) or " "
                    self._send(hall, device, KeypadShow(epoch=self._hub.lease.epoch, device=device, show=number))

        if keypads:
            await self._hub.read(show)

    # --- the devices speak ---

    async def received(self, agent: str, link: Link, message: object) -> None:
        """One message of an agent; unknown devices are refused and logged."""
        match message:
            case KeypadPressed():
                window = await self._window_of(agent, message.device)
                link.offer(await self._keypads.answer(agent, window, message))
            case RatingPressed():
                await self._press(agent, link, message)
            case Printed():
                await self.prints.end(message)
            case DeviceHealth():
                await self._health(agent, message)
            case CardRead() | CodeRead():
                await self._readings.heard(agent, link.offer, message)
            case Spoke() if await self._window_of(agent, message.device) is not None:
                await self._speakers.told(message)
            case Tested() if await self._window_of(agent, message.device) is not None:
                self.trials.ended(message)
            case _:
                log.warning("unexpected message", agent=agent, kind=type(message).__name__)

    async def _window_of(self, agent: str, device: str) -> str | None:
        def look(hall: Hall) -> str | None:
            entry = hall.catalogue.devices.get(device)
            return entry.window if entry is not None and entry.agent == agent else None

        return await self._hub.read(look)

    async def _press(self, agent: str, link: Link, pressed: RatingPressed) -> None:
        """Exactly once by the press's id; one that no service can take is acknowledged too, and logged."""
        window = await self._window_of(agent, pressed.device)
        if window is None:
            log.warning("press of an unknown device", agent=agent, device=pressed.device)
            return
        command = c.PressRating(
            id=pressed.id,
            window=window,
            device=pressed.device,
            level=pressed.level,
            pressed_at=self._hub.clock.now() - max(0, pressed.age_ms),
        )
        cause = Cause(f"citizen@{pressed.device}", f"agent:{agent}", pressed.id, f"{pressed.device}:{pressed.level}")
        try:
            await self._hub.ask(command, cause, lambda _hall, _decision: (200, b""))
        except Unavailable:
            return
        except (Rejected, KeyReused) as refusal:
            log.info("press not counted", device=pressed.device, reason=getattr(refusal, "code", "key-reused"))
        link.offer(PressStored(epoch=self._hub.lease.epoch, id=pressed.id))

    async def _health(self, agent: str, health: DeviceHealth) -> None:
        def look(hall: Hall) -> DeviceDocument | None:
            entry = hall.catalogue.devices.get(health.device)
            if entry is None or entry.agent != agent:
                return None
            self._speakers.met(entry, health.state)
            now = self._hub.clock.now()
            seen, sent = (None if age is None else now - age for age in (health.last_seen_ms, health.last_sent_ms))
            before = self._around.devices.get(entry.id)
            return structs.replace(
                unheard(hall, entry),
                state=health.state,
                last_seen=before.last_seen if before is not None and seen is None else seen,
                last_sent=before.last_sent if before is not None and sent is None else sent,
                last_error=health.last_error,
                printer=health.printer,
                counters=health.counters or (before.counters if before is not None else {}),
            )

        document = await self._hub.read(look)
        if document is None:
            return
        self._around.devices[health.device] = document
        command = c.ReportDevice(
            device=health.device, state=health.state, printer=health.printer, error=health.last_error
        )
        await self._hub.tell(command, f"agent:{agent}")
        self._live_views.touch([("manager", "")])

    async def run(self) -> None:
        """Send states again, end the jobs nobody answered for, and miss the agents that are not there."""
        reshow_at, started = 0.0, asyncio.get_running_loop().time()
        self._state.lost = set(await self._hub.read(lost_devices))
        while not self._hub.stopped.is_set():
            await self._hub.rest(1.0)
            time = asyncio.get_running_loop().time()
            try:
                self._readings.end_late(time)
                await self._show_in_hand(self._keypads.end_late())
                await self.prints.end_late(time)
                await self.trials.record(time)
                await self._miss(time, starting=time - started < STARTED_S)
                if time >= reshow_at:
                    reshow_at = time + RESHOW_S
                    self._state.shown.clear()
                    await self._hub.read(lambda hall: self._show(hall, None))
            except Unavailable as error:
                log.warning("agents wait", reason=str(error))

    async def _miss(self, time: float, *, starting: bool) -> None:
        """A device of the hall's file is offline when its agent is not there, or does not tell of it (RULES 37).

        While the server is `starting` agents are still on their way back; only a printer is missed, for a tap waits for no one.
        """

        def look(hall: Hall) -> list[Device]:
            gone = lost_devices(hall)
            return [
                device
                for device in hall.configuration.device
                if device.id not in self._around.devices
                or (device.agent not in self._state.links and device.id not in gone)
            ]

        missing = await self._hub.read(look)
        self._state.absent = {device.id: self._state.absent.get(device.id, time) for device in missing}
        for device in missing:
            if starting and device.kind != "printer":
                continue
            linked = device.agent in self._state.links
            if time - self._state.absent[device.id] >= (UNTOLD_S if linked else ABSENT_S):
                why = UNTOLD if linked else UNLINKED
                await self._health(device.agent, _offline(device.id, why))


def _offline(device: str, why: str) -> DeviceHealth:
    return DeviceHealth(
        device=device, state=DeviceState.OFFLINE, last_seen_ms=None, last_error=why, printer=None, counters={}
    )
