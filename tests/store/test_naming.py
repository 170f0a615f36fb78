"""Rows by what they tell of: the day of a ticket, and the rows whose data hold an id."""

from queue_server.store.port import Batch
from queue_server.store.store import Store
from tests.store.sample import HALL, issued


async def test_a_ticket_leads_to_its_day_and_its_rows(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    await store.commit(lease, Batch(events=[issued(1), issued(2), issued(12)]))
    rows = [row async for row in store.read(HALL)]
    name = "t1"
    assert await store.day_of(HALL, "tickets", name) == rows[0].day != ""
    assert await store.day_of(HALL, "tickets", "t%") == ""
    assert await store.day_of("other", "tickets", name) == ""
    assert [row.seq async for row in store.read(HALL, naming=("t1",))] == [1]
    assert [row.seq async for row in store.read(HALL, naming=("t2", "t12"), day=rows[0].day)] == [2, 3]
    assert [row.seq async for row in store.read(HALL, naming=("t_",))] == []


async def test_what_the_days_before_asked_for_is_counted(store: Store) -> None:
    """UX K-01: the order of a kiosk's tiles; a day's own tickets do not move them about."""
    lease = await store.take_over(HALL, "a")
    await store.commit(lease, Batch(events=[issued(1), issued(2), issued(3)]))
    assert await store.asked(HALL, "2025-03-01", "2025-03-04") == {"id-card": 2, "tax": 3}
    assert await store.asked(HALL, "2025-03-01", "2025-03-03") == {}
    assert await store.asked(HALL, "2025-03-04", "2025-03-09") == {}
    assert await store.asked("other", "2025-03-01", "2025-03-04") == {}
