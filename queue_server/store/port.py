"""What the hub sees of the store: plain rows, the lease and the errors, without a word of SQL."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

LEASE_TTL_MS = 6_000
"""How long a lease is good after its last commit or renewal. A standby waits longer than this before it takes over."""

RECEIPTS_KEPT_MS = 30 * 24 * 3600 * 1000
"""How long an idempotency key is remembered (DESIGN law 6)."""

PERSONAL_KEPT_MS = 90 * 24 * 3600 * 1000
"""How long identities are kept unless the hall sets another time (RULES 93)."""


class StoreError(Exception):
    """A store that did not do what was asked; the text says what to do next."""


class Unavailable(StoreError):
    """The disk or the server is not there, full, or read-only. Nothing of the batch was written."""


class InDoubt(StoreError):
    """The outcome of a commit is unknown: stop, `take_over` again (which waits for it), read the tail, never guess."""


class Fenced(StoreError):
    """Another process has taken the hall over, or the lease is not the newest one: stop, write and say nothing."""


class Duplicate(StoreError):
    """A receipt, claim or outbox row with this key exists already. Nothing of the batch was written."""


class Unfit(StoreError):
    """A value that no database can hold (a lone surrogate, a NUL, more than 64 bits): refuse it at the edge."""


class Broken(StoreError):
    """An invariant failed: the key file does not fit the journal, or a row was changed. Stop the hall and say so."""


class NewEvent(Struct, frozen=True, gc=False):
    """A decided event before it is durable. `day` is YYYY-MM-DD or "", `at` ms UTC, `cause` the idempotency key or "".

    `event` is what `data` is the text of, for a projector that need not read the text again; it is never written.
    """

    subject: str
    day: str
    at: int
    actor: str
    cause: str
    kind: str
    version: int
    data: str
    event: Any = None


class JournalRow(Struct, frozen=True, gc=False):
    """One durable event. `data` is the JSON text exactly as hashed, `link` the hex HMAC-SM3 of `chain.link`."""

    hall: str
    seq: int
    epoch: int
    subject: str
    day: str
    at: int
    actor: str
    cause: str
    kind: str
    version: int
    data: str
    link: str


class Receipt(Struct, frozen=True, gc=False):
    """The answer given under an idempotency key; unique per (hall, principal, key). `fingerprint` is of the request body."""

    principal: str
    key: str
    fingerprint: str
    status: int
    body: bytes
    at: int


Value: TypeAlias = str | int | bool | None
ProjectedTable = Literal["tickets", "services", "ratings"]


class Upsert(Struct, frozen=True, gc=False):
    """Sets columns of one projected row, made when absent; columns not named keep their value. Values are absolute."""

    table: ProjectedTable
    id: str
    values: Mapping[str, Value]


Projector = Callable[[JournalRow | NewEvent], Iterable[Upsert]]
"""What an event means for the reports' tables: pure and total, since `verify` and `rebuild` replay it from zero.

It sees events as they are written and rows as they are read, and must find the same in both.
"""


class PersonalRow(Struct, frozen=True, gc=False):
    """What a citizen told us, in clear; the store seals it before it is written. One row per (person, kind)."""

    person: str
    kind: str
    clear: bytes
    created_at: int
    expires_at: int


class Lookup(Struct, frozen=True, gc=False):
    """Ties `hash` (from `Store.identity_hash`) to a random person id until `expires_at`; the newest row wins."""

    hash: str
    person: str
    expires_at: int


ClaimState = Literal["open", "claimed", "done", "dropped", "unknown"]


class Claim(Struct, frozen=True, gc=False):
    """One effect at the edge (law 7). `target` is the printer or the sound zone, `ref` what it is about.

    Written as "claimed" when the hub does it right after the commit, as "open" when somebody is to `claim` it later.
    """

    id: str
    kind: Literal["print", "speech"]
    target: str
    ref: str
    payload: str
    at: int
    expires_at: int
    state: ClaimState = "claimed"
    reason: str = ""


class Settled(Struct, frozen=True, gc=False):
    """How a claim ended. Settling one that has ended already changes nothing."""

    id: str
    state: Literal["done", "dropped", "unknown"]
    reason: str
    at: int


class Lost(Struct, frozen=True, gc=False):
    """A claim that ended dropped or unknown: where, why, and when that was settled (ms UTC)."""

    target: str
    reason: str
    at: int


OutboxState = Literal["waiting", "sent", "failed", "withdrawn"]


class OutboxRow(Struct, frozen=True, gc=False):
    """One message to the outside world, due after its undo time. No personal data: only the person id goes in here."""

    id: str
    destination: str
    ref: str
    payload: str
    at: int
    due_at: int
    state: OutboxState = "waiting"
    attempts: int = 0
    error: str = ""


class Batch(Struct, frozen=True):
    """What one commit writes, all or nothing. `withdrawn` names outbox rows that an undo takes back if still waiting."""

    events: list[NewEvent] = []
    receipts: list[Receipt] = []
    personal: list[PersonalRow] = []
    lookups: list[Lookup] = []
    claims: list[Claim] = []
    settled: list[Settled] = []
    outbox: list[OutboxRow] = []
    withdrawn: list[str] = []


class Lease(Struct, frozen=True):
    """The right to write after `head`. `link` is the chain's last link ("" for an empty journal)."""

    hall: str
    writer: str
    epoch: int
    head: int
    link: str


