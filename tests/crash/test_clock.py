"""A clock that jumps an hour either way changes no order and no day (DESIGN law 2, RULES 49)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from queue_server.app import clock as clocks
from queue_server.app import hub as hubs
from queue_server.app import timers
from queue_server.app.clock import Clock
from queue_server.app.hub import Hub
from queue_server.app.papers import Papers
from queue_server.app.projection import project
from queue_server.app.timers import Timers
from queue_server.app.tokens import Tokens
from queue_server.app.views.screens import Surroundings
from queue_server.domain import commands as c
from queue_server.domain.configuration import Hours
from queue_server.domain.model import empty_hall
from queue_server.store.store import Store
from queue_server.wire.common import HallState
from tests.halls import configuration
from tests.migrated import migrated

HOUR_S = 3600
NINE = 1_767_574_800
"""Monday, 5 January 2026, 09:00 in Shanghai; s."""


@dataclass
class Hands:
    """The machine's two clocks, in s, moved by hand."""

    wall: float = NINE
    monotonic: float = 1_000.0

    def time_ns(self) -> int:
        return int(self.wall * 1e9)

    def monotonic_ns(self) -> int:
        return int(self.monotonic * 1e9)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(clocks, "time", made)
    return made


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_of_the_wall_is_not_followed_but_seen(hands: Hands, jump_s: int) -> None:
    clock = Clock("Asia/Shanghai")
    before = clock.now()
    hands.wall += jump_s
    hands.pass_(10)
    assert clock.now() == before + 10_000
    assert clock.drift_ms() == jump_s * 1000


def test_a_closed_hall_follows_the_wall_forward_at_once_and_back_at_half_speed(hands: Hands) -> None:
    """Time never stands still: what expires in 45 s must not wait for an hour to pass."""
    clock = Clock("Asia/Shanghai")
    start = clock.now()
    hands.wall += HOUR_S
    clock.anchor()
    assert clock.now() == start + HOUR_S * 1000
    hands.wall -= HOUR_S
    clock.anchor()
    hands.pass_(60)
    assert clock.now() == start + (HOUR_S + 30) * 1000
    hands.pass_(2 * HOUR_S)
    assert clock.now() == int(hands.wall * 1000), "the wall has caught up"
    assert clock.drift_ms() == 0


def test_a_server_restarted_behind_its_journal_goes_on_from_there(hands: Hands) -> None:
    last_at = (NINE + HOUR_S) * 1000
    clock = Clock("Asia/Shanghai")
    clock.at_least(last_at)
    assert clock.now() == last_at
    hands.pass_(90)
    assert clock.now() == last_at + 45_000
    assert clock.drift_ms() == -(HOUR_S - 45) * 1000


class Day:
    """A hall with its timers on a real store, and hands to move the clocks with."""

    def __init__(self, folder: Path, hands: Hands) -> None:
        self.folder, self.hands = folder, hands
        hours = Hours(tickets_from="08:30", opens="09:00", tickets_until="16:50", closes="17:00")
        self.configuration = structs.replace(configuration(), hours=hours)

    async def start(self) -> None:
        self.clock = Clock("Asia/Shanghai")
        database = migrated(self.folder / "hall.db")
        self.store = await Store.open(database, keys_dir=self.folder / "keys", projector=project)
        self.hub = Hub(self.store, "h", "w", self.clock, empty_hall(self.configuration), effects=lambda _h, _e: [])
        tokens = Tokens(b"k" * 32)
        self.around = Surroundings(self.clock, tokens, Papers(self.clock, tokens, ""), "")
        self.timers = Timers(self.hub, self.store, self.around)
        await self.hub.start()
        self.task = asyncio.create_task(self.hub.run())

    async def end(self) -> None:
        self.task.cancel()
        await self.store.close()

    async def at(self, seconds: float) -> tuple[str, HallState]:
        """The day and its state after so many seconds of life."""
        self.hands.pass_(seconds)
        await self.timers.once()
        return await self.hub.read(lambda hall: (hall.day, hall.state))

    async def take(self, name: str) -> None:
        await self.hub.tell(c.TakeTicket(id=name, matters=("pension",)), "test")


@pytest.fixture
async def day(tmp_path: Path, hands: Hands) -> AsyncIterator[Day]:
    made = Day(tmp_path, hands)
    await made.start()
    yield made
    await made.end()


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 20 * HOUR_S, -20 * HOUR_S])
async def test_no_day_opens_or_ends_and_no_order_changes_when_the_wall_jumps(day: Day, jump_s: int) -> None:
    assert await day.at(1) == ("2026-01-05", HallState.BEFORE)
    assert await day.at(1) == ("2026-01-05", HallState.OPEN)
    await day.hub.tell(c.OpenWindow(window="1", staff="1", staff_name="一"), "test")
    for number in range(3):
        day.hands.pass_(1)
        await day.take(f"before{number}")
    day.hands.wall += jump_s
    for number in range(3):
        day.hands.pass_(1)
        await day.take(f"after{number}")
    assert await day.at(60) == ("2026-01-05", HallState.OPEN)
    assert [alarm.code for alarm in day.around.alarms] == ["clock"]
    called = []
    for number in range(6):
        day.hands.pass_(60)
        await day.hub.tell(c.CallNext(window="1", service=f"v{number}"), "test")
        called.append(await day.hub.read(lambda hall: hall.windows["1"].ticket))
        await day.hub.tell(c.Arrive(window="1"), "test")
    assert called == [f"{when}{number}" for when in ("before", "after") for number in range(3)]


@pytest.mark.parametrize("back_s", [HOUR_S, 24 * HOUR_S, 25 * HOUR_S])
async def test_a_restart_with_an_earlier_wall_never_opens_a_date_again(
    day: Day, hands: Hands, tmp_path: Path, back_s: int
) -> None:
    await day.at(1)
    await day.take("t1")
    await day.hub.tell(c.EndDay(), "manager")
    await day.end()
    hands.wall -= back_s
    await day.start()
    for _ in range(3):
        assert await day.at(2) == ("2026-01-05", HallState.CLOSED)
    rows = [row.kind async for row in day.store.read("h")]
    assert rows.count("DayOpened") == 1


async def test_the_next_morning_opens_at_the_walls_time(day: Day, hands: Hands) -> None:
    """A wall that was mended while the hall was closed is believed."""
    await day.at(1)
    await day.hub.tell(c.EndDay(), "manager")
    hands.wall += HOUR_S
    assert await day.at(21 * HOUR_S) == ("2026-01-05", HallState.CLOSED)
    assert await day.at(1 * HOUR_S + 31 * 60) == ("2026-01-06", HallState.BEFORE)
    assert day.around.alarms == []


async def test_a_timer_whose_rule_fails_goes_on(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN law 1: a decide that raises fails its own command, not the hall."""
    real, failing = hubs.decide, [True]

    def decide(hall, command, ctx):  # type: ignore[no-untyped-def]
        if failing and isinstance(command, c.Tick):
            failing.clear()
            raise ZeroDivisionError
        return real(hall, command, ctx)

    monkeypatch.setattr(hubs, "decide", decide)
    monkeypatch.setattr(timers, "EVERY_S", 0.01)
    task = asyncio.create_task(day.timers.run())
    async with asyncio.timeout(10):
        while failing or await day.hub.read(lambda hall: hall.day) != "2026-01-05":  # noqa: ASYNC110 -- a tick is no event
            await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()
