"""Who speaks: one queue and one player a sound zone, every call and notice claimed durably before it sounds (UX V-01…V-11)."""

# long: the one place where calls, notices, players, claims and captions meet

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from displays.errors import Malformed
from displays.errors import Unavailable as NoPack
from displays.speech.assemble import announcement_wav
from displays.speech.pack import Pack, load_pack
from displays.speech.phrases import NOTICES, PAUSES, Notice, VoicePolicy, english_phrase, notice, phrase
from displays.speech.queue import Announcement, Dropped, SpeechQueue
from queue_server.app.delays import Delays
from queue_server.app.guidance import Guidance
from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.loudness import MUTED
from queue_server.app.speakers import VoiceModule, longest_ms, speaking_ms, zones_with_module
from queue_server.app.unspoken import Unspoken
from queue_server.app.views.screens import Surroundings
from queue_server.app.views.tickets import plate_of
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.devices import ZONE
from queue_server.domain.errors import Unavailable
from queue_server.domain.model import Hall
from queue_server.store.port import Claim, Settled, StoreError, StorePort
from queue_server.wire.common import TicketState, Words
from queue_server.wire.documents import SpeechDocument, Spoken
from queue_server.wire.frames import text_frame
from queue_server.wire.live import Play

log = structlog.get_logger()

EXPIRES_MS = 45_000
"""UX V-05: a call that has not sounded by then is dropped, with an alarm."""

STEP_S = 0.1
FILES_MAX = 64
EVERYBODY = ""
"""Whom a notice is for, where a call names its ticket."""

TAKEOVER_MS = 4_500
"""UX V-02, takeover ≤ 5 s: so long a player that went away while it spoke may still be speaking; then the next one begins."""

NO_CLIP = Dropped("", "no clip")
NOTICE_CLIPS = frozenset(zh for zh, _ in NOTICES.values())

Called = e.TicketCalled | e.TicketRecalled | e.TicketRestored
CALLED = (e.TicketCalled, e.TicketRecalled, e.TicketRestored)
SETTLING = (e.CitizenArrived, e.TicketCancelled, e.TicketRequeued, e.TicketPassed, e.TicketVoided)
ENDING = (e.MessageSet, e.DayStarted, e.DayEnded)
"""For `isinstance`, once for each event of the hall: a union is slow there."""
HEARD = frozenset(
    {*CALLED, *SETTLING, *ENDING, e.AnnouncementDue, e.ConfigurationApplied, e.DeviceTestAsked, e.ZoneMuted}
)
"""All that the voice hears of; most batches hold nothing of it."""


TEST = "test:"
"""Before the id of a test, as the id of its announcement."""
TEST_SAID = Notice(
    (*"一二三四五六七八九零",), (), "声音测试：一二三四五六七八九零", "Sound test: one to nine, zero", False
)


class Page(Protocol):
    """A page that can sound."""

    def offer(self, frame: bytes) -> bool: ...


Player = Page | VoiceModule


@dataclass(slots=True)
class _Zone:
    queue: SpeechQueue
    players: list[Player] = field(default_factory=list)
    playing: Announcement | None = None
    speaker: Player | None = None
    ends_at: int = 0
    captioned: bool = False
    silent: bool = False


def call_id(event: Called) -> str:
    """One for each time a number is to be heard: a recall has its own (UX 13.2)."""
    return f"speech:{event.ticket}:{event.at}"


def notice_id(zone: str, event: e.AnnouncementDue) -> str:
    return f"notice:{zone}:{event.at}"