class Committed(Struct, frozen=True):
    """What a commit made durable: the lease for the next one, and the seqs given (first > last when no event)."""

    lease: Lease
    first_seq: int
    last_seq: int


class LeaseSeen(Struct, frozen=True):
    """The lease row as a standby sees it: whoever sees it unchanged for longer than LEASE_TTL_MS may take over."""

    writer: str
    epoch: int
    head: int
    beat: int


class Expired(Struct, frozen=True):
    """Rows deleted because their time was over."""

    receipts: int
    personal: int
    lookups: int
    claims: int
    outbox: int


class StorePort(Protocol):
    """The store as the hub uses it. `queue_server.store.store.Store.open(url, keys_dir=…, projector=…)` makes one."""

    async def close(self) -> None:
        """Give every connection back; the lease stays as it is."""

    async def take_over(self, hall: str, writer: str) -> Lease:
        """Raise the epoch (waiting for any commit in doubt) and read the head. Broken when the keys do not fit."""

    async def seen(self, hall: str) -> LeaseSeen | None:
        """The lease row as it stands, for a standby; None for a hall nobody has opened."""

    async def renew(self, lease: Lease) -> None:
        """Keep the lease good when there is nothing to commit; raises Fenced."""

    def holds(self, lease: Lease) -> bool:
        """Whether this process renewed or committed under `lease` within LEASE_TTL_MS. No I/O; ask before each effect."""

    def read(
        self,
        hall: str,
        *,
        subject: str | None = None,
        day: str | None = None,
        naming: Collection[str] = (),
        kinds: Collection[str] = (),
        after: int = 0,
        limit: int | None = None,
    ) -> AsyncIterator[JournalRow]:
        """The rows with seq > `after` in order: all, those of one subject or day, those whose data hold one of the ids,
        those of some kinds.
        """

    async def from_newest(self, hall: str, subject: str, kind: str, *, before: int = 0) -> list[JournalRow]:
        """The newest row of `kind` in a subject and what follows it there, below seq `before` (0: up to the end)."""

    async def day_of(self, hall: str, table: Literal["tickets", "services"], row_id: str) -> str:
        """The day of a ticket or service ("" when there is none): which rows of the journal tell of it."""

    async def asked(self, hall: str, since: str, until: str) -> dict[str, int]:
        """Tickets taken on the days from `since` up to, not with, `until`, by matter or bundle."""

    async def invited(self, hall: str, since: str, until: str) -> dict[tuple[str, str], tuple[int, int]]:
        """Invitations to rate by (day, window), from `since` to `until`: how many by device, and how many by QR code."""

    async def latest_day(self, hall: str, subject: str) -> str:
        """The day of the newest row of `subject` ("" when there is none)."""

    async def day_before(self, hall: str, kind: str, day: str) -> str:
        """The latest day before `day` that has a row of `kind` ("" when there is none)."""

    async def commit(self, lease: Lease, batch: Batch) -> Committed:
        """Write all of `batch` in one transaction that first moves the head.

        Raises Fenced, Duplicate, Unfit, Broken or Unavailable with nothing written, or InDoubt.
        Do not cancel it: that is a doubt too.
        """

    async def receipts(self, hall: str, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
        """The receipts there are for these (principal, key) pairs."""

    async def claim(self, lease: Lease, claim_id: str, at: int) -> bool:
        """Turn an open, unexpired claim into "claimed"; True for exactly one caller, for ever."""

    async def settle(self, lease: Lease, settled: Settled) -> bool:
        """End a claim; False when it had ended already."""

    async def pending_claims(self, hall: str) -> list[Claim]:
        """The claims that are open or claimed; after a restart the claimed ones are unknown, the open ones may expire."""

    async def lost_claims(self, hall: str, kind: Literal["print", "speech"], since: int) -> list[Lost]:
        """The claims that ended dropped or unknown at or after `since`, oldest first."""

    async def due_outbox(self, hall: str, now: int, limit: int = 100) -> list[OutboxRow]:
        """Waiting messages whose time has come, oldest first."""

    async def sent_outbox(self, lease: Lease, row_id: str, *, error: str = "", again_at: int | None = None) -> None:
        """Record one attempt: sent, or (with `error`) waiting until `again_at`, or failed when that is None."""

    def identity_hash(self, hall: str, kind: str, identity: str) -> str:
        """The keyed hash under which an identity is looked up; says nothing about the identity without the key."""

    async def person(self, hall: str, identity_hash: str, now: int) -> str | None:
        """The person id behind a hash, None when unknown or expired."""

    async def personal(self, hall: str, person: str, now: int) -> dict[str, bytes]:
        """What the person told us and has not expired: kind to clear bytes."""

    async def anchor(self, hall: str, at: int) -> None:
        """Append the chain's head to the file beside the key file (daily, at the day's end), so that an edit shows."""

    async def expire(self, hall: str, now: int) -> Expired:
        """Delete what has outlived its time: receipts, personal data, lookups, ended claims and messages."""
