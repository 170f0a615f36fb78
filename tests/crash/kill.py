"""kill -9 at any moment under load: what was acknowledged is there once, what is asked again answers the same.

`python -m tests.crash.kill --rounds 100` runs it on its own and prints the figures.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.hall_process import PASSWORD, ROOT, HallProcess, desk, open_hall

WRITERS = 16
WINDOWS = ("1", "2", "3")
NO_ANSWER = (TimeoutError, aiohttp.ClientError, OSError)
CALLS_SHOWN = 8


@dataclass
class Tally:
    """What the citizens and the clerk were told, and what the rounds showed."""

    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """Of the tickets: their phones'."""
    unknown: set[str] = field(default_factory=set)
    """Keys of the citizens whose answer the last kill took."""
    answers_lost: int = 0
    repeated: int = 0
    rounds: int = 0
    ready_s: list[float] = field(default_factory=list)
    screen_s: list[float] = field(default_factory=list)


@dataclass
class Clerk:
    """Who calls, serves and finishes one after another; the citizen rates at once. Every press keeps its answer."""

    hall: HallProcess
    tally: Tally
    window: str
    cookie: dict[str, str] = field(default_factory=dict)
    presses: dict[str, tuple[str, dict[str, Any], Any]] = field(default_factory=dict)
    """By key: path, body, and what was answered; None while nobody knows."""
    served: list[tuple[str, str]] = field(default_factory=list)
    """(service, ticket) of every acknowledged call."""
    finished: set[str] = field(default_factory=set)
    rated: set[str] = field(default_factory=set)

    async def begin(self) -> None:
        """Signs in, and opens the window."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            body = {"staff": f"100{self.window}", "password": PASSWORD, "window": self.window}
            async with session.post(f"{self.hall.api}/session", json=body) as answer:
                assert answer.status == 200, await answer.text()
            change = {"old": PASSWORD, "new": PASSWORD + "!"}
            async with session.post(f"{self.hall.api}/session/password", json=change) as answer:
                assert answer.status == 200, await answer.text()
            self.cookie = {"Cookie": "; ".join(f"{each.key}={each.value}" for each in session.cookie_jar)}
            await self._press(session, "open", f"windows/{self.window}/open", {})

    async def _ask(self, session: aiohttp.ClientSession, key: str) -> tuple[int, Any]:
        path, body, _ = self.presses[key]
        headers = {**self.cookie, "Idempotency-Key": key}
        async with session.post(f"{self.hall.api}/{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def _press(self, session: aiohttp.ClientSession, key: str, path: str, body: dict[str, Any]) -> Any:
        """The answer; None when the window had nobody to call. A press without an answer stays in `presses`."""
        self.presses[key] = (path, body, None)
        status, answer = await self._ask(session, key)
        if (status, answer.get("code")) == (409, "nobody-waiting"):
            del self.presses[key]
            return None
        assert status == 200, (key, status, answer)
        self.presses[key] = (path, body, answer)
        match path.rpartition("/")[2]:
            case "call-next":
                self.served.append((answer["desk"]["service"], answer["desk"]["ticket"]["id"]))
            case "finish":
                self.finished.add(self.served[-1][0])
            case "ratings":
                self.rated.add(body["service"])
        return answer

    def _next(self) -> tuple[str, dict[str, Any]]:
        """What comes after what was acknowledged last."""
        last = next(reversed(self.presses.values()))[0].rpartition("/")[2]
        service, ticket = self.served[-1] if self.served else ("", "")
        match last:
            case "call-next":
                return f"windows/{self.window}/arrive", {}
            case "arrive":
                return f"windows/{self.window}/finish", {"outcome": "done"}
            case "finish" if ticket in self.tally.tokens:  # else the kill took the citizen's own answer
                return "ratings", {"token": self.tally.tokens[ticket], "service": service, "level": 5}
        return f"windows/{self.window}/call-next", {}

    async def work(self, round_number: int) -> None:
        """Press after press until the server is gone."""
        async with aiohttp.ClientSession() as session:
            for count in range(100_000):
                path, body = self._next()
                try:
                    if await self._press(session, f"clerk{self.window}-{round_number}-{count}", path, body) is None:
                        await asyncio.sleep(0.005)
                except NO_ANSWER:
                    return

    async def ask_again(self, sample: list[str]) -> None:
        """What had no answer gets one under its own key; what had one gets the same."""
        async with aiohttp.ClientSession() as session:
            key, (path, body, answer) = next(reversed(self.presses.items()))
            if answer is None:
                self.tally.answers_lost += 1
                await self._press(session, key, path, body)
            for key in sample:
                if key in self.presses:  # who had nobody to call may have somebody now
                    assert await self._ask(session, key) == (200, self.presses[key][2]), key
                    self.tally.repeated += 1


@contextlib.contextmanager
def tables(path: Path) -> Iterator[Any]:
    """Ask the hall's file beside the server: all rows of a statement."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        yield lambda statement: database.execute(statement).fetchall()


