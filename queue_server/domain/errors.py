"""Blame is the taxonomy (DESIGN 7): whose fault it is says what happens next."""


class Rejected(Exception):
    """Understood and not allowed now; `code` is translated, `figures` fill its sentence.

    `events` are what must be recorded all the same (an unmet demand, an asked question).
    """

    def __init__(self, code: str, *events: object, **figures: object) -> None:
        super().__init__(code)
        self.code = code
        self.events = events
        self.figures = figures


class Malformed(Exception):
    """The peer sent nonsense; `field` names what."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Unavailable(Exception):
    """A device, disk or peer is not there now."""


class Broken(Exception):
    """An invariant of ours failed: the hall stops and says so."""
