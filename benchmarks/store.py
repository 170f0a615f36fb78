"""Rows a second that the store makes durable, on both databases; the disk and fsync are the machine's own."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from queue_server.store.port import Batch, JournalRow, NewEvent, Receipt, Upsert, Value
from queue_server.store.store import Store

HALL = "hall"
NOW = 1_740_974_400_000
DATA = (
    '{"id":"%s","number":"A%s","queue":"q1","matters":["m1"],"priority":"normal","ahead":12,"reason":"'
    + "r" * 120
    + '"}'
)


def no_projection(_row: JournalRow | NewEvent) -> Iterable[Upsert]:
    """Only the journal is written."""
    return ()


def ticket(row: JournalRow | NewEvent) -> Iterable[Upsert]:
    """A ticket a row, as an issue writes one."""
    values: dict[str, Value] = {
        "day": row.day,
        "number": row.cause,
        "state": "waiting",
        "issued_at": row.at,
        "effective_at": row.at,
    }
    return (Upsert("tickets", f"t{row.cause}", values),)


async def measure(url: str, folder: Path, rows_a_commit: int, full: bool, seconds: float) -> dict[str, object]:
    """Commit as fast as one writer can. `full`: look the keys up first, and write a receipt and a ticket with each row."""
    store = await Store.open(url, keys_dir=folder, projector=ticket if full else no_projection)
    lease = await store.take_over(HALL, "bench")
    start, head = time.perf_counter(), lease.head
    took_ms: list[float] = []
    while time.perf_counter() - start < seconds:
        begun = time.perf_counter()
        names = [str(lease.head + 1 + n) for n in range(rows_a_commit)]
        events = [
            NewEvent("queue", "2025-03-03", NOW, "kiosk-1", name, "TicketIssued", 1, DATA % (name, name))
            for name in names
        ]
        receipts = [Receipt("kiosk-1", name, "f" * 64, 201, b"{}" * 100, NOW) for name in names] if full else []
        if full:
            await store.receipts(HALL, [("kiosk-1", name) for name in names])
        lease = (await store.commit(lease, Batch(events=events, receipts=receipts))).lease
        took_ms.append((time.perf_counter() - begun) * 1e3)
    spent = time.perf_counter() - start
    await store.close()
    took_ms.sort()
    return {
        "database": url.split(":", 1)[0],
        "rows_a_commit": rows_a_commit,
        "with": "receipt, ticket, look-up" if full else "journal only",
        "events_a_second": round((lease.head - head) / spent),
        "p50_ms": round(took_ms[len(took_ms) // 2], 2),
        "p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 2),
    }


async def main(seconds: float, postgres_url: str | None) -> list[dict[str, object]]:
    """Every size on SQLite, and on PostgreSQL when an empty database is named."""
    found = []
    for rows_a_commit in (1, 8, 64, 256):
        for full in (False, True):
            with tempfile.TemporaryDirectory(dir=".") as folder:
                url = f"sqlite:///{folder}/hall.db"
                found.append(await measure(url, Path(folder), rows_a_commit, full, seconds))
    if postgres_url:
        with tempfile.TemporaryDirectory() as folder:
            for rows_a_commit in (1, 8, 64, 256):
                for full in (False, True):
                    found.append(await measure(postgres_url, Path(folder), rows_a_commit, full, seconds))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each size is tried")
    parser.add_argument("--postgres", metavar="URL", help="an empty database to measure as well")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for line in asyncio.run(main(chosen.seconds, chosen.postgres)):
        sys.stdout.write(
            (json.dumps(line) if chosen.json else "  ".join(str(value).rjust(12) for value in line.values())) + "\n"
        )
