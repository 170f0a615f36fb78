"""How loud each sound zone speaks at a moment: by the clock of the hall, and not at all while it is muted (UX V-10)."""

from collections.abc import Iterator

from displays.byclock import ByClock, parse_by_clock
from queue_server.app.clock import Clock
from queue_server.app.texts import words
from queue_server.domain.configuration import Configuration
from queue_server.domain.findings import Finding, error, warning
from queue_server.domain.model import Hall, Mute
from queue_server.domain.tickets import minutes_of
from queue_server.wire.common import Words
from queue_server.wire.documents import AlarmDocument

FULL = 100
RULE = f"volume is 0 to {FULL}, or by the clock: 08:30=100 12:00=60 14:00=100 17:30=0"
MUTED = "muted"
"""Why what nobody heard was not said: staff wished it so, or the hall's file does at this hour."""


def parse_volume(text: str) -> ByClock:
    """Percent, or percents by the clock; ValueError says what is wrong."""
    return parse_by_clock(text, FULL, RULE)


class Loudness:
    """The volumes of a configuration that was checked, and the mutes that were told of; everything else is asked by time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._usual = ByClock(((0, FULL),))
        self._volumes: dict[str, ByClock] = {}
        self._mutes: dict[str, Mute] = {}

    def set_up(self, hall: Hall) -> None:
        """As the hall has it now."""
        configuration = hall.configuration
        self._usual = ByClock(((0, configuration.voice.volume),))
        self._volumes = {each.id: parse_volume(each.volume) for each in configuration.zone if each.volume}
        self._mutes = dict(hall.muted)

    def at(self, zone: str, now: int, *, urgent: bool = False) -> int:
        """Percent; 0 is silent. What is urgent is said all the same, as loudly as the zone ever speaks; in one that never does, fully."""
        volume = self._volumes.get(zone, self._usual)
        if urgent:
            return max(level for _, level in volume.steps) or FULL
        return 0 if self.mute(zone, now) is not None else volume.at(self._clock.minute(now))

    def mute(self, zone: str, now: int) -> Mute | None:
        """The mute that stands."""
        mute = self._mutes.get(zone)
        return mute if mute is not None and now < mute.until else None

    def alarms(self, now: int) -> list[AlarmDocument]:
        """What every desk is told while a zone is muted by somebody; that nothing is said at this hour is no news."""
        standing = ((zone, mute) for zone, mute in self._mutes.items() if now < mute.until)
        return [
            AlarmDocument(
                id=f"{MUTED}:{zone}",
                level="warn",
                code=MUTED,
                text=self._told(zone, mute.until),
                since=mute.at,
                acknowledged_by="",
                action="acknowledge",
                subject=zone,
            )
            for zone, mute in standing
        ]

    def _told(self, zone: str, until: int) -> Words:
        return words("alarm.muted", {"subject": zone, "time": self._clock.hour_minute(until)})


def volume_findings(configuration: Configuration) -> Iterator[Finding]:
    """Volumes that are none, and hours of service at which calls are not spoken (UX S-06)."""
    hours = configuration.hours
    for zone in configuration.zone:
        if not zone.volume:
            continue
        where = f"zone {zone.id}"
        try:
            volume = parse_volume(zone.volume)
        except ValueError as problem:
            zh = f"音量“{zone.volume}”不对：写 0 到 100，或按时间写，如 08:30=100 12:00=60 14:00=100 17:30=0（0 是不播报）。"
            yield error("zone_volume", where, zh, f"{problem}.")
            continue
        try:
            opens, closes = minutes_of(hours.opens), minutes_of(hours.closes)
        except ValueError:
            continue  # said of the hours themselves
        silent = next((minute for minute in range(opens, closes) if volume.at(minute) == 0), None)
        if silent is not None:
            at = f"{silent // 60:02d}:{silent % 60:02d}"
            zh = f"{zone.id}区在服务时间里从 {at} 起音量是 0，叫号只显示、不播报。要播报就改 volume。"
            en = f"Zone {zone.id} has volume 0 from {at} on, within the hours of service: calls are shown and not spoken. "
            yield warning("zone_silent", where, zh, en + "Change its volume if they should be.")
