"""Whether a sound zone says its calls: muted by staff for a while (UX V-10)."""

from typing import Final

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall

MUTE_MS: Final = 10 * 60_000
"""UX V-10: "mute button with auto-return 10 min"."""


def mute(hall: Hall, command: c.MuteZone, ctx: c.Context) -> list[e.Event]:
    """Pressed again it lasts ten minutes from then on; what is not muted need not be told to speak."""
    if not any(window.zone == command.zone for window in hall.configuration.window):
        raise Rejected("zone-unknown", zone=command.zone)
    if not command.muted and muted_until(hall, command.zone, ctx.now) is None:
        return []
    until = ctx.now + MUTE_MS if command.muted else ctx.now
    return [e.ZoneMuted(zone=command.zone, until=until, by=ctx.actor, at=ctx.now)]


def muted_until(hall: Hall, zone: str, now: int) -> int | None:
    """When the zone speaks again, ms UTC; None while it does."""
    mute = hall.muted.get(zone)
    return mute.until if mute is not None and mute.until > now else None
