"""Requests about people and devices: sessions, accounts, pairing."""

from collections import Counter

from aiohttp import web

from queue_server.app.texts import plain, words
from queue_server.domain.errors import Malformed, Rejected
from queue_server.domain.model import Hall
from queue_server.web.frame import Frame, Route
from queue_server.web.principals import COOKIE, Person, identify
from queue_server.wire.api import (
    ApprovePairing,
    ChangePassword,
    Empty,
    NewStaff,
    PairedDevice,
    PairedList,
    Pairing,
    PairingState,
    Place,
    Session,
    SignIn,
    StaffEntry,
    StaffList,
    encode,
)

ADMINS = frozenset({"admin"})
STAFF = frozenset({"clerk", "guide", "desk", "manager", "admin", "auditor"})
PATHS = {"hall": "/hall", "window": "/window", "kiosk": "/kiosk", "led": "/led", "agent": ""}


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(value), content_type="application/json")


def _session(frame: Frame, person: Person) -> Session:
    return Session(
        staff=person.name,
        name=person.display_name,
        roles=sorted(person.roles),
        hall=frame.hub.name,
        window=person.window,
        must_change_password=person.must_change,
    )


async def sign_in(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """A cookie that works on plain HTTP in a LAN and is Secure under TLS (UX X-13)."""
    body = await frame.body(request, SignIn)
    cookie, staff = await frame.accounts.sign_in(body.staff, body.password, body.window)
    who = Person("staff", staff.staff, staff.name, staff.roles, window=staff.window, must_change=staff.must_change)
    response = _json(_session(frame, who))
    response.set_cookie(
        COOKIE, cookie, httponly=True, samesite="Strict", secure=request.secure, path="/", max_age=14 * 3600
    )
    return response


async def session(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Who is signed in; also while the first password must still be changed."""
    known = identify(frame.accounts, request)
    if known is None or known.kind != "staff":
        raise Rejected("unauthorised")
    return _json(_session(frame, known))


async def sign_out(frame: Frame, request: web.Request, person: Person) -> web.Response:
    await frame.accounts.sign_out(request.cookies.get(COOKIE, ""))
    response = _json({})
    response.del_cookie(COOKIE, path="/")
    return response


async def change_password(frame: Frame, request: web.Request, person: Person) -> web.Response:
    known = identify(frame.accounts, request)
    if known is None or known.kind != "staff":
        raise Rejected("unauthorised")
    body = await frame.body(request, ChangePassword)
    await frame.accounts.change_password(known.name, body.old, body.new, request.cookies.get(COOKIE, ""))
    return _json({})


async def list_staff(frame: Frame, request: web.Request, person: Person) -> web.Response:
    entries = [
        StaffEntry(staff=row.staff, name=row.name, roles=row.roles.split(","), active=row.active)
        for row in frame.accounts.staff()
    ]
    return _json(StaffList(staff=entries))


async def put_staff(frame: Frame, request: web.Request, person: Person) -> web.Response:
    body = await frame.body(request, NewStaff)
    if not body.staff.isalnum() or len(body.staff) > 20 or not body.name or len(body.name) > 40:
        raise Malformed("staff", "letters and digits, at most 20; a name of at most 40")
    unknown = set(body.roles) - STAFF
    if unknown or not body.roles:
        raise Malformed("roles", f"some of {', '.join(sorted(STAFF))}")
    await frame.accounts.put_staff(body.staff, body.name, body.roles, body.password, active=body.active)
    return await list_staff(frame, request, person)


async def begin_pairing(frame: Frame, request: web.Request, person: Person) -> web.Response:
    await frame.body(request, Empty)
    name, code, expires_at = frame.accounts.begin_pairing()
    return _json(Pairing(id=name, code=code, expires_at=expires_at), 201)


async def pairing(frame: Frame, request: web.Request, person: Person) -> web.Response:
    state, token, device = frame.accounts.pairing(request.match_info["pairing"])
    role = device.role if device else ""
    view = "" if role == "agent" else role
    return _json(
        PairingState(state=state, token=token, view=view, of=device.of if device else "", path=PATHS.get(role, ""))
    )


async def approve(frame: Frame, request: web.Request, person: Person) -> web.Response:
    body = await frame.body(request, ApprovePairing)
    known = [place.of for place in await frame.hub.read(_places) if place.role == body.role]
    if body.role in PATHS and body.of not in (*known, *([""] if body.role == "hall" else [])):
        raise Malformed("of", f"no {body.role} {body.of!r} in this hall; there are: {', '.join(known) or 'none'}")
    device = await frame.accounts.approve(request.match_info["code"], body.role, body.of, body.name)
    created = next(row.created_at for row in frame.accounts.devices() if row.id == device.id)
    entry = PairedDevice(
        id=device.id, role=device.role, of=device.of, name=device.name, created_at=created, last_seen=None
    )
    return _json(entry)


def _places(hall: Hall) -> list[Place]:
    """Where a screen, kiosk or agent of each role can be; a hall's own display, of no zone, is not in the list."""
    file = hall.configuration
    agents = Counter(device.agent for device in file.device)
    return [
        *(Place(role="hall", of=zone.id, name=plain(zone.name, zone.name_en)) for zone in file.zone),
        *(Place(role="window", of=window.id, name=plain(window.name, window.name_en)) for window in file.window),
        *(Place(role="kiosk", of=kiosk.id, name=plain(kiosk.name, kiosk.name_en)) for kiosk in file.kiosk),
        *(Place(role="led", of=led.id, name=plain(led.name, led.name_en)) for led in file.led),
        *(Place(role="agent", of=agent, name=words("place-agent", {"n": n})) for agent, n in agents.items()),
    ]


async def paired(frame: Frame, request: web.Request, person: Person) -> web.Response:
    entries = [
        PairedDevice(
            id=row.id,
            role=row.role,
            of=row.of,
            name=row.name,
            created_at=row.created_at,
            last_seen=frame.seen.get(row.id),
        )
        for row in frame.accounts.devices()
    ]
    return _json(PairedList(devices=entries, places=await frame.hub.read(_places)))


async def revoke(frame: Frame, request: web.Request, person: Person) -> web.Response:
    name = request.match_info["device"]
    if not await frame.accounts.revoke(name):
        raise web.HTTPNotFound
    await frame.close_links(name)
    return _json({})


ROUTES: list[Route] = [
    Route("POST", "session", sign_in, frozenset(), SignIn, Session, "Sign in"),
    Route("GET", "session", session, frozenset(), None, Session, "Who is signed in"),
    Route("DELETE", "session", sign_out, frozenset(), None, Empty, "Sign out"),
    Route("POST", "session/password", change_password, frozenset(), ChangePassword, Empty, "Change one's password"),
    Route("GET", "staff", list_staff, ADMINS, None, StaffList, "All accounts"),
    Route("POST", "staff", put_staff, ADMINS, NewStaff, StaffList, "Make or change an account"),
    Route("POST", "pairings", begin_pairing, frozenset(), Empty, Pairing, "A screen asks for a code", 201),
    Route("GET", "pairings/{pairing}", pairing, frozenset(), None, PairingState, "Has the code been approved?"),
    Route("POST", "pairings/{code}/approve", approve, ADMINS, ApprovePairing, PairedDevice, "Approve a screen's code"),
    Route("GET", "paired", paired, ADMINS, None, PairedList, "All paired devices"),
    Route("DELETE", "paired/{device}", revoke, ADMINS, None, Empty, "Revoke a device's token"),
]
