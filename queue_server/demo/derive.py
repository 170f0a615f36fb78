"""The hall file of a demonstration: the same hall with emulated lines, and every human time divided by the speed; pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from queue_server.domain.configuration import Configuration, Device, Hours

AGENT: Final = "demo"
"""One PC owns all emulated devices."""

SCALED: Final = (
    "credit_max_min",
    "away_penalty_min",
    "away_free_after_min",
    "recall_interval_s",
    "park_min",
    "undo_s",
    "infer_arrival_after_s",
    "invite_for_s",
    "average_wait_alarm_min",
    "single_wait_alarm_min",
    "pause_alarm_min",
    "service_alarm_min",
    "idle_alarm_min",
)
"""Policy values that are times. They are whole numbers, so a fast demonstration rounds them, and says so."""

REPEAT_MS: Final = 1000
REPEAT_LEAST_MS: Final = 350
"""An emulated device repeats an unacknowledged frame after 250 ms: what comes later is another press."""

SYLLABLE_MS: Final = 250
READING: Final = ("syn6288", "xfs5152")
"""Voice modules that read text: a demonstration's speak as much faster as its people live."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """One policy value: in the file, and in the demonstration (same unit, real time)."""

    name: str
    file: int
    demo: int


def scaled(value: int, speed: float) -> int:
    """The nearest whole number that is not 0 unless the value is."""
    return max(1, round(value / speed)) if value else 0


def policy_changes(configuration: Configuration, speed: float) -> list[Scaled]:
    """What the speed makes of the policy."""
    policy = configuration.policy
    found = [Scaled(name, getattr(policy, name), scaled(getattr(policy, name), speed)) for name in SCALED]
    found += [
        Scaled(f"credit_min of {p.id}", p.credit_min, scaled(p.credit_min, speed)) for p in configuration.priority
    ]
    return [each for each in found if each.file != each.demo]


def derive(configuration: Configuration, speed: float, urls: dict[str, str], zone: str, opens: str) -> Configuration:
    """`urls` are the emulated lines by the file's own; `zone` an IANA time zone; the doors open at `opens`, HH:MM."""
    replace = msgspec.structs.replace
    policy = replace(
        configuration.policy, **{name: scaled(getattr(configuration.policy, name), speed) for name in SCALED}
    )
    return replace(
        configuration,
        hall=replace(configuration.hall, timezone=zone),
        hours=Hours(
            tickets_from="00:00", opens=opens, tickets_until="23:58", closes="23:59", weekdays=(1, 2, 3, 4, 5, 6, 7)
        ),
        policy=policy,
        priority=tuple(replace(each, credit_min=scaled(each.credit_min, speed)) for each in configuration.priority),
        matter=tuple(
            replace(each, minutes=each.minutes / speed, sd_minutes=each.sd_minutes / speed)
            for each in configuration.matter
        ),
        bundle=tuple(replace(each, minutes=each.minutes / speed) for each in configuration.bundle),
        device=tuple(_device(each, speed, urls) for each in configuration.device),
    )


def _device(device: Device, speed: float, urls: dict[str, str]) -> Device:
    settings = dict(device.settings)
    if device.kind in ("keypad", "rating_pad") and speed > 1:
        settings["repeat_ms"] = str(max(REPEAT_LEAST_MS, round(REPEAT_MS / speed)))
    if device.kind == "speaker" and device.profile.lower() in READING:
        settings["syllable_ms"] = str(scaled(int(settings.get("syllable_ms", SYLLABLE_MS)), speed))
    return msgspec.structs.replace(device, agent=AGENT, url=urls[device.url], settings=settings)


def morning_zone(now: datetime) -> str:
    """A time zone where it is between 8 and 9 in the morning now, so that no demonstrated morning meets midnight."""
    offset = 8 - now.hour
    offset += 24 if offset < -12 else 0
    # The names of these zones count westward.
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"
