"""The alarms that somebody was or will not be called aloud.

A loss stands for five minutes and follows from the claims alone (UX V-05), a page that may not sound until it may (V-09).
"""

from queue_server.app.loudness import MUTED, Loudness
from queue_server.app.texts import words
from queue_server.app.views.screens import Surroundings
from queue_server.store.port import StorePort
from queue_server.wire.documents import AlarmDocument

STANDS_MS = 5 * 60_000
NOBODY_WAITED = frozenset({"arrived", "cancelled", MUTED})
"""Reasons for which a sound that did not come is no loss: somebody wished it so."""


class Unspoken:
    """The last loss of each sound zone, and its pages that may not sound."""

    def __init__(self, store: StorePort, around: Surroundings) -> None:
        self._store = store
        self._around = around
        self._lost: dict[str, int] = {}
        self._mute: dict[str, dict[object, int]] = {}

    async def load(self, hall: str, now: int) -> None:
        """What the processes before this one lost; raises the store's errors."""
        for lost in await self._store.lost_claims(hall, "speech", now - STANDS_MS):
            self.note(lost.target, lost.reason, lost.at)

    def note(self, zone: str, reason: str, at: int) -> None:
        """A call or notice of the zone ended without having been heard, at `at` ms UTC."""
        if reason not in NOBODY_WAITED:
            self._lost[zone] = max(at, self._lost.get(zone, 0))

    def mute(self, zone: str, page: object, at: int) -> None:
        """The browser of a page of this zone refuses to sound since `at` ms UTC, however often that is said."""
        self._mute.setdefault(zone, {}).setdefault(page, at)

    def sounds(self, page: object) -> None:
        """The page sounds again, or is gone: then that is told of the device."""
        for zone, pages in list(self._mute.items()):
            pages.pop(page, None)
            if not pages:
                del self._mute[zone]

    def show(self, now: int, loudness: Loudness) -> None:
        """The alarms that stand at `now`, among those of the hall's surroundings."""
        self._lost = {zone: at for zone, at in self._lost.items() if now - at < STANDS_MS}
        others = [alarm for alarm in self._around.alarms if alarm.code not in ("voice", MUTED)]
        mute = {zone: min(pages.values()) for zone, pages in self._mute.items()}
        since = {zone: max(self._lost.get(zone, 0), mute.get(zone, 0)) for zone in {**self._lost, **mute}}
        told = [_alarm(zone, at, mute=zone in mute) for zone, at in since.items()]
        self._around.alarms = [*others, *told, *loudness.alarms(now)]


def _alarm(zone: str, at: int, *, mute: bool) -> AlarmDocument:
    return AlarmDocument(
        id=f"voice:{zone}",
        level="warn",
        code="voice",
        text=words("alarm.voice.mute" if mute else "alarm.voice", {"subject": zone}),
        since=at,
        acknowledged_by="",
        action="acknowledge",
        subject=zone,
    )
