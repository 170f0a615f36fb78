"""What each event means for the tables that reports read: pure, total, absolute values only."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from queue_server.domain import events as e
from queue_server.domain.events import decode_event
from queue_server.store.port import JournalRow, NewEvent, Upsert
from queue_server.wire.common import PrintState, TicketState

_encode = msgspec.json.Encoder().encode
_WAITING, _CLAIMED, _NONE = TicketState.WAITING.value, PrintState.CLAIMED.value, PrintState.NONE.value


def project(row: JournalRow | NewEvent) -> Iterable[Upsert]:
    """Upserts of one journal row, from its event where that is still at hand."""
    if row.subject == "configuration":
        return ()
    event = row.event if isinstance(row, NewEvent) else None
    if event is None:
        event = decode_event(row.kind, row.version, row.data)
    match event:
        case e.TicketIssued():
            return (_issued(event, row.day),)
        case e.TicketCalled() | e.TicketRestored() | e.TicketUnparked():
            return _begun(event, row.day)
        case e.DirectServiceStarted():
            return (_direct(event, row.day),)
        case e.ServiceFinished() | e.StopFinished():
            return _ended(event)
        case e.ServiceRated():
            return _rated(event)
        case _:
            return _changed(event)


def _ticket(name: str, **values: str | int | None) -> Upsert:
    return Upsert("tickets", name, values)


def _service(name: str, **values: str | int | bool | None) -> Upsert:
    return Upsert("services", name, values)


def _names(matters: tuple[str, ...], bundle: str) -> str:
    return msgspec.json.encode([bundle] if bundle else list(matters)).decode()


def _issued(event: e.TicketIssued, day: str) -> Upsert:
    values: dict[str, str | int | None] = {
        "day": day,
        "number": event.number,
        "queue": event.stops[0].queue,
        "matters": _wanted(event.stops),
        "quantity": event.quantity,
        "priority": event.priority,
        "person": event.person or None,
        "state": _WAITING,
        "effective_at": event.key[0],
        "issued_at": event.at,
        "calls": 0,
        "print_state": _CLAIMED if event.printer else _NONE,
        "origin": event.origin,
    }
    return Upsert("tickets", event.ticket, values)


@lru_cache(4096)
def _wanted(stops: tuple[e.StopPlan, ...]) -> str:
    return _encode([name for stop in stops for name in ((stop.bundle,) if stop.bundle else stop.matters)]).decode()


def _begun(event: e.TicketCalled | e.TicketRestored | e.TicketUnparked, day: str) -> Iterable[Upsert]:
    unparked = isinstance(event, e.TicketUnparked)
    state = TicketState.SERVING if unparked else TicketState.CALLED
    ticket = {"state": state.value, "window": event.window}
    yield _ticket(event.ticket, **ticket, **({} if unparked else {"called_at": event.at, "calls": 1}))
    yield _service(
        event.service,
        day=day,
        ticket=event.ticket,
        window=event.window,
        staff=event.staff,
        matters=_names(event.matters, event.bundle),
        quantity=event.quantity,
        direct=False,
        called_at=event.at,
        started_at=event.at if unparked else None,
        inferred="",
    )


def _direct(event: e.DirectServiceStarted, day: str) -> Upsert:
    return _service(
        event.service,
        day=day,
        ticket=None,
        window=event.window,
        staff=event.staff,
        matters=_names(event.matters, ""),
        quantity=event.quantity,
        direct=True,
        called_at=event.at,
        started_at=event.at,
        inferred="",
    )


def _ended(event: e.ServiceFinished | e.StopFinished) -> Iterable[Upsert]:
    inferred = {"inferred": f"finish: {event.inferred}"} if event.inferred else {}
    yield _service(event.service, finished_at=event.at, outcome=event.outcome, **inferred)
    if event.ticket:
        if isinstance(event, e.ServiceFinished):
            yield _ticket(event.ticket, state=TicketState.DONE.value, finished_at=event.at, outcome=event.outcome)
        else:
            yield _ticket(event.ticket, state=TicketState.WAITING.value, window="")


def _rated(event: e.ServiceRated) -> Iterable[Upsert]:
    yield Upsert(
        "ratings",
        event.rating,
        {
            "service": event.service,
            "level": event.level,
            "channel": event.channel,
            "device": event.device,
            "tags": ",".join(event.tags),
            "pressed_at": event.pressed_at,
            "received_at": event.at,
            "late": event.late,
        },
    )
    yield _service(event.service, rating=event.rating)


def _changed(event: e.Event) -> Iterable[Upsert]:  # long: one case an event
    """Events that change one or two columns."""
    match event:
        case e.CitizenArrived():
            yield _ticket(event.ticket, state=TicketState.SERVING.value, arrived_at=event.at, started_at=event.at)
            inferred = {"inferred": f"arrival: {event.inferred}"} if event.inferred else {}
            yield _service(event.service, started_at=event.at, **inferred)
        case e.TicketRecalled():
            yield _ticket(event.ticket, calls=event.times)
        case e.TicketRequeued():
            yield _ticket(event.ticket, state=TicketState.WAITING.value, window="", effective_at=event.key.effective_at)
            yield _service(event.service, outcome="no-show")
        case e.TicketPassed() | e.TicketVoided():
            state = TicketState.PASSED if isinstance(event, e.TicketPassed) else TicketState.VOID
            yield _ticket(event.ticket, state=state.value)
            yield _service(event.service, outcome="no-show")
        case e.NoShowUndone():
            yield _ticket(event.ticket, state=TicketState.CALLED.value, window=event.window)
            yield _service(event.service, outcome="")
        case e.FinishUndone():
            if event.ticket:
                yield _ticket(event.ticket, state=TicketState.SERVING.value, finished_at=None, outcome="")
            yield _service(event.service, finished_at=None, outcome="", invited_at=None, qr_offered=None)
        case e.TicketTransferred():
            yield _ticket(event.ticket, state=TicketState.WAITING.value, window="", queue=event.stop.queue)
            yield _service(event.service, finished_at=event.at, outcome="transferred")
        case e.TicketParked():
            yield _ticket(event.ticket, state=TicketState.PARKED.value)
            yield _service(event.service, finished_at=event.at, outcome="parked")
        case e.TicketCancelled():
            yield _ticket(event.ticket, state=TicketState.CANCELLED.value, finished_at=event.at)
        case e.TicketUncalled():
            yield _ticket(event.ticket, state=TicketState.UNCALLED.value, finished_at=event.at)
        case e.TicketDelayed() | e.TicketReactivated():
            yield _ticket(event.ticket, state=TicketState.WAITING.value, effective_at=event.key.effective_at)
        case e.PrintRecorded():
            yield _ticket(event.ticket, print_state=event.state.value)
        case e.ReprintRequested() | e.SlipRequested():
            yield _ticket(event.ticket, print_state=PrintState.CLAIMED.value)
        case e.RatingInvited():
            yield _service(event.service, invited_at=event.at, qr_offered=not event.device)
        case _:
            return