async def take(session: aiohttp.ClientSession, hall: HallProcess, kiosk: dict[str, str], key: str, matter: str) -> Any:
    headers = {**kiosk, "Idempotency-Key": key}
    async with session.post(f"{hall.api}/tickets", json={"matters": [matter]}, headers=headers) as answer:
        return answer.status, await answer.json()


async def _citizen(hall: HallProcess, kiosk: dict[str, str], name: str, matter: str, tally: Tally) -> None:
    """Takes number after number until the server is gone."""
    async with aiohttp.ClientSession() as session:
        for count in range(100_000):
            key = f"{name}-{count}"
            try:
                await _tap(session, hall, kiosk, key, matter, tally)
            except NO_ANSWER:
                tally.unknown.add(key)
                return


async def _tap(
    session: aiohttp.ClientSession, hall: HallProcess, kiosk: dict[str, str], key: str, matter: str, tally: Tally
) -> None:
    """A number, and what was answered."""
    status, body = await take(session, hall, kiosk, key, matter)
    assert status == 201, (key, status, body)
    tally.acknowledged[key] = (body["ticket"]["id"], body["ticket"]["number"])
    tally.tokens[body["ticket"]["id"]] = body["token"]


async def _snapshot(hall: HallProcess, device: dict[str, str], view: str, of: str) -> dict[str, Any]:
    """The first picture that a page gets which connects now."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{hall.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": device["Authorization"].removeprefix("Bearer ")})
        await socket.send_json({"type": "subscribe", "view": view, "of": of})
        while True:
            message = json.loads((await asyncio.wait_for(socket.receive(), 10)).data)
            if message["type"] == "snapshot":
                documents: dict[str, Any] = message["documents"]
                return documents


async def _screens_are_right(hall: HallProcess, screen: dict[str, str], kiosk: dict[str, str]) -> float:
    """Seconds from now until hall display and kiosk, connecting anew, show what the tables say."""
    began = time.monotonic()
    shown, machine = await asyncio.gather(
        _snapshot(hall, screen, "hall", ""), _snapshot(hall, kiosk, "kiosk", "kiosk-1")
    )
    took_s = time.monotonic() - began
    with tables(hall.sqlite) as sql:
        called = sql("select called_at, number, window from tickets where state = 'called'")
        recent = sql("select called_at, number, window from tickets where state in ('serving', 'done')")
        [(waiting,)] = sql("select count(*) from tickets where state = 'waiting'")
    for rows, key in ((called, "calls"), (recent, "recent")):
        calls = [(call["at"], call["number"], call["window"]) for call in shown[key]["calls"]]
        assert {*calls} <= {*rows}
        assert [at for at, *_ in calls] == sorted((at for at, *_ in rows), reverse=True)[:CALLS_SHOWN], key
    assert machine["kiosk"]["waiting"] == waiting
    return took_s


async def _ask_again(hall: HallProcess, kiosk: dict[str, str], matter: str, tally: Tally, sample: list[str]) -> None:
    """The same key, the same answer: nothing is issued twice. Who had no answer gets one, and one number."""
    async with aiohttp.ClientSession() as session:
        tally.answers_lost += len(tally.unknown)
        await asyncio.gather(*(_tap(session, hall, kiosk, key, matter, tally) for key in tally.unknown))
        tally.unknown.clear()
        for key in sample:
            status, body = await take(session, hall, kiosk, key, matter)
            assert status == 201, (key, status, body)
            assert (body["ticket"]["id"], body["ticket"]["number"]) == tally.acknowledged[key]
            tally.repeated += 1


def _check_tickets(path: Path, tally: Tally) -> None:
    """Every acknowledged ticket is stored with its number, no number is there twice, and none that nobody has."""
    with tables(path) as sql:
        stored = dict(sql("select id, number from tickets"))
        seqs = [seq for (seq,) in sql("select seq from journal order by seq")]
    assert len(stored) == len({*stored.values()}), "a number was issued twice"
    assert seqs == list(range(1, len(seqs) + 1)), "the journal has a gap"
    assert stored == dict(tally.acknowledged.values()), "acknowledged and not there, or there and nobody's"


def _check_services(path: Path, clerks: list[Clerk]) -> None:
    """Every acknowledged call, end and rating is stored once, and none that nobody asked for."""
    with tables(path) as sql:
        services = sql("select id, ticket, window from services")
        ended = sql("select id, outcome from services where started_at > 0 and finished_at > 0")
        states = dict(sql("select id, state from tickets where state in ('called', 'serving', 'done')"))
        ratings = sql("select service, level from ratings")
        [(calls,)] = sql("select count(*) from journal where kind = 'TicketCalled'")
    served = [(service, ticket, clerk.window) for clerk in clerks for service, ticket in clerk.served]
    finished = {service for clerk in clerks for service in clerk.finished}
    assert sorted(services) == sorted(served)
    assert len(states) == calls == len(served) == len({ticket for _, ticket, _ in served}), "a number was called twice"
    assert sorted(ended) == sorted((service, "done") for service in finished)
    for service, ticket, _ in served:
        assert (states[ticket] == "done") == (service in finished), ticket
    assert sorted(ratings) == sorted((service, 5) for clerk in clerks for service in clerk.rated), (
        "lost or stored twice"
    )


async def _verify(hall: HallProcess) -> None:
    """`yichuang journal verify`: the chain holds, and the tables follow from it."""
    words = (
        "journal",
        "verify",
        "--json",
        "--database",
        f"sqlite:///{hall.sqlite}",
        "--keys",
        str(hall.folder / "keys"),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "queue_server",
        *words,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def rounds(folder: Path, count: int, seed: int = 1) -> tuple[Tally, list[Clerk]]:
    """Kill the server `count` times at random moments under load; AssertionError when anything was lost or doubled."""
    dice, tally = random.Random(seed), Tally()
    hall = HallProcess(folder, open_hall(folder / "config"))
    await hall.start()
    clerks = [Clerk(hall, tally, window) for window in WINDOWS]
    async with desk(hall) as admin:
        kiosk, screen = await admin.pair("kiosk", "kiosk-1"), await admin.pair("hall")
        async with admin.session.get(f"{hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
            matter = (await answer.json())["hits"][0]["id"]
        for clerk in clerks:
            await admin.staff(f"100{clerk.window}", "clerk")
            await clerk.begin()
    try:
        for number in range(count):
            names = (f"r{number}c{each}" for each in range(WRITERS))
            people = [asyncio.create_task(_citizen(hall, kiosk, name, matter, tally)) for name in names]
            people += [asyncio.create_task(clerk.work(number)) for clerk in clerks]
            await asyncio.sleep(dice.uniform(0.02, 0.6))
            await hall.kill()
            await asyncio.gather(*people)
            began = time.monotonic()
            await hall.start()
            tally.ready_s.append(time.monotonic() - began)
            tally.screen_s.append(await _screens_are_right(hall, screen, kiosk))
            mine = [key for key in tally.acknowledged if key.startswith(f"r{number}c")]
            await _ask_again(hall, kiosk, matter, tally, dice.sample(mine, min(5, len(mine))))
            for clerk in clerks:
                await clerk.ask_again(dice.sample(sorted(clerk.presses), min(3, len(clerk.presses))))
            _check_tickets(hall.sqlite, tally)
            _check_services(hall.sqlite, clerks)
            tally.rounds += 1
    finally:
        await hall.kill()
    await _verify(hall)
    return tally, clerks


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the server again and again under load.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally, clerks = asyncio.run(rounds(Path(folder), arguments.rounds, arguments.seed))
    figures = {
        "rounds": tally.rounds,
        "acknowledged": len(tally.acknowledged),
        "called": sum(len(clerk.served) for clerk in clerks),
        "finished": sum(len(clerk.finished) for clerk in clerks),
        "rated": sum(len(clerk.rated) for clerk in clerks),
        "answers_lost": tally.answers_lost,
        "asked_again": tally.repeated,
        "ready_s_max": round(max(tally.ready_s), 2),
        "screen_s_max": round(max(tally.screen_s), 3),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