class Voice:
    """Sound zones are the zones of the configuration that have windows."""

    def __init__(self, store: StorePort, around: Surroundings, folder: Path) -> None:
        self._store = store
        self._around = around
        self._folder = folder
        self._zones: dict[str, _Zone] = {}
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._of_ticket: dict[str, list[tuple[str, str]]] = {}
        self._ended: deque[Settled] = deque()
        self._unspoken = Unspoken(store, around)
        self.loudness = around.loudness
        self._policy = VoicePolicy()
        self._with_module: frozenset[str] = frozenset()
        self._hub: Hub | None = None
        self._live: Live | None = None
        self.tested: Callable[[str, str, str, str], None] = lambda name, zone, outcome, reason: None
        """Told of each test's end: its id, the zone, done, unconnected, busy, failed or unknown, and why."""
        self.guidance = Guidance()
        self.delays = Delays()
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
        self.guidance.use(self.pack)
        self._around.guidance = self.guidance.complete
        await self._unspoken.load(hub.name, hub.clock.now())
        await self.take_up()

    @property
    def english_dropped(self) -> int:
        """Announcements since the start whose second language gave way to those who waited (UX V-03, V-06)."""
        return sum(entry.queue.english_dropped for entry in self._zones.values())

    async def take_up(self) -> None:
        """What nobody told of, at the start and after a commit in doubt: the zones as the hall has them, and claims that no
        queue knows of: the open ones are said if somebody still waits to hear them, the rest end."""
        assert self._hub is not None
        pending = [claim for claim in await self._store.pending_claims(self._hub.name) if claim.kind == "speech"]
        await self._hub.read(lambda hall: self._take_up(hall, pending))
        await self._write_ended()

    def _take_up(self, hall: Hall, pending: list[Claim]) -> None:
        assert self._hub is not None
        self._zone_up(hall)
        known = {name for names in self._of_ticket.values() for _, name in names}
        known |= {name for entry in self._zones.values() if entry.playing for name in entry.playing.calls}
        now = self._hub.clock.now()
        for claim in pending:
            if claim.id in known:
                continue
            zone = self._zones.get(claim.target)
            if claim.state == "claimed":
                self._end_call(claim.id, claim.target, "unknown", "restart")
            elif not self._is_wanted(hall, claim):
                self._end_call(claim.id, claim.target, "dropped", "cancelled")
            elif claim.expires_at <= now or zone is None or not self._has_voice(claim.target):
                reason = "too-late" if claim.expires_at <= now else "restart"
                self._end_call(claim.id, claim.target, "dropped", reason)
            elif claim.ref == EVERYBODY:
                kind, zh, en = msgspec.json.decode(claim.payload, type=tuple[str, str, str])
                self._noticed(zone, claim.target, claim.id, (kind, zh, en), claim.at)
            else:
                number, window = msgspec.json.decode(claim.payload, type=tuple[str, str])
                self._called(zone, claim.target, claim.ref, claim.id, number, window, claim.at)

    @staticmethod
    def _is_wanted(hall: Hall, claim: Claim) -> bool:
        """Whether somebody still waits to hear it: the ticket is called, the message stands."""
        if claim.ref == TEST:
            return False
        if claim.ref == EVERYBODY:
            return msgspec.json.decode(claim.payload, type=tuple[str, str, str]) == hall.message
        ticket = hall.tickets.get(claim.ref)
        return ticket is not None and ticket.state is TicketState.CALLED

    def _called(self, entry: _Zone, zone: str, ticket: str, name: str, number: str, plate: str, at: int) -> None:
        self.delays.called(name, at, idle=entry.playing is None and not entry.queue.queued)
        full = entry.queue.called(name, number, plate, at) if self._sayable(zone, number, plate) else NO_CLIP
        if full is not None:
            self._end_call(name, zone, "dropped", full.reason)
        self._of_ticket.setdefault(ticket, []).append((zone, name))

    def _noticed(self, entry: _Zone, zone: str, name: str, message: tuple[str, str, str], at: int) -> None:
        """What the voice cannot say in the message's own words it says in the standard ones of its kind."""
        said = notice(*message, self._policy, self.pack.clips.keys() if self.pack is not None else NOTICE_CLIPS)
        if not said.tokens:
            log.error("the voice has no sentence for this: chime only", zone=zone, kind=message[0])
        full = entry.queue.noticed(name, said, at)
        if full is not None:
            self._end_call(name, zone, "dropped", full.reason)
        self._of_ticket.setdefault(EVERYBODY, []).append((zone, name))

    def _zone_up(self, hall: Hall) -> None:
        configuration, voice = hall.configuration, hall.configuration.voice
        try:
            self._policy = VoicePolicy(template=voice.template, one=voice.one, languages=voice.languages)
        except Malformed as error:
            log.error("voice as before", reason=str(error))
        self._with_module = zones_with_module(configuration)
        for zone in {window.zone for window in configuration.window}:
            policy = self._policy_of(configuration, zone)
            if zone in self._zones:
                self._zones[zone].queue.use(policy)
            else:
                self._zones[zone] = _Zone(SpeechQueue(policy, partial(self._duration_ms, zone)))
        self.loudness.set_up(hall)
        self.guidance.volume = voice.volume

    def _sayable(self, zone: str, number: str, plate: str) -> bool:
        """Whether the pack has a clip for all of it; what it has not would cost those who are called in the same breath.

        What a module can say its agent knows.
        """
        if self.pack is None or zone in self._with_module:
            return True
        missing = {*phrase(number, plate, self._policy)} - PAUSES - self.pack.clips.keys()
        if missing:
            log.error("call cannot be said", zone=zone, number=number, window=plate, no_clip=sorted(missing))
        return not missing

    def _policy_of(self, configuration: Configuration, zone: str) -> VoicePolicy:
        """English only where the pack has every plate of the zone in English, and no module speaks: they have Chinese alone."""
        if zone in self._with_module:
            return replace(self._policy, languages=("zh",))
        plates = [window.plate or window.id for window in configuration.window if window.zone == zone]
        said = {token for plate in plates for token in english_phrase("A1", plate)} - PAUSES
        if "en" not in self._policy.languages or self.pack is None or said <= self.pack.clips.keys():
            return self._policy
        log.error("no English here", zone=zone, no_clip=sorted(said - self.pack.clips.keys()))
        return replace(self._policy, languages=("zh",))

    def _duration_ms(self, zone: str, announcement: Announcement) -> int:
        if zone in self._with_module:
            return longest_ms(announcement)
        assert self.pack is not None
        return announcement_wav(self.pack, announcement)[1]

    def _has_voice(self, zone: str) -> bool:
        """Whether anything is claimed there."""
        return self.pack is not None or zone in self._with_module

    def _who(self, entry: _Zone) -> Player | None:
        """Who speaks next: a module before the pages, which need the pack."""
        able = (player for player in entry.players if self.pack is not None or isinstance(player, VoiceModule))
        return min(able, key=lambda player: not isinstance(player, VoiceModule), default=None)

    # --- what the hall says ---

    def claims(self, hall: Hall, events: list[e.Event]) -> list[Claim]:
        """Each call is a claim of its zone, a notice one of every zone; where nothing could speak there are none."""
        found: list[Claim] = []
        if HEARD.isdisjoint(map(type, events)):
            return found
        for event in events:
            if isinstance(event, CALLED) and event.window in hall.catalogue.windows:
                zone = hall.catalogue.windows[event.window].zone
                if not self._has_voice(zone):
                    continue
                said = hall.tickets[event.ticket].number, plate_of(hall, event.window)
                found.append(_claim(call_id(event), zone, event.ticket, said, event.at))
            elif isinstance(event, e.AnnouncementDue) and event.kind == hall.message[0]:
                zones = filter(self._has_voice, dict.fromkeys(window.zone for window in hall.configuration.window))
                found += [_claim(notice_id(zone, event), zone, EVERYBODY, hall.message, event.at) for zone in zones]
            elif isinstance(event, e.DeviceTestAsked) and event.device.startswith(ZONE):
                found.append(_claim(TEST + event.id, event.device.removeprefix(ZONE), TEST, (), event.at))
        return found

    def on_published(self, hall: Hall, events: list[e.Event]) -> None:
        """Committed calls and notices enter their queues; what nobody needs to hear any more leaves them."""
        if HEARD.isdisjoint(map(type, events)):
            return
        if any(isinstance(event, e.ConfigurationApplied) for event in events):
            self._zone_up(hall)
        elif any(isinstance(event, e.ZoneMuted) for event in events):
            self.loudness.set_up(hall)
        for event in events:
            if isinstance(event, CALLED):
                window = hall.catalogue.windows.get(event.window)
                if window is None or not self._has_voice(window.zone):
                    continue
                number, plate = hall.tickets[event.ticket].number, plate_of(hall, event.window)
                entry, zone = self._zones[window.zone], window.zone
                self._called(entry, zone, event.ticket, call_id(event), number, plate, event.at)
            elif isinstance(event, SETTLING):
                self._settled(event.ticket, "arrived" if isinstance(event, e.CitizenArrived) else "cancelled")
            elif isinstance(event, ENDING):
                self._settled(EVERYBODY, "cancelled")
            elif isinstance(event, e.AnnouncementDue) and event.kind == hall.message[0]:
                self._settled(EVERYBODY, "superseded")
                for zone in filter(self._has_voice, dict.fromkeys(each.zone for each in hall.configuration.window)):
                    self._noticed(self._zones[zone], zone, notice_id(zone, event), hall.message, event.at)
            elif isinstance(event, e.DeviceTestAsked) and event.device.startswith(ZONE):
                self._try_out(event.device.removeprefix(ZONE), TEST + event.id, event.at)

    def busy(self, zone: str) -> bool:
        """Whether something is said to citizens there, or waits to be."""
        entry = self._zones.get(zone)
        return entry is not None and (entry.queue.speaking is not None or entry.queue.queued > 0)

    def volume_on(self, page: object) -> int:
        """How loud a page may sound by itself now: 0 unless it is who speaks in its zones, and nothing is said or waits there."""
        own = [(zone, entry) for zone, entry in self._zones.items() if page in entry.players]
        free = own and all(self._who(entry) is page and not self.busy(zone) for zone, entry in own)
        now = self._around.clock.now()
        return min((self.loudness.at(zone, now) for zone, _ in own), default=0) if free else 0

    def _try_out(self, zone: str, name: str, at: int) -> None:
        entry = self._zones.get(zone)
        if entry is None or self._who(entry) is None:
            self._end_call(name, zone, "dropped", "unconnected")
        elif (full := entry.queue.noticed(name, TEST_SAID, at)) is not None:
            self._end_call(name, zone, "dropped", full.reason)

    def _settled(self, whom: str, reason: str) -> None:
        """What has not begun to sound for a ticket, or for everybody, is dropped."""
        for zone, name in self._of_ticket.pop(whom, ()):
            if self._zones[zone].queue.settled(name, reason) is not None:
                self._end_call(name, zone, "dropped", reason)

    # --- players ---

    def player(self, zone: str, page: Player, ready: bool) -> None:
        """A player of the zone can, or can no longer, sound; a module, else the first page, is the one that speaks (UX V-02)."""
        entry = self._zones.get(zone)
        if entry is None:
            return
        if ready and page not in entry.players:
            entry.players.append(page)
        elif not ready and page in entry.players:
            entry.players.remove(page)
            if isinstance(page, VoiceModule):  # its agent may come back in time; a page plays to its end, and says so
                self._hurry(entry, page)
        self._show(zone, entry)

    def _hurry(self, entry: _Zone, gone: Player) -> None:
        """What is heard of a player that went away is not waited for to its end."""
        if entry.speaker is gone and self._hub is not None:
            entry.ends_at = min(entry.ends_at, self._hub.clock.now() + TAKEOVER_MS)

    def sound(self, zone: str, page: Player, word: str) -> None:
        """What a page says of its loudspeaker: `blocked` is an alarm of its zone until it is `ready` or gone (UX V-09)."""
        if self._hub is None or zone not in self._zones:
            return
        if word == "blocked":
            self._unspoken.mute(zone, page, self._hub.clock.now())
        elif word == "ready":
            self._unspoken.sounds(page)

    def began(self, page: Player, name: str) -> None:
        """The first sound, which a module may have had to wait for; how long each call took is told (UX V-07)."""
        for zone, entry in self._zones.items():
            if (
                entry.playing is not None
                and entry.playing.id == name
                and entry.speaker is page
                and self._hub is not None
            ):
                now = self._hub.clock.now()
                if isinstance(page, VoiceModule):
                    entry.ends_at = now + speaking_ms(entry.playing)
                self.delays.began(zone, entry.playing.calls, now)

    def forget(self, page: Player) -> None:
        """The page is gone; what it was playing ends as unknown, and within TAKEOVER_MS another speaks."""
        self._unspoken.sounds(page)
        for zone, entry in self._zones.items():
            self._hurry(entry, page)
            if page in entry.players:
                entry.players.remove(page)
                self._show(zone, entry)

    async def played(self, page: Player, name: str, outcome: str, reason: str) -> None:
        """The player's word on one announcement: done, unknown, or anything else that did not sound."""
        state = outcome if outcome in ("done", "unknown") else "dropped"
        for zone, entry in self._zones.items():
            if entry.playing is not None and entry.playing.id == name and entry.speaker is page:
                self._end(zone, entry, state, reason or outcome)

    # --- the loop ---

    async def run(self) -> None:
        """Start what is due, end what takes too long, drop what is too late."""
        if self._hub is None:
            return
        while not self._hub.stopped.is_set():
            self._unspoken.show(self._hub.clock.now(), self.loudness)
            steps: list[Callable[[], Awaitable[None]]] = [partial(self._step, *zone) for zone in self._zones.items()]
            for work in (self._write_ended, *steps):
                try:
                    await work()
                except (StoreError, Unavailable) as error:
                    log.warning("speech waits", error=str(error))
                except Exception:  # one zone's fault silences neither the others nor the hall
                    log.exception("speech failed")
            await self._hub.rest(STEP_S)

    async def _write_ended(self) -> None:
        """In order, each until the store has taken it: a call's end is never lost to a full disk."""
        assert self._hub is not None
        while self._ended:
            await self._store.settle(self._hub.lease, self._ended[0])
            self._ended.popleft()

    async def _step(self, zone: str, entry: _Zone) -> None:
        assert self._hub is not None
        if not self._hub.may_act():
            return
        now = self._hub.clock.now()
        if entry.playing is not None and now > entry.ends_at:
            self._end(zone, entry, "unknown", "no answer from the player")
        silent = self.loudness.at(zone, now) == 0
        for dropped in [*(entry.queue.hushed(MUTED) if silent else ()), *entry.queue.tick(now)]:
            self._end_call(dropped.call_id, zone, "dropped", dropped.reason)
        if entry.playing is None and self._who(entry) is not None:
            announcement = entry.queue.next(now)
            if announcement is not None:
                await self._play(zone, entry, announcement)
        if entry.silent != silent or (entry.playing is None and entry.captioned):  # nothing followed at once
            entry.silent = silent
            self._show(zone, entry)

    async def _play(self, zone: str, entry: _Zone, announcement: Announcement) -> None:
        assert self._hub is not None
        now = self._hub.clock.now()
        granted = [await self._store.claim(self._hub.lease, name, now) for name in announcement.calls]
        speaker = self._who(entry)  # the last one may have left meanwhile
        if not all(granted) or speaker is None:
            entry.queue.played(announcement.id, "failed")
            for name in announcement.calls:
                self._end_call(name, zone, "dropped", "not claimed")
            return
        entry.playing, entry.speaker = announcement, speaker
        entry.ends_at = now + longest_ms(announcement)
        volume = self.loudness.at(zone, now, urgent=announcement.urgent)
        if not volume:  # muted while it was being claimed: what nobody can hear is not played
            why = MUTED
        elif isinstance(speaker, VoiceModule):
            why = "" if await speaker.say(announcement, volume) else "agent not connected"
        else:
            why = await self._play_file(zone, entry, speaker, announcement, volume)
        if why:
            self._end(zone, entry, "dropped", why)
        self._show(zone, entry)

    async def _play_file(self, zone: str, entry: _Zone, page: Page, announcement: Announcement, volume: int) -> str:
        """Hand the page its file; what went wrong, or nothing."""
        assert self._hub is not None
        assert self.pack is not None
        try:
            sound, duration_ms = await asyncio.to_thread(announcement_wav, self.pack, announcement)
        except Malformed as error:  # a module was to say this
            log.error("call cannot be said", zone=zone, reason=str(error))
            return NO_CLIP.reason
        self._files[announcement.id] = sound
        while len(self._files) > FILES_MAX:
            self._files.popitem(last=False)
        entry.ends_at = self._hub.clock.now() + duration_ms + 3_000
        message = Play(
            id=announcement.id,
            epoch=self._hub.lease.epoch,
            zone=zone,
            url=f"/api/v1/voice/{announcement.id}",
            duration_ms=duration_ms,
            text=Words(zh=announcement.text_zh, en=announcement.text_en),
            volume=volume,
            again=not announcement.calls,
        )
        took = page in entry.players and page.offer(text_frame(msgspec.json.encode(message)))
        return "" if took else "player did not take it"

    def _end(self, zone: str, entry: _Zone, state: str, reason: str) -> None:
        announcement, entry.playing = entry.playing, None
        if announcement is None:
            return
        entry.queue.played(announcement.id, "done" if state == "done" else "failed")
        for name in announcement.calls:
            self._end_call(name, zone, state, "" if state == "done" else reason)

    def _end_call(self, name: str, zone: str, state: str, reason: str) -> None:
        """Written by the loop."""
        assert self._hub is not None
        now, test = self._hub.clock.now(), name.startswith(TEST)
        self.delays.ended(name)
        kept = "cancelled" if test and state != "done" else reason  # nobody waited for a test: no loss
        self._ended.append(Settled(id=name, state=state, reason=kept, at=now))  # type: ignore[arg-type]
        if test:
            if zone in self._zones:
                self._zones[zone].queue.settled(name, "cancelled")  # once is enough
            outcome = {"done": "done", "dropped": "failed"}.get(state, "unknown")
            self.tested(name.removeprefix(TEST), zone, "unconnected" if reason == "unconnected" else outcome, reason)
        elif state != "done":
            self._unspoken.note(zone, reason, now)

    def _show(self, zone: str, entry: _Zone) -> None:
        """The caption and whether the zone has a voice (UX V-11)."""
        playing = entry.playing
        entry.captioned = playing is not None
        spoken = Spoken(id=playing.id, text=Words(zh=playing.text_zh, en=playing.text_en)) if playing else None
        able = "muted" if entry.silent else "voiced"
        state = able if self._who(entry) is not None else "voiceless"
        self._around.speech[zone] = SpeechDocument(state=state, speaking=spoken, queued=entry.queue.queued)
        if self._live is not None:
            self._live.touch([("hall", zone)])

    async def file(self, request: web.Request) -> web.Response:
        """One announcement's sound, while it is being played."""
        sound = self._files.get(request.match_info["name"])
        if sound is None:
            raise web.HTTPNotFound
        return web.Response(body=sound, content_type="audio/wav", headers={"Cache-Control": "no-store"})


def _claim(name: str, zone: str, whom: str, said: tuple[str, ...], at: int) -> Claim:
    return Claim(
        id=name,
        kind="speech",
        target=zone,
        ref=whom,
        payload=msgspec.json.encode(said).decode(),
        at=at,
        expires_at=at + EXPIRES_MS,
        state="open",
    )
