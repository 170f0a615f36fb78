"""Who may do what: staff with passwords and sessions, and paired devices with revocable tokens."""

import asyncio
import contextlib
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct, structs

from queue_server.app.clock import Clock
from queue_server.domain.errors import Malformed, Rejected
from queue_server.store.accounts import AccountStore, PairedRow, SessionRow, StaffRow
from queue_server.store.port import StoreError

log = structlog.get_logger()

ROLES = frozenset({"clerk", "guide", "desk", "manager", "admin", "auditor"})
DEVICE_ROLES = frozenset({"hall", "window", "kiosk", "led", "agent"})
SESSION_MS = 14 * 3600 * 1000
TRIES = 5
LOCKED_MS = 10 * 60_000
PASSWORD_MIN = 8
PAIRING_MS = 10 * 60_000
PAIRINGS_MAX = 200
APPROVAL_TRIES = 5
REREAD_S = 2.0
FIRST_ADMIN = "admin"
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$ac8BAv4csxLw6YSc5EduMg$s2Tg1/nVtRKwCkfo3mHJPGbxc1oKWkyesxDDLZVB9Bk"
"""Of a password that nobody was told, at the hasher's own cost: an unknown number takes as long to refuse as a known one."""
PIN_ACCOUNT = "-kiosk-pin"
"""Not a member of staff: whose password is the PIN of the kiosks' staff menu (UX K-16)."""


_PIN = "pin:"
"""Before the id of a kiosk where its wrong PINs are counted: no staff number has a colon."""


class Staff(Struct, frozen=True):
    """A signed-in member of staff."""

    staff: str
    name: str
    roles: frozenset[str]
    window: str
    must_change: bool


class Device(Struct, frozen=True):
    """A paired screen, kiosk or agent; `of` is its zone, window, kiosk or agent id."""

    id: str
    role: str
    of: str
    name: str


@dataclass(slots=True)
class _Pairing:
    code: str
    expires_at: int
    tries: int = 0
    token: str = ""
    device: Device | None = None


def new_password() -> str:
    """One to be shown once, and changed at the first sign-in."""
    return secrets.token_urlsafe(9)


