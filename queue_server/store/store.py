"""The store: leases, commits, reads and what is kept beside the journal, on SQLite and PostgreSQL alike."""

# long: one port has one implementation, and each of its promises is a few lines of SQL

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import astuple
from sqlalchemy import ColumnElement, Row, Table, and_, delete, desc, func, insert, or_, select, tuple_, update
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from queue_server.store import anchors, keys, migrations, tables
from queue_server.store.append import Appender, appender_for
from queue_server.store.database import Database, blamed, missing_file, parse, require_durable
from queue_server.store.port import (
    LEASE_TTL_MS,
    RECEIPTS_KEPT_MS,
    Batch,
    Broken,
    Claim,
    Committed,
    Duplicate,
    Expired,
    Fenced,
    JournalRow,
    Lease,
    LeaseSeen,
    Lost,
    OutboxRow,
    Projector,
    Receipt,
    Settled,
    StoreError,
    StorePort,
    Unavailable,
)
from queue_server.store.seen import Seen
from queue_server.store.statements import Statements, chained, receipt_of, settle

KEYS_PAGE = 2_000
"""Idempotency keys learnt at a time: the server goes on answering in between."""
LEARN_AGAIN_S = 0.2

PAGE = 1_000
"""Rows read at a time: no read keeps a transaction open, so the write-ahead log can always be folded back."""


