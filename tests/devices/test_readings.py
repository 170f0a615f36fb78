"""Cards and codes from the line to the wire: once, with their age, by number only, and counted (RULES 86, DESIGN law 10)."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from devices.agent import Agent, AgentSettings
from devices.drivers.health import Health
from devices.drivers.scanner import Scanner
from devices.emulators.idreader import EmulatedIdReader, record, synthetic_number
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.emulators.scanners import EmulatedScanner
from devices.framing.scans import TEXT_LINES
from devices.profiles.profile import Printer
from devices.protocols.scans import ScanSettings, TextScanner
from devices.readings import PENDING_LIMIT, Readings
from queue_server.wire.agent import CODE_LENGTH, CardRead, CodeRead, DeviceEntry, ReadingEnded
from tests.devices.hall import listen_url, until
from tests.devices.server import WireServer

NUMBER = synthetic_number()


def _no_printer(entry: object, changed: object) -> Printer:
    raise ValueError("none here")


class Corner:
    """A kiosk's reader and scanner, each on its line, an agent, and a server that records."""

    def __init__(self, folder: Path, kind: str) -> None:
        for name in ("r", "s"):
            (folder / name).mkdir()
        self.reader, self.scanner = EmulatedIdReader(), EmulatedScanner()
        self.lines = [
            Rs485BusEmulator(listen_url(kind, folder / "r"), (self.reader,)),
            Rs485BusEmulator(listen_url(kind, folder / "s"), (self.scanner,)),
        ]
        self.server = WireServer()
        self.state = folder / "agent.db"
        self.agent: Agent

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for line in self.lines:
                await stack.enter_async_context(line)
            kinds = (("reader", "id_reader", "sam-v", {"poll_ms": "30"}), ("scanner", "scanner", "scanner", {}))
            self.server.devices = [
                DeviceEntry(
                    id=name, kind=kind, url=line.url, address=0, profile=profile, window="", levels={},
                    settings={"kiosk": "kiosk-1", **settings},
                )
                for (name, kind, profile, settings), line in zip(kinds, self.lines, strict=True)
            ]  # fmt: skip
            await stack.enter_async_context(self.server)
            settings = AgentSettings(
                server=self.server.url, token="t", state=self.state, agent="a", retry_first_s=0.02, retry_limit_s=0.1
            )
            self.agent = Agent(settings, lambda show, entry: [], _no_printer)
            task = asyncio.create_task(self.agent.run())
            try:
                await until(lambda: self.agent.connected and all(line.connected for line in self.lines))
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def counted(self, device: str, name: str) -> int:
        health: Health | None = getattr(self.agent._lines.driver(device), "health", None)
        assert health is not None
        return health.counters[name]

    async def answer(self, message: CardRead | CodeRead, *, used: bool) -> None:
        await self.server.say(ReadingEnded(epoch=1, id=message.id, used=used, reason="" if used else "no-page"))


@pytest.mark.parametrize("kind", ["memory", "pty"])
async def test_rules_86_a_card_and_a_code_reach_the_server_once(kind: str, tmp_path: Path) -> None:
    corner = Corner(tmp_path, kind)
    async with corner.running():
        corner.reader.put(record(name="某人"))
        card = await corner.server.heard(CardRead)
        assert (card.device, card.number) == ("reader", NUMBER)
        assert 0 <= card.age_ms < 3_000
        await corner.scanner.scan("http://hall/t/tabc.xyz")
        code = await corner.server.heard(CodeRead)
        assert (code.device, code.text) == ("scanner", "http://hall/t/tabc.xyz")
        await asyncio.sleep(0.2)
        assert len(corner.server.all(CardRead)) == len(corner.server.all(CodeRead)) == 1, "it lies there still"
        await corner.answer(card, used=True)
        await corner.answer(code, used=False)
        await until(lambda: corner.counted("reader", "used") and corner.counted("scanner", "unused"))
        await corner.answer(card, used=True)  # told twice: counted once
        corner.reader.take()
        await until(lambda: corner.reader.asked and not corner.reader.card)
        await asyncio.sleep(0.15)
        corner.reader.put()
        assert (await corner.server.heard(CardRead, 2)).id != card.id, "laid on again is another reading"
        assert corner.counted("reader", "used") == 1


