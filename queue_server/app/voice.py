"""Who speaks: one queue and one player a sound zone, every call claimed durably before it sounds (UX V-01…V-11)."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from displays.errors import Malformed
from displays.errors import Unavailable as NoPack
from displays.speech.assemble import announcement_wav
from displays.speech.pack import Pack, load_pack
from displays.speech.phrases import VoicePolicy
from displays.speech.queue import Announcement, Dropped, SpeechQueue
from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.texts import words
from queue_server.app.views.screens import Surroundings
from queue_server.app.views.tickets import plate_of
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.model import Hall
from queue_server.store.port import Claim, Settled, StoreError, StorePort
from queue_server.wire.common import Words
from queue_server.wire.documents import AlarmDocument, SpeechDocument, Spoken
from queue_server.wire.frames import text_frame
from queue_server.wire.live import Play

log = structlog.get_logger()

EXPIRES_MS = 45_000
"""UX V-05: a call that has not sounded by then is dropped, with an alarm."""

STEP_S = 0.1
FILES_MAX = 64
ALARM_MS = 5 * 60_000

Called = e.TicketCalled | e.TicketRecalled | e.TicketRestored


class Player(Protocol):
    """A page that can sound."""

    def offer(self, frame: bytes) -> bool: ...


@dataclass(slots=True)
class _Zone:
    queue: SpeechQueue
    players: list[Player] = field(default_factory=list)
    playing: Announcement | None = None
    ends_at: int = 0


def call_id(event: Called) -> str:
    """One for each time a number is to be heard: a recall has its own (UX 13.2)."""
    return f"speech:{event.ticket}:{event.at}"


class Voice:
    """Sound zones are the zones of the configuration that have windows."""

    def __init__(self, store: StorePort, around: Surroundings, folder: Path) -> None:
        self._store = store
        self._around = around
        self._folder = folder
        self._zones: dict[str, _Zone] = {}
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._of_ticket: dict[str, list[tuple[str, str]]] = {}
        self._ended: list[Dropped] = []
        self._volume = 100
        self._hub: Hub | None = None
        self._live: Live | None = None
        self.pack: Pack | None = None
        self.why_silent = ""

    async def start(self, hub: Hub, live: Live) -> None:
        """Load the pack, and take up what the journal's writer before us had claimed (UX D-13)."""
        self._hub, self._live = hub, live
        try:
            self.pack = await asyncio.to_thread(load_pack, self._folder)
        except (NoPack, Malformed) as error:
            self.why_silent = str(error)
            log.warning("no voice", reason=self.why_silent)
        await hub.read(lambda hall: self._zone_up(hall.configuration))
        now = hub.clock.now()
        for claim in await self._store.pending_claims(hub.name):
            if claim.kind != "speech":
                continue
            zone = self._zones.get(claim.target)
            if claim.state == "open" and claim.expires_at > now and zone is not None and self.pack is not None:
                number, window = msgspec.json.decode(claim.payload, type=tuple[str, str])
                zone.queue.called(claim.id, number, window, claim.at)
            else:
                state = "unknown" if claim.state == "claimed" else "dropped"
                settled = Settled(id=claim.id, state=state, reason="restart", at=now)  # type: ignore[arg-type]
                await self._store.settle(hub.lease, settled)

    def _zone_up(self, configuration: Configuration) -> None:
        voice = configuration.voice
        try:
            policy = VoicePolicy(template=voice.template, one=voice.one, languages=voice.languages)
        except Malformed as error:
            log.error("voice as before", reason=str(error))
            policy = VoicePolicy()
        for zone in {window.zone for window in configuration.window}:
            if zone in self._zones:
                self._zones[zone].queue.use(policy)
            else:
                self._zones[zone] = _Zone(SpeechQueue(policy, self._duration_ms))
        self._volume = voice.volume

    def _duration_ms(self, announcement: Announcement) -> int:
        """Its length; 0 for what the voice cannot say, which `_play` drops."""
        assert self.pack is not None
        try:
            return announcement_wav(self.pack, announcement)[1]
        except Malformed:
            return 0

    # --- what the hall says ---

    def claims(self, hall: Hall, events: list[e.Event]) -> list[Claim]:
        """Every call is a claim of its zone; a hall without a voice pack claims nothing, and its screens say so."""
        if self.pack is None:
            return []
        found = []
        for event in events:
            if isinstance(event, Called):
                window = hall.catalogue.windows.get(event.window)
                if window is None:
                    continue
                number = hall.tickets[event.ticket].number
                payload = msgspec.json.encode((number, plate_of(hall, event.window))).decode()
                found.append(
                    Claim(
                        id=call_id(event),
                        kind="speech",
                        target=window.zone,
                        ref=event.ticket,
                        payload=payload,
                        at=event.at,
                        expires_at=event.at + EXPIRES_MS,
                        state="open",
                    )
                )
        return found

    def on_published(self, hall: Hall, events: list[e.Event]) -> None:
        """Committed calls enter their queue; who has come, left or been passed need not be called any more."""
        for event in events:
            if isinstance(event, e.ConfigurationApplied):
                self._zone_up(hall.configuration)
            elif isinstance(event, Called) and self.pack is not None:
                window = hall.catalogue.windows.get(event.window)
                if window is None:
                    continue
                name, number = call_id(event), hall.tickets[event.ticket].number
                full = self._zones[window.zone].queue.called(name, number, plate_of(hall, event.window), event.at)
                self._ended += [full] if full is not None else []
                self._of_ticket.setdefault(event.ticket, []).append((window.zone, name))
            elif isinstance(
                event, e.CitizenArrived | e.TicketCancelled | e.TicketRequeued | e.TicketPassed | e.TicketVoided
            ):
                reason = "arrived" if isinstance(event, e.CitizenArrived) else "cancelled"
                for zone, name in self._of_ticket.pop(event.ticket, ()):
                    needless = self._zones[zone].queue.settled(name, reason)
                    self._ended += [needless] if needless is not None else []

    # --- players ---

    def player(self, zone: str, page: Player, ready: bool) -> None:
        """A page of the zone can, or can no longer, sound; the first that can is the one that speaks (UX V-02)."""
        entry = self._zones.get(zone)
        if entry is None:
            return
        if ready and page not in entry.players:
            entry.players.append(page)
        elif not ready and page in entry.players:
            entry.players.remove(page)
        self._show(zone, entry)

    def forget(self, page: Player) -> None:
        """The page is gone; what it was playing ends as unknown when its time is over."""
        for zone, entry in self._zones.items():
            if page in entry.players:
                entry.players.remove(page)
                self._show(zone, entry)

    async def played(self, page: Player, name: str, outcome: str, reason: str) -> None:
        """The player's word on one announcement."""
        for zone, entry in self._zones.items():
            if entry.playing is not None and entry.playing.id == name:
                await self._end(zone, entry, "done" if outcome == "done" else "dropped", reason or outcome)

    # --- the loop ---

    async def run(self) -> None:
        """Start what is due, end what takes too long, drop what is too late."""
        if self._hub is None:
            return
        while not self._hub.stopped.is_set():
            try:
                while self._ended:
                    await self._settle((self._ended[0].call_id,), "dropped", self._ended[0].reason)
                    del self._ended[0]
                for zone, entry in self._zones.items():
                    await self._step(zone, entry)
            except StoreError as error:
                log.warning("speech waits", error=str(error))
            await asyncio.sleep(STEP_S)

    async def _step(self, zone: str, entry: _Zone) -> None:
        assert self._hub is not None
        if not self._hub.may_act():
            return
        now = self._hub.clock.now()
        if entry.playing is not None and now > entry.ends_at:
            await self._end(zone, entry, "unknown", "no answer from the player")
        for dropped in entry.queue.tick(now):
            await self._settle((dropped.call_id,), "dropped", dropped.reason)
            self._alarm(zone, now)
        if entry.playing is None and entry.players and self.pack is not None:
            announcement = entry.queue.next(now)
            if announcement is not None:
                await self._play(zone, entry, announcement)

    async def _play(self, zone: str, entry: _Zone, announcement: Announcement) -> None:
        assert self._hub is not None
        assert self.pack is not None
        now = self._hub.clock.now()
        granted = [await self._store.claim(self._hub.lease, name, now) for name in announcement.calls]
        if not all(granted) or not entry.players:
            entry.queue.played(announcement.id, "failed")
            await self._settle(announcement.calls, "dropped", "not claimed")
            return
        try:
            sound, duration_ms = await asyncio.to_thread(announcement_wav, self.pack, announcement)
        except Malformed as error:
            log.error("cannot be said", zone=zone, text=announcement.text_zh, reason=str(error))
            entry.queue.played(announcement.id, "failed")
            await self._settle(announcement.calls, "dropped", str(error))
            self._alarm(zone, now)
            return
        self._files[announcement.id] = sound
        while len(self._files) > FILES_MAX:
            self._files.popitem(last=False)
        text = Words(zh=announcement.text_zh, en=announcement.text_en)
        entry.playing, entry.ends_at = announcement, now + duration_ms + 3_000
        message = Play(
            id=announcement.id,
            epoch=self._hub.lease.epoch,
            zone=zone,
            url=f"/api/v1/voice/{announcement.id}",
            duration_ms=duration_ms,
            text=text,
            volume=self._volume,
        )
        if not entry.players[0].offer(text_frame(msgspec.json.encode(message))):
            await self._end(zone, entry, "dropped", "player did not take it")
        self._show(zone, entry)

    async def _end(self, zone: str, entry: _Zone, state: str, reason: str) -> None:
        assert self._hub is not None
        announcement, entry.playing = entry.playing, None
        if announcement is None:
            return
        now = self._hub.clock.now()
        entry.queue.played(announcement.id, "done" if state == "done" else "failed")
        if state != "done":
            self._alarm(zone, now)
        await self._settle(announcement.calls, state, "" if state == "done" else reason)
        self._show(zone, entry)

    async def _settle(self, names: tuple[str, ...], state: str, reason: str) -> None:
        assert self._hub is not None
        for name in names:
            settled = Settled(id=name, state=state, reason=reason, at=self._hub.clock.now())  # type: ignore[arg-type]
            await self._store.settle(self._hub.lease, settled)

    def _show(self, zone: str, entry: _Zone) -> None:
        """The caption and whether the zone has a voice (UX V-11)."""
        playing = entry.playing
        spoken = Spoken(id=playing.id, text=Words(zh=playing.text_zh, en=playing.text_en)) if playing else None
        state = "voiced" if entry.players and self.pack is not None else "voiceless"
        self._around.speech[zone] = SpeechDocument(state=state, speaking=spoken, queued=entry.queue.queued)
        if self._live is not None:
            self._live.touch([("hall", zone)])

    def _alarm(self, zone: str, now: int) -> None:
        """A call that was not spoken is an alarm for five minutes (UX V-05)."""
        kept = [a for a in self._around.alarms if a.id != f"voice:{zone}" and now - a.since < ALARM_MS]
        text = words("alarm.voice", {"subject": zone})
        kept.append(
            AlarmDocument(
                id=f"voice:{zone}",
                level="warn",
                code="voice",
                text=text,
                since=now,
                acknowledged_by="",
                action="acknowledge",
                subject=zone,
            )
        )
        self._around.alarms = kept

    async def file(self, request: web.Request) -> web.Response:
        """One announcement's sound, while it is being played."""
        sound = self._files.get(request.match_info["name"])
        if sound is None:
            raise web.HTTPNotFound
        return web.Response(body=sound, content_type="audio/wav", headers={"Cache-Control": "no-store"})
