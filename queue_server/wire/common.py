"""What every message shares: versions, the base struct, and the vocabulary of states that screens may show."""

from enum import StrEnum

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of every wire message: immutable, keyword only, every field always present in the JSON."""


class Incoming(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every body a client sends: an unknown field is an error that names the field."""


class Version(Message, frozen=True, kw_only=True):
    """Order of documents: the writer's epoch, the journal's seq, and n for changes without an event."""

    epoch: int
    seq: int
    n: int


class HallState(StrEnum):
    """The day of a hall."""

    BEFORE = "before"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class TicketState(StrEnum):
    """Where a ticket is; exactly one of these at any time."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    PARKED = "parked"
    PASSED = "passed"
    DONE = "done"
    CANCELLED = "cancelled"
    VOID = "void"
    UNCALLED = "uncalled"


class WindowState(StrEnum):
    """RULES 12, with the desk's point of view: idle, called, serving, paused, closed.

    评价中 is no state but the flag `inviting` of a window's document: the window may call on while the citizen it served rates.
    """

    IDLE = "idle"
    CALLED = "called"
    SERVING = "serving"
    PAUSED = "paused"
    CLOSED = "closed"


class PrinterState(StrEnum):
    """UX K-11."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    JAM = "jam"
    COVER = "cover"
    OFFLINE = "offline"
    UNREADABLE = "unreadable"


class DeviceState(StrEnum):
    """Health of a device as the agent sees it."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class PrintState(StrEnum):
    """What became of a ticket's paper (UX K-12)."""

    NONE = "none"
    CLAIMED = "claimed"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Words(Message, frozen=True, kw_only=True):
    """One text in both languages; Chinese first."""

    zh: str
    en: str = ""
