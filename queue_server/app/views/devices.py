"""The hall's devices: those of the agents, the kiosks' pages, and what sounds in each zone (RULES 37, 89)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from queue_server.app.texts import has, plain, words
from queue_server.app.views.tickets import plate_of
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import KIOSK_PAGE, Device
from queue_server.domain.devices import SCREEN, ZONE, test_of
from queue_server.domain.model import DeviceTest, Hall
from queue_server.wire.common import DeviceState, Words
from queue_server.wire.documents import DeviceDocument, DevicesDocument, DeviceTrial, PageFacts, ZoneSound
from queue_server.wire.live import PageSize

if TYPE_CHECKING:
    from queue_server.app.views.screens import Surroundings

_SPEECH = {"voiced": DeviceState.ONLINE, "muted": DeviceState.ONLINE}
"""A zone that is silent on purpose has nothing that is broken."""


def device_name(catalogue: Catalogue, device: str) -> Words:
    """What people call a device or a kiosk's page: its names in the hall's file, else its id; Chinese where English lacks."""
    zh, en = catalogue.device_names.get(device, ("", ""))
    return plain(zh or device.removeprefix(KIOSK_PAGE), en)


def unheard(hall: Hall, entry: Device) -> DeviceDocument:
    """A device of the hall's file of which nothing was heard since the start."""
    return _document(entry.id, entry.kind, device_name(hall.catalogue, entry.id), entry.window)


def page_of_kiosk(hall: Hall, device: str) -> DeviceDocument:
    """A kiosk's page as a device."""
    return _document(device, "kiosk", device_name(hall.catalogue, device), "")


class PageState(Struct, frozen=True, kw_only=True):
    """A paired screen as its page is there: `connected_since` and `seen` in ms UTC, None while it is not, or never was."""

    role: str
    of: str
    name: str
    connected_since: int | None
    seen: int | None
    size: PageSize | None


def page_place(hall: Hall, role: str, of: str) -> Words:
    """Where a paired screen belongs, for people: the hall or its zone, a window, a board's or kiosk's own name."""
    if role == "kiosk":
        return device_name(hall.catalogue, f"{KIOSK_PAGE}{of}")
    if role == "window":
        entry = hall.catalogue.windows.get(of)
        return words("place-window", {"plate": plate_of(hall, of)}) if entry is not None else plain(of)
    if role == "hall" and not of:
        return plain(hall.configuration.hall.name, hall.configuration.hall.name_en)
    if role == "hall":
        if (zone := hall.catalogue.zones.get(of)) is None:
            return plain(of)
        zh, en = ({"floor": zone.floor, "zone": of, "name": name} for name in (zone.name, zone.name_en or zone.name))
        return Words(zh=words("place-zone", zh).zh.strip(), en=words("place-zone", en).en.strip())
    board = next((each for each in hall.configuration.led if each.id == of and each.name), None)
    return plain(board.name, board.name_en) if board is not None else plain(of)


def _screen(hall: Hall, name: str, page: PageState) -> DeviceDocument:
    """A paired screen as a device: online while its page is, or was a moment ago; unknown when it never was since the start."""
    state = DeviceState.UNKNOWN if page.seen is None else DeviceState.OFFLINE
    called = plain(page.name) if page.name else page_place(hall, page.role, page.of)
    return structs.replace(
        _document(name, page.role, called, page.of if page.role == "window" else ""),
        state=DeviceState.ONLINE if page.connected_since is not None else state,
        last_seen=page.seen,
    )


def _facts(page: PageState) -> PageFacts:
    size = page.size
    return PageFacts(
        connected_since=page.connected_since,
        width=size.width if size is not None else 0,
        height=size.height if size is not None else 0,
        ratio=size.ratio if size is not None else 0.0,
    )


def device_documents(hall: Hall, around: Surroundings) -> DevicesDocument:
    """Every device of the hall's file in its order, the kiosks' pages that were ever there, the other paired screens, and the
    sound zones."""
    heard, speech = around.devices, around.speech
    found = [heard.get(device.id) or _remembered(hall, unheard(hall, device)) for device in hall.configuration.device]
    pages = (f"{KIOSK_PAGE}{kiosk.id}" for kiosk in hall.configuration.kiosk)
    found += [heard[page] for page in pages if page in heard]  # what the hall's file has no longer is not shown
    found += [_screen(hall, name, page) for name, page in around.pages.items() if name.startswith(SCREEN)]
    for zone in dict.fromkeys(window.zone for window in hall.configuration.window):
        said = speech.get(zone)
        state = _SPEECH.get(said.state, DeviceState.UNKNOWN) if said is not None else DeviceState.UNKNOWN
        document = _document(ZONE + zone, "zone", page_place(hall, "hall", zone), "")
        found.append(structs.replace(document, state=state, sound=_sound(around, zone)))
    documents = [_now(hall, document) for document in found]
    return DevicesDocument(
        devices=[
            structs.replace(each, page=_facts(around.pages[each.id])) if each.id in around.pages else each
            for each in documents
        ]
    )


def _sound(around: Surroundings, zone: str) -> ZoneSound:
    now = around.clock.now()
    mute = around.loudness.mute(zone, now)
    return ZoneSound(volume=around.loudness.at(zone, now), muted_until=mute.until if mute is not None else None)


def _document(name: str, kind: str, called: Words, window: str) -> DeviceDocument:
    return DeviceDocument(
        id=name,
        kind=kind,
        name=called,
        window=window,
        state=DeviceState.UNKNOWN,
        last_seen=None,
        last_error="",
        printer=None,
        counters={},
        since=None,
        test="",
        trial=None,
        page=None,
    )


def _remembered(hall: Hall, document: DeviceDocument) -> DeviceDocument:
    """What the journal knows of it, as long as its agent has not told anything since the server's start."""
    health = hall.devices.get(document.id)
    if health is None:
        return document
    return structs.replace(document, state=health.state, printer=health.printer, last_error=health.error)


def _now(hall: Hall, document: DeviceDocument) -> DeviceDocument:
    """With what the hall says of it: its name, since when, losses today (RULES 37: seen before they are an alarm), tests."""
    health, trial = hall.devices.get(document.id), hall.tests.get(document.id)
    losses = {"offline_today": health.losses} if health is not None and health.losses else {}
    return structs.replace(
        document,
        name=device_name(hall.catalogue, document.id) if document.id in hall.catalogue.device_names else document.name,
        since=health.since or None if health is not None else None,
        counters={**losses, **document.counters},
        test=test_of(hall, document.id),
        trial=_trial(trial) if trial is not None else None,
    )


def _trial(trial: DeviceTest) -> DeviceTrial:
    outcome = trial.outcome or "running"
    own = f"tested.{trial.test}.{outcome}"
    codes = f"{own}.{trial.reason}", own, f"tested.{outcome}"
    text = words(next(code for code in codes if has(code)), {"reason": trial.reason})
    return DeviceTrial(test=trial.test, at=trial.at, outcome=trial.outcome, text=text)
