"""ONBON BX-5K and BX-6K font cards (HARDWARE 2.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.bx import BxBoard, BxStrip
from devices.emulators.bx import EmulatedBx
from devices.framing.bx import BX, BxFrame
from devices.profiles.profile import ELSEWHERE, Calls, Profile, read_settings
from devices.profiles.wording import Wording
from devices.protocols import bxdata
from devices.protocols.bx import COLOUR_TAGS, BxSettings, order_of, place, row_text
from devices.protocols.bxdata import BxUpdate, data_of, decode_update, encode_time, encode_update, read_status
from queue_server.wire.agent import DeviceEntry

_COLOUR: Final = "colour."


def _strip(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    if not 1 <= entry.address <= 0xFF:
        raise ValueError(f"a BX card's screen number is 1 to 255, not {entry.address}")
    rest = {key: value for key, value in own.items() if key not in ELSEWHERE}
    tags = {name: rest.pop(_COLOUR + name, tag) for name, tag in COLOUR_TAGS.items()}
    if not all(tag.isascii() for tag in tags.values()):
        raise ValueError(r"a colour is a tag: colour.green = \C2")
    settings = read_settings(BxSettings, rest, colours=tags)
    kind = BxBoard if entry.kind == "board" else BxStrip
    return kind(entry.id, entry.address, calls.health_changed, settings)


_NAMES: Final = {
    bxdata.PING: "are you there?",
    bxdata.RESET: "reset",
    bxdata.STATUS: "how are you?",
    (0xA1, 0x00): "format",
    (0xA1, 0x01): "delete files",
    (0xA1, 0x05): "begin a file",
    (0xA1, 0x06): "a packet of a file",
    (0xA3, 0x04): "lock or free a program",
    (0xA3, 0x10): "clear the screen",
}


def means(frame: BxFrame) -> str:
    """A BX frame in words."""
    command, data = (frame.group, frame.number), data_of(frame)
    if frame.to_host:
        return _answer(frame)
    match command:
        case bxdata.AREAS:
            return _update_means(data)
        case bxdata.BRIGHTNESS if len(data) in (2, 50) and data[0] == 1:
            return f"brightness {data[1]}"
        case bxdata.POWER if len(data) == 1:
            return {1: "switch on", 2: "switch off"}.get(data[0], "")
        case bxdata.SET_TIME if len(data) == 8:
            return f"it is {bxdata.decode_time(data)}"
        case _:
            return _NAMES.get(command, "")


def _answer(frame: BxFrame) -> str:
    match (frame.group, frame.number):
        case bxdata.TAKEN:
            return "taken"
        case bxdata.REFUSED:
            return f"refused: {bxdata.refusal(frame)}"
        case _ if status := read_status(frame):
            areas = " ".join(map(str, status.areas)) or "none"
            power = "on" if status.on else "off"
            return f"{power}, brightness {status.brightness}, its clock {status.clock}, areas {areas}"
        case _:
            return ""


def _update_means(data: bytes) -> str:
    try:
        update = decode_update(data)
    except ValueError as error:
        return f"areas ({error})"
    gone = "delete every area" if update.delete is None else f"delete {', '.join(map(str, update.delete))}"
    shown = f"show {bxdata.places(update.areas)}"
    return "; ".join([gone] * (update.delete != ()) + [shown] * bool(update.areas)) or "nothing"


def _read(said: Mapping[str, object]) -> BxFrame | None:
    """What people write, with any setting of the device beside it, such as "width": 64."""
    rest = dict(said)
    address = rest.pop("address", 1)
    what = [name for name in ("text", "command", "brightness", "on", "time") if name in rest]
    if len(what) != 1 or not isinstance(address, int):
        return None
    value = rest.pop(what[0])
    settings = read_settings(BxSettings, {name: str(given) for name, given in rest.items()}, colours=COLOUR_TAGS)

    def told(command: tuple[int, int], data: bytes = b"") -> BxFrame:
        return order_of(settings, address, command, data)

    match what[0], value:
        case "text", str(text):
            area = place(settings, 0, row_text(settings, [(text, "red")]))
            return told(bxdata.AREAS, encode_update(BxUpdate((), (area,))))
        case "command", "ping":
            return told(bxdata.PING)
        case "command", "status":
            return told(bxdata.STATUS)
        case "command", "delete all":
            return told(bxdata.AREAS, encode_update(BxUpdate(None)))
        case "brightness", int(level) if 0 <= level <= bxdata.MOST_BRIGHT:
            return told(bxdata.BRIGHTNESS, bytes((1, level)))
        case "on", bool(on):
            return told(bxdata.POWER, bytes((1 if on else 2,)))
        case "time", str(when):
            return told(bxdata.SET_TIME, encode_time(datetime.fromisoformat(when)))
        case _:
            raise ValueError(
                'give "text", "command" (ping, status, delete all), "brightness" (0 to 15), "on" (true, false)'
                ' or "time" (2026-01-31 08:30:00)'
            )


PROFILES: Final = (
    Profile(
        name="bx",
        kinds=frozenset({"strip", "board"}),
        title="BX-5K/6K font card (ONBON 仰邦)",
        page="bx.md",
        codec=BX,
        make=_strip,
        emulate=EmulatedBx,
        wording=Wording((BxFrame,), means, _read),
    ),
)
