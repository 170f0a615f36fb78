"""Who is asking: a member of staff by cookie, a paired device by token, or a citizen by a ticket's token."""

from aiohttp import web
from msgspec import Struct

from queue_server.app.accounts import Accounts
from queue_server.domain.errors import Rejected

COOKIE = "yichuang"


class Person(Struct, frozen=True):
    """`kind` is staff or device; roles are the staff's, or the device's one role; `of` a device's place."""

    kind: str
    name: str
    display_name: str
    roles: frozenset[str]
    of: str = ""
    window: str = ""
    must_change: bool = False

    @property
    def actor(self) -> str:
        return f"{self.kind}:{self.name}"


def bearer(request: web.Request) -> str:
    """The token of `Authorization: Bearer …`, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def device_person(accounts: Accounts, token: str) -> Person | None:
    device = accounts.device(token) if token else None
    if device is None:
        return None
    return Person("device", device.id, device.name, frozenset({device.role}), of=device.of)


def staff_person(accounts: Accounts, cookie: str) -> Person | None:
    staff = accounts.session(cookie) if cookie else None
    if staff is None:
        return None
    return Person("staff", staff.staff, staff.name, staff.roles, window=staff.window, must_change=staff.must_change)


def identify(accounts: Accounts, request: web.Request) -> Person | None:
    """Whoever the request's token or cookie names."""
    return device_person(accounts, bearer(request)) or staff_person(accounts, request.cookies.get(COOKIE, ""))


def require(person: Person | None, roles: frozenset[str]) -> Person:
    """The person, when one of the roles is theirs; Rejected unauthorised or forbidden."""
    if person is None:
        raise Rejected("unauthorised")
    if not person.roles & roles:
        raise Rejected("forbidden")
    if person.must_change:
        raise Rejected("password-change-needed")
    return person
