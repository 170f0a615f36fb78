"""A writer to be killed: commits one batch after another and says each one, once it is durable, on its output."""

import asyncio
import sys
from pathlib import Path

from queue_server.store.port import Batch, Receipt
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON, called, issued, project


async def main(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "victim")
    while True:
        n = lease.head
        receipt = Receipt("kiosk-1", f"k{n}", "f", 201, b"{}", NOON)
        batch = Batch(events=[issued(n), issued(n + 1), called(n)], receipts=[receipt])
        lease = (await store.commit(lease, batch)).lease
        sys.stdout.write(f"{lease.head}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
