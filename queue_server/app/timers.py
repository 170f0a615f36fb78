"""What the clock asks of a hall: a new day, the doors, alarms, the configuration of tonight, and housekeeping."""

import asyncio
from datetime import date, timedelta

import structlog

from queue_server.app.calendar import works
from queue_server.app.hub import Hub
from queue_server.app.texts import words
from queue_server.app.views.screens import Surroundings
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall
from queue_server.domain.tickets import minutes_of
from queue_server.store.port import StoreError, StorePort
from queue_server.wire.common import HallState
from queue_server.wire.documents import AlarmDocument

log = structlog.get_logger()

EVERY_S = 2.0
HOUSEKEEPING_S = 3600.0
DRIFT_ALARM_MS = 5_000
CERTIFICATE_ALARM_MS = 30 * 86_400_000
COUNTED_DAYS = 14
AFTER_CLOSING_MIN = 120
"""A day that nobody ended ends itself this long after closing time."""

ACTOR = "clock"


class Timers:
    """Runs beside the hub. With `automatic` False (a demonstration) days are opened and ended by hand."""

    def __init__(
        self,
        hub: Hub,
        store: StorePort,
        around: Surroundings,
        *,
        automatic: bool = True,
    ) -> None:
        self._hub = hub
        self._store = store
        self._around = around
        self._automatic = automatic
        self._kept_at = -HOUSEKEEPING_S
        self._asked_for = ""

    async def run(self) -> None:
        while not self._hub.stopped.is_set():
            try:
                await self.once()
            except Unavailable as error:
                log.warning("timers wait", reason=str(error))
            except Exception:  # a rule that fails on its own command must not end the hall (law 1)
                log.exception("timer failed")
            await self._hub.rest(EVERY_S)

    async def once(self) -> None:
        """One look at the clock."""
        if self._automatic:
            await self._day()
        await self._tell(c.Tick())
        self._watch_clock()
        self._watch_certificate()
        await self._count()
        await self._keep_house()

    async def _tell(self, command: c.Command) -> None:
        try:
            await self._hub.tell(command, ACTOR)
        except Rejected as rejection:
            log.info("not now", command=type(command).__name__, code=rejection.code)

    async def _day(self) -> None:
        """RULES 15: tickets from `tickets_from` on, windows at `opens`, no tickets after `tickets_until`.

        A day that somebody opened by hand, outside of all that, is theirs to close; midnight ends it.
        """

        def look(hall: Hall) -> tuple[str, HallState, Configuration, int]:
            return hall.day, hall.state, hall.configuration, hall.opened_at

        day, state, configuration, opened_at = await self._hub.read(look)
        under_way = bool(day) and state is not HallState.CLOSED
        if not under_way:
            self._hub.clock.anchor()
            if await self._applied_planned():  # whoever ended the day; and before the next one opens
                return
        local = self._hub.clock.local(self._hub.clock.now())
        today, minute = f"{local:%Y-%m-%d}", local.hour * 60 + local.minute
        hours = configuration.hours
        workday = works(hours, local.date())
        opened = self._hub.clock.local(opened_at)
        late = opened.hour * 60 + opened.minute >= minutes_of(hours.tickets_until)
        if under_way and day == today and (late or not workday):
            return
        if under_way:
            if today > day or minute >= minutes_of(hours.closes) + AFTER_CLOSING_MIN:
                await self._end()
            elif state is HallState.BEFORE and minute >= minutes_of(hours.opens):
                await self._tell(c.StartDay())
            elif state is HallState.OPEN and minute >= minutes_of(hours.tickets_until):
                await self._tell(c.CloseDay())
        elif workday and today > day and minutes_of(hours.tickets_from) <= minute < minutes_of(hours.tickets_until):
            await self._tell(c.OpenDay(day=today))

    async def _end(self) -> None:
        await self._tell(c.EndDay())
        try:
            await self._store.anchor(self._hub.name, self._hub.clock.now())
        except StoreError as error:
            log.error("daily head not anchored", error=str(error))

    async def _applied_planned(self) -> bool:
        """Whether a configuration was meant for tonight; it is in force now. Nobody is in the house to be stranded."""
        planned = await self._hub.read(lambda hall: hall.planned)
        if planned is not None:
            await self._tell(c.ApplyConfiguration(configuration=planned, source="tonight"))
        return planned is not None

    def _watch_clock(self) -> None:
        """RULES 49: a wall clock that jumped is not followed during the day, but somebody must mend it."""
        drift_ms = self._hub.clock.drift_ms()
        standing = [alarm.since for alarm in self._around.alarms if alarm.code == "clock"]
        since = standing[0] if standing else self._hub.clock.now()
        self._show("clock", since if abs(drift_ms) > DRIFT_ALARM_MS else 0, {"figure": drift_ms // 1000})

    def _watch_certificate(self) -> None:
        """UX X-13: on the day it ends no screen opens any more; it is told long before."""
        ends, begins = self._around.certificate_ends, self._around.certificate_ends - CERTIFICATE_ALARM_MS
        on = f"{self._hub.clock.local(ends):%Y-%m-%d}"
        self._show("certificate", begins if ends and self._hub.clock.now() >= begins else 0, {"figure": on})

    def _show(self, code: str, since: int, figures: dict[str, object]) -> None:
        """An alarm of the server itself stands since then; 0 is that it does not."""
        self._around.alarms = [alarm for alarm in self._around.alarms if alarm.code != code]
        if since:
            self._around.alarms.append(
                AlarmDocument(
                    id=code,
                    level="warn",
                    code=code,
                    text=words(f"alarm.{code}", figures),
                    since=since,
                    acknowledged_by="",
                    action="acknowledge",
                    subject="",
                )
            )

    async def _count(self) -> None:
        """Once a day: what the days before asked for, which orders the kiosks' tiles (UX K-01)."""
        day = await self._hub.read(lambda hall: hall.day)
        if not day or day == self._asked_for:
            return
        since = (date.fromisoformat(day) - timedelta(days=COUNTED_DAYS)).isoformat()
        try:
            self._around.asked = await self._store.asked(self._hub.name, since, day)
        except StoreError as error:
            log.warning("not counted", error=str(error))
            return
        self._asked_for = day

    async def _keep_house(self) -> None:
        time = asyncio.get_running_loop().time()
        if time - self._kept_at < HOUSEKEEPING_S:
            return
        self._kept_at = time
        try:
            gone = await self._store.expire(self._hub.name, self._hub.clock.now())
            log.debug("expired", receipts=gone.receipts, personal=gone.personal, claims=gone.claims)
        except StoreError as error:
            log.warning("not expired", error=str(error))
