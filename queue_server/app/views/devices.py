"""The hall's devices: those of the agents, the kiosks' pages, and what sounds in each zone (RULES 37, 89)."""

from collections.abc import Mapping

from msgspec import structs

from queue_server.app.texts import has, words
from queue_server.domain.configuration import KIOSK_PAGE, Device
from queue_server.domain.devices import ZONE, test_of
from queue_server.domain.model import DeviceTest, Hall
from queue_server.wire.common import DeviceState
from queue_server.wire.documents import DeviceDocument, DevicesDocument, DeviceTrial, SpeechDocument

_SPEECH = {"voiced": DeviceState.ONLINE, "muted": DeviceState.DEGRADED}


def unheard(hall: Hall, entry: Device) -> DeviceDocument:
    """A device of the hall's file of which nothing was heard since the start."""
    return _document(entry.id, entry.kind, hall.catalogue.device_names[entry.id], entry.window)


def page_of_kiosk(hall: Hall, device: str) -> DeviceDocument:
    """A kiosk's page as a device."""
    return _document(device, "kiosk", hall.catalogue.device_names.get(device, device), "")


def device_documents(
    hall: Hall, heard: Mapping[str, DeviceDocument], speech: Mapping[str, SpeechDocument]
) -> DevicesDocument:
    """Every device of the hall's file in its order, the kiosks' pages that were ever there, and the sound zones."""
    found = [heard.get(device.id) or _remembered(hall, unheard(hall, device)) for device in hall.configuration.device]
    pages = (f"{KIOSK_PAGE}{kiosk.id}" for kiosk in hall.configuration.kiosk)
    found += [heard[page] for page in pages if page in heard]  # what the hall's file has no longer is not shown
    for zone in dict.fromkeys(window.zone for window in hall.configuration.window):
        entry, said = hall.catalogue.zones.get(zone), speech.get(zone)
        state = _SPEECH.get(said.state, DeviceState.UNKNOWN) if said is not None else DeviceState.UNKNOWN
        place = f"{entry.floor} {zone}区 {entry.name}".strip() if entry is not None else zone
        found.append(structs.replace(_document(ZONE + zone, "zone", place, ""), state=state))
    return DevicesDocument(devices=[_now(hall, document) for document in found])


def _document(name: str, kind: str, called: str, window: str) -> DeviceDocument:
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
    )


def _remembered(hall: Hall, document: DeviceDocument) -> DeviceDocument:
    """What the journal knows of it, as long as its agent has not told anything since the server's start."""
    health = hall.devices.get(document.id)
    if health is None:
        return document
    return structs.replace(document, state=health.state, printer=health.printer, last_error=health.error)


def _now(hall: Hall, document: DeviceDocument) -> DeviceDocument:
    """With what the hall's state says of it: since when, losses today (RULES 37: seen before they are an alarm), tests."""
    health, trial = hall.devices.get(document.id), hall.tests.get(document.id)
    losses = {"offline_today": health.losses} if health is not None and health.losses else {}
    return structs.replace(
        document,
        since=health.since or None if health is not None else None,
        counters={**losses, **document.counters},
        test=test_of(hall, document.id),
        trial=_trial(trial) if trial is not None else None,
    )


def _trial(trial: DeviceTest) -> DeviceTrial:
    outcome = trial.outcome or "running"
    own = f"tested.{trial.test}.{outcome}"
    text = words(own if has(own) else f"tested.{outcome}", {"reason": trial.reason})
    return DeviceTrial(test=trial.test, at=trial.at, outcome=trial.outcome, text=text)