async def test_a_card_that_is_lifted_too_early_is_no_reading_and_one_that_cannot_be_read_says_so(
    tmp_path: Path,
) -> None:
    corner = Corner(tmp_path, "memory")
    async with corner.running():
        corner.reader.removals = 1
        corner.reader.put()
        await until(lambda: not corner.reader.card)
        await asyncio.sleep(0.2)
        assert not corner.server.all(CardRead)
        corner.reader.refusals = 9
        corner.reader.put()
        assert (await corner.server.heard(CardRead)).number == ""


@pytest.mark.parametrize(
    "faults", [Faults(bytewise=True), Faults(noise=7), Faults(bytewise=True, split_ms=20, corrupt=2)]
)
async def test_a_bad_line_makes_no_other_card_and_no_second_one(faults: Faults, tmp_path: Path) -> None:
    """One byte at a time, noise around every frame, flipped bits: the right number, once, or nothing yet."""
    corner = Corner(tmp_path, "memory")
    corner.lines[0].faults = faults
    async with corner.running():
        corner.reader.put()
        assert (await corner.server.heard(CardRead)).number == NUMBER
        await asyncio.sleep(0.3)
        assert len(corner.server.all(CardRead)) == 1


async def test_bad_input_rubbish_and_overlong_codes_are_told_without_their_text(tmp_path: Path) -> None:
    """HARDWARE 5.2: a code of rubbish, one of exactly the limit, one too long for a ticket, one too long for any code."""
    corner = Corner(tmp_path, "memory")
    async with corner.running():
        for text, told in (("垃圾\x7f", "垃圾\x7f"), ("x" * CODE_LENGTH, "x" * CODE_LENGTH), ("y" * 600, "")):
            await corner.scanner.scan(text)
            await until(lambda told=told: [m for m in corner.server.all(CodeRead) if m.text == told])  # type: ignore[misc]
        await corner.scanner.scan("z" * 10_000)
        await corner.scanner.scan("last")
        await until(lambda: corner.server.all(CodeRead)[-1].text == "last")
        assert len(corner.server.all(CodeRead)) == 4


async def test_law_10_without_a_server_a_card_is_dropped_counted_and_never_kept(tmp_path: Path) -> None:
    corner = Corner(tmp_path, "memory")
    with capture_logs() as log, contextlib.redirect_stderr(io.StringIO()) as errors:
        async with corner.running():
            await corner.server.stop()
            await until(lambda: not corner.agent.connected)
            corner.reader.put()
            await until(lambda: corner.counted("reader", "unused"))
            corner.reader.take()
            await corner.server.start()
            await until(lambda: corner.agent.connected)
            await asyncio.sleep(0.2)
            assert not corner.server.all(CardRead)
            corner.reader.put()
            await corner.server.heard(CardRead)
            await corner.server.stop()
            await until(lambda: corner.counted("reader", "unused") == 2)
    kept = b"".join(_files(tmp_path))
    assert b"kiosk-1" in kept, "the map is kept"
    assert NUMBER.encode() not in kept
    assert NUMBER not in str(log) + errors.getvalue()


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("agent.db*")]


async def test_law_8_a_reading_that_waited_too_long_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody stands there any more when a stalled connection takes it at last."""
    monkeypatch.setattr("devices.readings.TOO_OLD_MS", -1)
    corner = Corner(tmp_path, "memory")
    async with corner.running():
        corner.reader.put()
        await until(lambda: corner.counted("reader", "unused"))
        assert not corner.server.all(CardRead)


def test_the_pending_are_bounded() -> None:
    """One more than fit counts the oldest as unused."""
    told: list[Callable[[], object]] = []

    async def scan() -> tuple[int, int]:
        readings = Readings(lambda message: told.append(message) is None)
        scanner = _scanner()
        for _ in range(PENDING_LIMIT + 5):
            readings.code(scanner, "x")
        return len(readings._asked), scanner.health.counters["unused"]

    assert asyncio.run(scan()) == (PENDING_LIMIT, 5)


def _scanner() -> Scanner:
    return Scanner(
        "s", TEXT_LINES, TextScanner(ScanSettings()), scanned=lambda s, t: None, health_changed=lambda d: None
    )
