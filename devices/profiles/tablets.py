"""Network rating tablets (HARDWARE 1.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.tablet import CallingPad, TabletPad
from devices.emulators.tablets import EmulatedJsonTablet, EmulatedSTablet
from devices.framing.tablets import JSON_OBJECTS, S_TEXTS, JsonObject, TabletText
from devices.profiles.profile import Calls, Profile, levels, read_settings
from devices.profiles.wording import Wording
from devices.protocols.jsontablet import JsonTablet, Score
from devices.protocols.rating import RatingSettings
from devices.protocols.stablet import Network, TabletTimes
from queue_server.wire.agent import DeviceEntry

_TIMES: Final = {part.name for part in fields(TabletTimes)}
_MEANS: Final = {
    "S01E": "welcome",
    "S02E": "ask for a rating",
    "SE": "is there a result",
    "S03E": "pause",
    "S06E": "resume (UDP)",
    "S25E": "resume (TCP)",
    "S05E": "log out",
    "S95E": "alive? (UDP)",
    "S99||0||E": "alive? (TCP)",
    "RecvCmdOK": "done",
    "DisConnect": "goes away",
}


@dataclass(frozen=True, slots=True)
class _Own:
    """What a tablet that calls has of its own."""

    score: Score = "attitude"
    number: str = ""


def _texts(network: Network, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    times = read_settings(TabletTimes, {key: value for key, value in own.items() if key in _TIMES})
    rest = {key: value for key, value in own.items() if key not in _TIMES}
    settings = read_settings(RatingSettings, rest, levels=levels(entry))
    return TabletPad(
        entry.id, settings, times, network, store=calls.rated, health_changed=calls.health_changed
    )  # fmt: skip


def _calling(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    mine = {part.name for part in fields(_Own)}
    said = read_settings(_Own, {key: value for key, value in own.items() if key in mine})
    rest = {key: value for key, value in own.items() if key not in mine}
    settings = read_settings(RatingSettings, rest, levels=levels(entry))
    talk = JsonTablet(settings, said.score, said.number)
    return CallingPad(
        entry.id,
        0,
        settings,
        store=calls.rated,
        health_changed=calls.health_changed,
        codec=JSON_OBJECTS,
        protocol=talk,
    )


def _text_means(frame: TabletText) -> str:
    parts = frame.text.split("||")
    if frame.text.startswith("S02||") and len(parts) > 2:
        return f"result: level {parts[2] or 'none yet'}"
    return _MEANS.get(frame.text, "")


def _object_means(frame: JsonObject) -> str:
    said = json.loads(frame.text)
    return f"answer {said['request']} {said.get('code', '')}" if "request" in said else str(said.get("method", ""))


PROFILES: Final = (
    *(
        Profile(
            name=f"tablet-s-{network}",
            kinds=frozenset({"rating_pad"}),
            title=f"network rating tablet, S texts over {network.upper()}",
            page="tablets.md",
            codec=S_TEXTS,
            make=partial(_texts, network),
            emulate=partial(EmulatedSTablet, network=network),
            wording=Wording((TabletText,), _text_means),
            experimental=True,
        )
        for network in Network
    ),
    Profile(
        name="tablet-json",
        kinds=frozenset({"rating_pad"}),
        title="network rating tablet that calls by websocket, JSON",
        page="tablets.md",
        codec=JSON_OBJECTS,
        make=_calling,
        emulate=EmulatedJsonTablet,
        wording=Wording((JsonObject,), _object_means),
        experimental=True,
    ),
)