def boot_clock_ms() -> int:
    """Milliseconds that also count while the machine sleeps, so that a lease does not outlive a suspended laptop."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.clock_gettime_ns(clock) if clock is not None else time.monotonic_ns()) // 1_000_000


def _require_there(address: URL, keys_dir: Path) -> None:
    """For tools that look at a hall: neither a database nor keys may come into being because of a mistyped path."""
    if missing := missing_file(address):
        raise Unavailable(missing)
    if not keys.exists(keys_dir):
        raise Unavailable(f"there is no key file in {keys_dir}: name the hall's folder of keys with --keys")


def to_row(row: Row[Any]) -> JournalRow:
    """A journal row from a row of its table."""
    return JournalRow(*tuple(row))


class Store(StorePort):
    """The one implementation of the port."""

    __slots__ = (
        "_appender",
        "_clock",
        "_good_until",
        "_seen",
        "database",
        "keys",
        "keys_dir",
        "projector",
        "statements",
    )

    def __init__(
        self,
        database: Database,
        keys_dir: Path,
        chain_keys: keys.Keys,
        projector: Projector,
        clock: Callable[[], int] = boot_clock_ms,
    ) -> None:
        self.database = database
        self.keys_dir = keys_dir
        self.keys = chain_keys
        self.projector = projector
        self.statements = Statements(database.engine.dialect)
        self._appender: Appender = appender_for(database)
        self._clock = clock
        self._good_until: dict[str, tuple[int, int]] = {}  # hall: (epoch, milliseconds on the clock)
        self._seen = Seen()
        self._learning: dict[str, asyncio.Task[None]] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        keys_dir: Path,
        projector: Projector,
        clock: Callable[[], int] = boot_clock_ms,
        make: bool = True,
    ) -> "Store":
        """Migrate the database and load the keys, which are made on the very first start, and only with `make`.

        ValueError for a bad `url`, Unavailable with what to do for everything else.
        """
        address = parse(url)
        if not make:
            _require_there(address, keys_dir)
        database = Database(address)
        try:
            async with database.writing(whole=True) as connection:
                await connection.run_sync(migrations.upgrade)
            async with database.reading() as connection:
                await require_durable(connection)
                known = (await connection.execute(select(tables.leases.c.hall).limit(1))).first()
            if known is not None and not keys.exists(keys_dir):
                raise Unavailable(
                    f"the key file {keys_dir / keys.KEY_FILE} is gone, and a new one would not fit this database: "
                    "restore it from the backup"
                )
            return cls(database, keys_dir, keys.load(keys_dir), projector, clock)
        except BaseException:
            await database.close()
            raise

    async def close(self) -> None:
        for hall in list(self._learning):
            await self._stop_learning(hall)
        await self._appender.close()
        await self.database.close()

    # -- the lease

    async def take_over(self, hall: str, writer: str) -> Lease:
        row = tables.leases.c
        begun_ms = self._clock()
        try:
            async with self.database.writing() as connection:
                raised = (
                    update(tables.leases)
                    .where(row.hall == hall)
                    .values(epoch=row.epoch + 1, writer=writer, beat=row.beat + 1)
                )
                if (await connection.execute(raised)).rowcount == 0:
                    await connection.execute(
                        insert(tables.leases).values(hall=hall, writer=writer, epoch=1, head=0, link="", beat=0)
                    )
                found = await connection.execute(select(row.epoch, row.head, row.link).where(row.hall == hall))
                lease = Lease(hall, writer, *found.one())
                await self._check_head(connection, lease)
        except Duplicate:  # two processes opened a new hall in the same moment: the other one's row is there now
            return await self.take_over(hall, writer)
        self._keep(lease, begun_ms)
        await self._learn(hall)
        return lease

    async def _learn(self, hall: str) -> None:
        """Begin to learn which idempotency keys there are: from now on nobody else writes any (law 4).

        A hall does not wait for the keys of thirty days; until they are learnt every key is looked up.
        """
        await self._stop_learning(hall)
        async with self.database.reading() as connection:
            counted = select(func.count()).select_from(tables.receipts).where(tables.receipts.c.hall == hall)
            self._seen.begin(hall, (await connection.execute(counted)).scalar_one())
        self._learning[hall] = asyncio.create_task(self._learn_keys(hall))

    async def learnt(self, hall: str) -> None:
        """Wait until every idempotency key of the hall is known; a key is safe before that too, and dearer."""
        await self._learning[hall]

    async def _stop_learning(self, hall: str) -> None:
        """Between two pages: a read that is cut off would leave its connection behind."""
        if task := self._learning.pop(hall, None):
            await task

    async def _learn_keys(self, hall: str) -> None:
        row, found = tables.receipts.c, list[tuple[str, str]]()
        page = select(row.principal, row.key).where(row.hall == hall).order_by(row.principal, row.key).limit(KEYS_PAGE)
        while not self._seen.trusts(hall) and hall in self._learning:
            rest = page.where(tuple_(row.principal, row.key) > found[-1]) if found else page
            try:
                async with self.database.reading() as connection:
                    found = [(principal, key) for principal, key in await connection.execute(rest)]
            except StoreError:  # whoever writes hears of it; the keys are asked for again
                await asyncio.sleep(LEARN_AGAIN_S)
                continue
            self._seen.note(hall, found)
            if len(found) < KEYS_PAGE:
                self._seen.trust(hall)

    async def _check_head(self, connection: AsyncConnection, lease: Lease) -> None:
        """Broken (and the epoch stays as it was) when the last row does not follow from the one before under our key."""
        row = tables.journal.c
        newest = select(*tables.journal.c).where(row.hall == lease.hall).order_by(desc(row.seq)).limit(2)
        rows = [to_row(found) for found in await connection.execute(newest)]
        if not rows:
            if lease.head:
                raise Broken(f"the journal of {lease.hall} is empty but should end at {lease.head}: restore the backup")
            return
        last = rows[0]
        expected = self.keys.link(rows[1].link if len(rows) > 1 else "", astuple(last)[:-1])
        if (last.seq, last.link) != (lease.head, lease.link) or last.link != expected:
            raise Broken(
                f"row {last.seq} of {lease.hall} does not fit the key file or was changed: "
                "put the right key file back, or run `yichuang journal verify`"
            )

    def _keep(self, lease: Lease, begun_ms: int) -> None:
        self._good_until[lease.hall] = lease.epoch, begun_ms + LEASE_TTL_MS

    def holds(self, lease: Lease) -> bool:
        epoch, until_ms = self._good_until.get(lease.hall, (0, 0))
        return epoch == lease.epoch and self._clock() < until_ms

    async def seen(self, hall: str) -> LeaseSeen | None:
        row = tables.leases.c
        async with self.database.reading() as connection:
            found = (
                await connection.execute(select(row.writer, row.epoch, row.head, row.beat).where(row.hall == hall))
            ).first()
        return None if found is None else LeaseSeen(*found)

    async def renew(self, lease: Lease) -> None:
        begun_ms = self._clock()
        async with self.database.writing() as connection:
            await self._fence(connection, lease)
        self._keep(lease, begun_ms)

    async def _fence(self, connection: AsyncConnection, lease: Lease) -> None:
        """Lock the hall's row for what moves no head; Fenced when the epoch is another's."""
        row = tables.leases.c
        beaten = update(tables.leases).where(row.hall == lease.hall, row.epoch == lease.epoch).values(beat=row.beat + 1)
        if (await connection.execute(beaten)).rowcount != 1:
            raise Fenced("another process has taken this hall over: this one writes nothing more")

    # -- the journal

    async def commit(self, lease: Lease, batch: Batch) -> Committed:
        begun_ms = self._clock()
        self._seen.note(lease.hall, [(receipt.principal, receipt.key) for receipt in batch.receipts])
        with blamed():
            rows, after = chained(self.keys, lease, batch.events)
            await self._appender.run(
                [
                    self.statements.move(lease, after.head, after.link),
                    *self.statements.events(lease, batch.events, rows, self.projector),
                    *self.statements.batch(lease.hall, batch, self.keys),
                ]
            )
        self._keep(lease, begun_ms)
        return Committed(after, lease.head + 1, after.head)

    async def read(
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
        row = tables.journal.c
        wanted: list[ColumnElement[bool]] = [row.hall == hall]
        if day is not None:
            wanted.append(row.day == day)
        if subject is not None:  # as an expression beside a day: the day's index is the narrow one, never the subject's
            wanted.append((row.subject if day is None else row.subject.concat("")) == subject)
        if naming:
            wanted.append(or_(*(row.data.contains(f'"{each}"', autoescape=True) for each in naming)))
        if kinds:
            wanted.append(row.kind.in_(kinds))
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = select(*tables.journal.c).where(*wanted, row.seq > after).order_by(row.seq).limit(size)
            async with self.database.reading() as connection:
                found = [to_row(each) for each in await connection.execute(page)]
            for each in found:
                yield each
            if len(found) < size:
                return
            after = found[-1].seq
            left = None if left is None else left - size

    async def from_newest(self, hall: str, subject: str, kind: str, *, before: int = 0) -> list[JournalRow]:
        row = tables.journal.c
        there = [row.hall == hall, row.subject == subject, *([row.seq < before] if before else [])]
        newest = select(row.seq).where(*there, row.kind == kind).order_by(desc(row.seq)).limit(1).scalar_subquery()
        wanted = select(*tables.journal.c).where(*there, row.seq >= func.coalesce(newest, 0)).order_by(row.seq)
        async with self.database.reading() as connection:
            return [to_row(found) for found in await connection.execute(wanted)]

    async def latest_day(self, hall: str, subject: str) -> str:
        row = tables.journal.c
        async with self.database.reading() as connection:
            newest = select(row.day).where(row.hall == hall, row.subject == subject).order_by(desc(row.seq)).limit(1)
            return (await connection.execute(newest)).scalar() or ""

    async def day_before(self, hall: str, kind: str, day: str) -> str:
        row = tables.journal.c
        there = row.hall == hall, row.day < day, row.kind == kind
        async with self.database.reading() as connection:
            newest = select(row.day).where(*there).order_by(desc(row.day), desc(row.seq)).limit(1)
            return (await connection.execute(newest)).scalar() or ""

    async def day_of(self, hall: str, table: Literal["tickets", "services"], row_id: str) -> str:
        row = tables.projected[table].c
        async with self.database.reading() as connection:
            found = await connection.execute(select(row.day).where(row.hall == hall, row.id == row_id))
            return found.scalar() or ""

    async def asked(self, hall: str, since: str, until: str) -> dict[str, int]:
        row = tables.tickets.c
        counted = select(row.matters, func.count()).where(row.hall == hall, row.day >= since, row.day < until)
        found: Counter[str] = Counter()
        async with self.database.reading() as connection:
            for names, count in await connection.execute(counted.group_by(row.matters)):
                found.update(dict.fromkeys(msgspec.json.decode(names, type=list[str]), count))
        return dict(found)

    async def invited(self, hall: str, since: str, until: str) -> dict[tuple[str, str], tuple[int, int]]:
        row = tables.services.c
        days = row.day >= since, row.day <= until
        counted = select(row.day, row.window, row.qr_offered, func.count()).where(
            row.hall == hall, *days, row.qr_offered.is_not(None)
        )
        found: dict[tuple[str, str], tuple[int, int]] = {}
        async with self.database.reading() as connection:
            rows = await connection.execute(counted.group_by(row.day, row.window, row.qr_offered))
            for day, window, by_qr, count in rows:
                device, qr = found.get((day, window), (0, 0))
                found[day, window] = (device, qr + count) if by_qr else (device + count, qr)
        return found

    async def halls(self) -> list[str]:
        """Every hall that was ever opened here."""
        async with self.database.reading() as connection:
            return list(
                (await connection.execute(select(tables.leases.c.hall).order_by(tables.leases.c.hall))).scalars()
            )

    async def receipts(self, hall: str, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
        maybe = self._seen.known(hall, keys)
        if not maybe:
            return {}
        with blamed():
            rows = await self._appender.fetch(self.statements.receipt, [(hall, *key) for key in maybe])
        return {(found.principal, found.key): found for found in map(receipt_of, rows)}

    # -- effects at the edge

    async def claim(self, lease: Lease, claim_id: str, at: int) -> bool:
        row = tables.claims.c
        async with self.database.writing() as connection:
            await self._fence(connection, lease)
            taken = (
                update(tables.claims)
                .where(row.hall == lease.hall, row.id == claim_id, row.state == "open", row.expires_at > at)
                .values(state="claimed")
            )
            return (await connection.execute(taken)).rowcount == 1

    async def settle(self, lease: Lease, settled: Settled) -> bool:
        async with self.database.writing() as connection:
            await self._fence(connection, lease)
            values = {
                "the_hall": lease.hall,
                "the_id": settled.id,
                "new_state": settled.state,
                "why": settled.reason,
                "when": settled.at,
            }
            return (await connection.execute(settle(), values)).rowcount == 1

    async def pending_claims(self, hall: str) -> list[Claim]:
        row = tables.claims.c
        pending = (
            select(row.id, row.kind, row.target, row.ref, row.payload, row.at, row.expires_at, row.state, row.reason)
            .where(row.hall == hall, row.state.in_(("open", "claimed")))
            .order_by(row.at, row.id)
        )
        async with self.database.reading() as connection:
            return [Claim(*found) for found in await connection.execute(pending)]

    async def lost_claims(self, hall: str, kind: Literal["print", "speech"], since: int) -> list[Lost]:
        row = tables.claims.c
        lost = (
            select(row.target, row.reason, row.settled_at)
            .where(row.hall == hall, row.kind == kind, row.state.in_(("dropped", "unknown")), row.settled_at >= since)
            .order_by(row.settled_at, row.id)
        )
        async with self.database.reading() as connection:
            return [Lost(*found) for found in await connection.execute(lost)]

    async def due_outbox(self, hall: str, now: int, limit: int = 100) -> list[OutboxRow]:
        row = tables.outbox.c
        due = (
            select(*[column for column in tables.outbox.c if column.name != "hall"])
            .where(row.hall == hall, row.state == "waiting", row.due_at <= now)
            .order_by(row.due_at, row.id)
            .limit(limit)
        )
        async with self.database.reading() as connection:
            return [OutboxRow(*found) for found in await connection.execute(due)]

    async def sent_outbox(self, lease: Lease, row_id: str, *, error: str = "", again_at: int | None = None) -> None:
        row = tables.outbox.c
        outcome: dict[str, Any] = {"attempts": row.attempts + 1, "error": error}
        if not error:
            outcome["state"] = "sent"
        elif again_at is None:
            outcome["state"] = "failed"
        else:
            outcome["due_at"] = again_at
        async with self.database.writing() as connection:
            await self._fence(connection, lease)
            this = and_(row.hall == lease.hall, row.id == row_id, row.state == "waiting")
            await connection.execute(update(tables.outbox).where(this).values(outcome))

    # -- personal data

    def identity_hash(self, hall: str, kind: str, identity: str) -> str:
        return self.keys.identity_hash(hall, kind, identity)

    async def person(self, hall: str, identity_hash: str, now: int) -> str | None:
        row = tables.lookups.c
        known = select(row.person).where(row.hall == hall, row.hash == identity_hash, row.expires_at > now)
        async with self.database.reading() as connection:
            found: str | None = (await connection.execute(known)).scalar_one_or_none()
        return found

    async def personal(self, hall: str, person: str, now: int) -> dict[str, bytes]:
        row = tables.personal.c
        told = select(row.kind, row.ciphertext).where(row.hall == hall, row.person == person, row.expires_at > now)
        async with self.database.reading() as connection:
            found = (await connection.execute(told)).all()
        return {kind: self.keys.unseal((hall, person, kind), bytes(sealed)) for kind, sealed in found}

    # -- by the day

    async def anchor(self, hall: str, at: int) -> None:
        row = tables.leases.c
        async with self.database.reading() as connection:
            head, link = (await connection.execute(select(row.head, row.link).where(row.hall == hall))).one()
        await asyncio.to_thread(anchors.append, self.keys_dir, anchors.Anchor(hall, head, link, at))

    async def expire(self, hall: str, now: int) -> Expired:
        old = now - RECEIPTS_KEPT_MS
        claim, out = tables.claims.c, tables.outbox.c
        ended = and_(claim.state.not_in(("open", "claimed")), claim.at <= old)
        gone: list[tuple[Table, ColumnElement[bool]]] = [
            (tables.receipts, tables.receipts.c.at <= old),
            (tables.personal, tables.personal.c.expires_at <= now),
            (tables.lookups, tables.lookups.c.expires_at <= now),
            (tables.claims, ended),
            (tables.outbox, and_(or_(out.state == "sent", out.state == "withdrawn"), out.at <= old)),
        ]
        counts: list[int] = []
        for table, over in gone:
            async with self.database.writing() as connection:
                counts.append((await connection.execute(delete(table).where(table.c.hall == hall, over))).rowcount)
        return Expired(*counts)