def new_pin() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def digest(secret: str) -> str:
    """What is kept of a cookie or token."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Accounts:
    """All in memory after `load`; every change is durable before it is answered."""

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hasher = PasswordHasher()
        self._staff: dict[str, StaffRow] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._paired: dict[str, PairedRow] = {}
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """How many by who failed, and until when they count, ms UTC."""
        self._pairings: OrderedDict[str, _Pairing] = OrderedDict()
        self._changing = asyncio.Lock()
        """Held while an account or session is changed on the disk and here, so that `reread` sees both or neither."""

    async def load(self) -> None:
        """Read everything."""
        self._staff = {row.staff: row for row in await self._store.staff()}
        self._sessions = {row.digest: row for row in await self._store.sessions(self._clock.now())}
        self._paired = {row.digest: row for row in await self._store.paired()}

    async def first_start(self) -> tuple[str, str]:
        """On the very first start the admin's password and the kiosks' PIN, which are made here; otherwise "" twice."""
        if self._staff:
            return "", ""
        password, pin = new_password(), new_pin()
        await self.put_staff(FIRST_ADMIN, "系统管理员", ["admin", "manager"], password, must_change=True)
        await self.set_pin(pin)
        return password, pin

    async def watch(self, stopped: asyncio.Event) -> None:
        """Take up what `yichuang account reset` wrote beside us, until `stopped`."""
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), REREAD_S)
            try:
                await self.reread()
            except StoreError as error:
                log.warning("accounts not read again", reason=str(error))

    async def reread(self) -> None:
        """Accounts that were changed by another process count as they are now, and their sessions here have ended."""
        async with self._changing:
            await self._take_up()

    async def _take_up(self) -> None:
        """`reread` for who holds `_changing`."""
        rows = {row.staff: row for row in await self._store.staff()}
        changed = {name for name, row in rows.items() if self._staff.get(name) != row}
        if changed:
            self._staff = rows
            self._sessions = {k: s for k, s in self._sessions.items() if s.staff not in changed}
            log.warning("accounts changed at the server itself", staff=sorted(changed))
            for name in list(self._failures):
                if (PIN_ACCOUNT if name.startswith(_PIN) else name) in changed:
                    del self._failures[name]

    # --- staff ---

    def staff(self) -> list[StaffRow]:
        return sorted((row for row in self._staff.values() if row.staff != PIN_ACCOUNT), key=lambda row: row.staff)

    async def set_pin(self, pin: str) -> None:
        """The PIN of the kiosks' staff menu, 4 to 12 digits."""
        if not pin.isdecimal() or not 4 <= len(pin) <= 12:
            raise Rejected("pin-weak")
        hashed = await asyncio.to_thread(self._hasher.hash, pin)
        row = StaffRow(PIN_ACCOUNT, "", "", hashed, False, False)
        await self._keep(PIN_ACCOUNT, lambda _: row, ends_sessions=False)

    async def check_pin(self, device: str, pin: str) -> None:
        """Rejected wrong-pin, or locked-out after five tries at one kiosk."""
        await self.reread()  # a PIN that was reset a moment ago counts, and so does its end of the lock
        now, name = self._clock.now(), f"{_PIN}{device}"
        self._refuse_locked(name, now)
        if not await asyncio.to_thread(self._verify, self._staff.get(PIN_ACCOUNT), pin):
            self._count_failure(name, now)
            raise Rejected("wrong-pin")
        self._failures.pop(name, None)

    def check_slip(self, device: str, right: bool) -> None:
        """Rejected slip-wrong, or locked-out after five wrong codes within ten minutes at one kiosk (RULES 28).

        A right one takes none of them back: everybody has a slip to put between guesses at another's four figures.
        """
        now, name = self._clock.now(), f"slip:{device}"
        self._refuse_locked(name, now)
        if not right:
            self._count_failure(name, now)
            raise Rejected("slip-wrong")

    def _refuse_locked(self, name: str, now: int) -> None:
        tries, until = self._failures.get(name, (0, 0))
        if tries >= TRIES and until > now:
            raise Rejected("locked-out", minutes=-(-(until - now) // 60_000))

    def _count_failure(self, name: str, now: int) -> None:
        """Forgotten ten minutes after the first, or after the fifth, which locks."""
        tries, until = self._failures.get(name, (0, 0))
        if until <= now:
            tries, until = 0, now + LOCKED_MS
        self._failures[name] = (tries + 1, now + LOCKED_MS if tries + 1 >= TRIES else until)
        while len(self._failures) > 10_000:
            self._failures.popitem(last=False)

    async def name_of_clerk(self, staff: str) -> str | None:
        """The name of an active clerk, None for nobody (a keypad signs in by number alone)."""
        row = self._staff.get(staff)
        return row.name if row is not None and row.active and "clerk" in row.roles.split(",") else None

    async def put_staff(
        self, staff: str, name: str, roles: list[str], password: str, *, active: bool = True, must_change: bool = True
    ) -> None:
        """Made or replaced; an empty password keeps the old one. Rejected for weak passwords."""
        hashed = ""
        if password:
            _check_password(staff, password)
            hashed = await asyncio.to_thread(self._hasher.hash, password)

        def change(known: StaffRow | None) -> StaffRow:
            row = StaffRow(staff, name, ",".join(sorted(set(roles) & ROLES)), hashed, must_change, active)
            if hashed:
                return row
            if known is None:
                raise Rejected("password-weak")
            return structs.replace(row, password=known.password, must_change=known.must_change)

        await self._keep(staff, change, ends_sessions=bool(password) or not active)

    async def _keep(
        self, staff: str, change: Callable[[StaffRow | None], StaffRow], *, ends_sessions: bool, but: str = ""
    ) -> None:
        """What `change` makes of the account as it is on the disk in the moment of writing (`AccountStore.change_staff`).

        With it end its sessions, except the one with the digest `but`: both durable, or neither.
        """
        async with self._changing:
            await self._take_up()
            known = self._staff.get(staff)
            before, row = await self._store.change_staff(staff, change, ends_sessions=ends_sessions, but=but)
            self._staff[staff] = row
            if ends_sessions or before != known:  # another process changed it after we had looked
                self._sessions = {k: s for k, s in self._sessions.items() if s.staff != staff or k == but}

    async def sign_in(self, staff: str, password: str, window: str) -> tuple[str, Staff]:
        """(cookie, who); Rejected wrong-password or locked-out (RULES 94)."""
        await self.reread()  # a password that was reset a moment ago counts, and so does its end of the lock
        now = self._clock.now()
        self._refuse_locked(staff, now)
        row = self._staff.get(staff)
        good = await asyncio.to_thread(self._verify, row, password)
        if row is None or not good or not row.active:
            self._count_failure(staff, now)
            raise Rejected("wrong-password")
        self._failures.pop(staff, None)
        cookie = secrets.token_urlsafe(24)
        session = SessionRow(digest(cookie), staff, window, now, now + SESSION_MS)
        async with self._changing:
            await self._store.add_session(session)
            self._sessions[session.digest] = session
        await self.reread()
        if self._staff.get(staff) != row:  # the account was reset while its old password was being checked
            await self.sign_out(cookie)
            await self._store.end_session(session.digest)  # `reread` may have ended it here alone
            raise Rejected("wrong-password")
        return cookie, _who(row, session)

    def _verify(self, row: StaffRow | None, password: str) -> bool:
        """Takes as long for an unknown number as for a known one."""
        try:
            return self._hasher.verify(row.password if row else _NOBODY, password) and row is not None
        except (VerificationError, InvalidHashError):
            return False

    async def change_password(self, staff: str, old: str, new: str, keep: str) -> None:
        """The account's own change; other sessions of it end."""
        row = self._staff[staff]
        if not await asyncio.to_thread(self._verify, row, old):
            raise Rejected("wrong-password")
        _check_password(staff, new)
        hashed = await asyncio.to_thread(self._hasher.hash, new)

        def change(known: StaffRow | None) -> StaffRow:
            if known is None or known.password != row.password:  # reset meanwhile: the old one opens nothing any more
                raise Rejected("wrong-password")
            return structs.replace(known, password=hashed, must_change=False)

        await self._keep(staff, change, ends_sessions=True, but=digest(keep))

    def session(self, cookie: str) -> Staff | None:
        """Who holds the cookie."""
        session = self._sessions.get(digest(cookie))
        if session is None or session.expires_at <= self._clock.now():
            return None
        row = self._staff.get(session.staff)
        return _who(row, session) if row is not None and row.active else None

    async def sign_out(self, cookie: str) -> None:
        """The session ends once its end is durable (law 1): a restart must not bring it back."""
        name = digest(cookie)
        if name in self._sessions:
            await self._store.end_session(name)
            self._sessions.pop(name, None)

    # --- devices ---

    def device(self, token: str) -> Device | None:
        """Which paired device holds the token."""
        row = self._paired.get(digest(token))
        return Device(row.id, row.role, row.of, row.name) if row is not None else None

    def devices(self) -> list[PairedRow]:
        return sorted(self._paired.values(), key=lambda row: row.created_at)

    async def pair(self, role: str, of: str, name: str) -> tuple[str, Device]:
        """(token, device): the token is shown once and kept as a digest."""
        if role not in DEVICE_ROLES:
            raise Malformed("role", f"one of {', '.join(sorted(DEVICE_ROLES))}")
        token = secrets.token_urlsafe(24)
        row = PairedRow(secrets.token_hex(6), digest(token), role, of, name, self._clock.now())
        await self._store.add_paired(row)
        self._paired[row.digest] = row
        return token, Device(row.id, row.role, row.of, row.name)

    async def revoke(self, name: str) -> bool:
        """Whether there was such a device; its token is worthless from now on."""
        removed = await self._store.remove_paired(name)
        self._paired = {key: row for key, row in self._paired.items() if row.id != name}
        return removed

    def begin_pairing(self) -> tuple[str, str, int]:
        """(id, six-digit code, expiry): the code is on the screen, the id stays in the page (UX S-03)."""
        now = self._clock.now()
        for name in [name for name, pairing in self._pairings.items() if pairing.expires_at <= now]:
            del self._pairings[name]
        while len(self._pairings) >= PAIRINGS_MAX:
            self._pairings.popitem(last=False)
        taken = {pairing.code for pairing in self._pairings.values()}
        code = next(c for c in iter(lambda: f"{secrets.randbelow(1_000_000):06d}", "") if c not in taken)
        name = secrets.token_urlsafe(18)
        self._pairings[name] = _Pairing(code, now + PAIRING_MS)
        return name, code, now + PAIRING_MS

    def pairing(self, name: str) -> tuple[str, str, Device | None]:
        """(state, token, device): waiting, paired (the token, once) or expired."""
        pairing = self._pairings.get(name)
        if pairing is None or pairing.expires_at <= self._clock.now():
            return "expired", "", None
        if pairing.device is None:
            return "waiting", "", None
        del self._pairings[name]
        return "paired", pairing.token, pairing.device

    async def approve(self, code: str, role: str, of: str, name: str) -> Device:
        """An administrator typed the code of a screen; Rejected for a wrong one, five of which end all open codes."""
        now = self._clock.now()
        for pairing in self._pairings.values():
            if secrets.compare_digest(pairing.code, code) and pairing.expires_at > now and pairing.device is None:
                pairing.token, pairing.device = await self.pair(role, of, name)
                return pairing.device
        for key in list(self._pairings):
            self._pairings[key].tries += 1
            if self._pairings[key].tries >= APPROVAL_TRIES:
                del self._pairings[key]
        raise Rejected("pairing-unknown")


def _check_password(staff: str, password: str) -> None:
    if len(password) < PASSWORD_MIN or password == staff:
        raise Rejected("password-weak")


def _who(row: StaffRow, session: SessionRow) -> Staff:
    return Staff(row.staff, row.name, frozenset(row.roles.split(",")), session.window, row.must_change)
