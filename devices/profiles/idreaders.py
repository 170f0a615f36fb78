"""Second-generation ID card readers (HARDWARE 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.idreader import IdReader
from devices.emulators.idreader import EmulatedIdReader
from devices.framing.samv import SAMV, SamFrame, SamReply, SamRequest
from devices.profiles.profile import ELSEWHERE_KIOSK, Calls, Profile, Serial, read_settings
from devices.profiles.wording import Wording
from devices.protocols.samv import FIND, NUMBER, READ, SELECT, STATUS, WORDS, SamSettings
from queue_server.wire.agent import DeviceEntry

_ASKED: Final = {
    STATUS: "how are you",
    NUMBER: "your number",
    FIND: "is a card there",
    SELECT: "select the card",
    READ: "read text and photo",
}
_HARMLESS_BYTES: Final = 16
"""Answers longer than the reader's own number hold what is on a card."""


def _make(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    settings = read_settings(SamSettings, {key: value for key, value in own.items() if key not in ELSEWHERE_KIOSK})
    return IdReader(entry.id, settings, read=calls.card, health_changed=calls.health_changed)


def _means(frame: SamFrame) -> str:
    match frame:
        case SamRequest():
            return _ASKED.get(frame, "")
        case SamReply(status=status):
            return WORDS.get(status, "")


def _personal(frame: SamFrame) -> bool:
    return len(frame.data) > _HARMLESS_BYTES


PROFILES: Final = (
    Profile(
        name="sam-v",
        kinds=frozenset({"id_reader"}),
        title="ID card reader with a SAM_V module (精伦, 华视, 神思, 新中新)",
        page="sam-v.md",
        codec=SAMV,
        make=_make,
        emulate=EmulatedIdReader,
        wording=Wording((SamRequest, SamReply), _means, personal=_personal),
        serial=Serial(baud=115_200),
        personal=True,
    ),
)
