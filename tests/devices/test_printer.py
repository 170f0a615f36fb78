"""The ticket printer's driver against its emulator over memory, a pty and TCP, with faults (HARDWARE 7.3, UX K-11, K-12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from devices.drivers.printer import TicketPrinter, printer_maker, printer_settings
from devices.emulators.printer import EmulatedPrinter, Interpreter, Model
from devices.protocols.printer import PrinterSettings
from devices.transport import transport
from displays.receipts import TicketPaper, decode_paper, encode_paper, printer_profile
from displays.receipts.papers import paper_bytes, ticket_bytes
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState
from tests.devices import independent_escpos
from tests.devices.hall import listen_url, until

TICKET = TicketPaper(
    hall="云水区政务服务中心",
    number="A017",
    matters=("居民身份证补领",),
    ahead=5,
    wait_low_min=15,
    wait_high_min=25,
    taken_at="2026-11-23 10:32",
    url="http://192.168.1.10/t/x",
)
QUICK = PrinterSettings(poll_ms=100, watch_ms=60, reply_ms=150, print_ms=1_000)
LINES = ["memory", "pty", "tcp"]


def lay_out(paper: bytes) -> bytes:
    return paper_bytes(decode_paper(paper), printer_profile("80mm"))


@asynccontextmanager
async def pair(
    kind: str, tmp_path: Path, model: Model | None = None, settings: PrinterSettings = QUICK
) -> AsyncIterator[tuple[TicketPrinter, EmulatedPrinter]]:
    """A driver and an emulator at both ends of a line; the driver has seen the printer."""
    async with EmulatedPrinter(listen_url(kind, tmp_path), model) as emulator:
        line = transport(emulator.url.replace("pty://", "serial://"))
        driver = TicketPrinter("p1", line, lay_out, lambda _: None, settings)
        task = asyncio.create_task(driver.run())
        try:
            await until(lambda: driver.health.state is not DeviceState.UNKNOWN)
            yield driver, emulator
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.mark.parametrize("kind", LINES)
async def test_a_ticket_comes_out_and_is_known_to_have(kind: str, tmp_path: Path) -> None:
    async with pair(kind, tmp_path) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
        (paper,) = emulator.papers
        assert "前面 5 位" in paper.text
        assert paper.codes == [TICKET.url]
        assert (driver.printer_state, driver.health.state) == ("ok", DeviceState.ONLINE)


@pytest.mark.parametrize("kind", LINES)
async def test_ux_k_11_paper_cover_and_jam_are_seen_before_a_tap_and_when_mended(kind: str, tmp_path: Path) -> None:
    async with pair(kind, tmp_path, Model(near_dots=500)) as (driver, emulator):
        for name, value, state in (
            ("cover", True, "cover"), ("cover", False, "ok"), ("jam", True, "jam"), ("jam", False, "ok"),
            ("paper_dots", 0, "out"), ("paper_dots", 400, "near_end"), ("deaf", True, "offline"), ("deaf", False, "near_end"),
        ):  # fmt: skip
            setattr(emulator.model, name, value)
            await emulator.changed()
            await until(lambda state=state: driver.printer_state == state)  # type: ignore[misc]
        assert driver.health.state is DeviceState.ONLINE


async def test_ux_k_12_a_fault_before_the_ticket_fails_it_and_prints_nothing(tmp_path: Path) -> None:
    async with pair("memory", tmp_path) as (driver, emulator):
        emulator.model.paper_dots = 0
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "out")
        emulator.model.paper_dots = None
        await emulator.changed()
        await until(lambda: driver.printer_state == "ok")
        assert not emulator.papers


@pytest.mark.parametrize("kind", LINES)
async def test_paper_that_ends_in_the_middle_of_a_ticket_fails_it(kind: str, tmp_path: Path) -> None:
    async with pair(kind, tmp_path, Model(paper_dots=400, xoff=kind == "pty")) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "out")
        assert not emulator.papers
        emulator.model.paper_dots = 100_000
        await emulator.changed()
        await until(lambda: driver.printer_state == "ok")
        # What was left of the torn ticket comes out on its own, then the next one whole.
        await driver.print(encode_paper(replace(TICKET, number="A018")), 10_000)
        await until(lambda: len(emulator.papers) == 2)
        assert "A018" in emulator.papers[1].text


async def test_a_printer_that_says_nothing_is_unreadable(tmp_path: Path) -> None:
    async with pair("memory", tmp_path, Model(mute=True)) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "unreadable")
        assert driver.printer_state == "unreadable"
        assert not emulator.papers


async def test_ux_k_12_without_a_back_channel_it_prints_and_the_outcome_is_unknown(tmp_path: Path) -> None:
    settings = PrinterSettings(status="none")
    async with pair("memory", tmp_path, Model(mute=True), settings) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("unknown", "no status")
        await emulator.printed(1)


@pytest.mark.parametrize("kind", LINES)
async def test_law_7_a_printer_switched_off_and_on_repeats_nothing(kind: str, tmp_path: Path) -> None:
    async with pair(kind, tmp_path) as (driver, emulator):
        await driver.print(encode_paper(TICKET), 10_000)
        await emulator.unplug()
        await until(lambda: driver.printer_state == "offline")
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "offline")
        if kind == "tcp":
            return  # a new socket has a new port
        await emulator.plug()
        await until(lambda: driver.printer_state == "ok")
        await asyncio.sleep(0.1)
        assert len(emulator.papers) == 1
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")


async def test_law_7_a_print_under_way_ends_as_unknown_when_the_line_breaks(tmp_path: Path) -> None:
    async with pair("memory", tmp_path, Model(confirms=False)) as (driver, emulator):
        print_ = asyncio.create_task(driver.print(encode_paper(TICKET), 10_000))
        await emulator.printed(1)
        await emulator.unplug()
        assert await print_ == ("unknown", "disconnected")


async def test_law_7_a_print_that_is_never_confirmed_ends_as_unknown(tmp_path: Path) -> None:
    settings = PrinterSettings(poll_ms=100, watch_ms=60, reply_ms=150, print_ms=300)
    async with pair("memory", tmp_path, Model(confirms=False), settings) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("unknown", "not confirmed")
        assert len(emulator.papers) == 1


async def test_law_7_an_expired_job_is_not_printed(tmp_path: Path) -> None:
    async with pair("memory", tmp_path) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 0) == ("failed", "expired")
        assert not emulator.papers


async def test_ten_tickets_at_once_come_out_whole_or_fail_as_busy(tmp_path: Path) -> None:
    async with pair("tcp", tmp_path) as (driver, emulator):
        papers = [encode_paper(replace(TICKET, number=f"A{n:03}")) for n in range(12)]
        outcomes = await asyncio.gather(*(driver.print(paper, 10_000) for paper in papers))
        printed = [outcome for outcome, _ in outcomes].count("printed")
        assert printed >= 9
        assert set(outcomes) <= {("printed", ""), ("failed", "busy")}
        assert len(emulator.papers) == printed


async def test_a_paper_that_makes_no_sense_fails_with_its_sentence(tmp_path: Path) -> None:
    async with pair("memory", tmp_path) as (driver, emulator):
        outcome, reason = await driver.print(b'{"paper":"ticket"}', 10_000)
        assert outcome == "failed"
        assert "hall" in reason
        outcome, reason = await driver.print(encode_paper(replace(TICKET, matters=("\ue000",))), 10_000)
        assert (outcome, "U+E000" in reason) == ("failed", True)
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
        assert len(emulator.papers) == 1


async def test_kiosk_printers_tell_by_full_status_and_without_fixed_bits(tmp_path: Path) -> None:
    """HARDWARE 4.1: Custom and Reliance."""
    settings = PrinterSettings(poll_ms=100, reply_ms=150, print_ms=1_000, full_status=True, fixed_bits=False)
    model = Model(fixed_bits=False, full_status=True)
    async with pair("memory", tmp_path, model, settings) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
        emulator.model.jam = True
        await until(lambda: driver.printer_state == "jam")


async def test_automatic_status_tells_without_being_asked(tmp_path: Path) -> None:
    settings = PrinterSettings(asb=True, poll_ms=5_000)
    async with pair("memory", tmp_path, settings=settings) as (driver, emulator):
        await until(lambda: driver.printer_state == "ok")
        emulator.model.cover = True
        await emulator.changed()
        await until(lambda: driver.printer_state == "cover", 1.0)


def test_the_emulator_and_the_independent_reader_read_the_same() -> None:
    data = ticket_bytes(TICKET, printer_profile())
    emulator = Interpreter()
    emulator.feed(data)
    assert [line for line in emulator.papers[0].lines if line.strip()] == independent_escpos.decode(data).lines


def test_any_chunking_prints_the_same_paper() -> None:
    data = ticket_bytes(TICKET, printer_profile("80mm", {"qr": "raster"}))
    whole, bytewise = Interpreter(), Interpreter()
    whole.feed(data)
    answers = b"".join(bytewise.feed(bytes((value,))) for value in data)
    assert bytewise.papers[0] == whole.papers[0]
    assert answers == b"\x00"


def test_a_map_entry_makes_a_printer_and_a_wrong_one_says_why() -> None:
    entry = DeviceEntry(
        id="p1", kind="printer", url="memory://none", address=0, profile="58mm", window="", levels={},
        settings={"poll_ms": "3000", "paper.cut": "kiosk"},
    )  # fmt: skip
    seen: list[DeviceEntry] = []
    make = printer_maker(lambda e: (seen.append(e), lay_out)[1])
    assert make(entry, lambda _: None).device == "p1"
    assert seen == [entry]
    with pytest.raises(ValueError, match=r"none of .*status"):
        printer_settings({"colour": "red"})
    with pytest.raises(ValueError, match="K-11"):
        printer_settings({"poll_ms": "9000"})


RELIANCE = {"full_status": "true", "fixed_bits": "false", "presenter": "command", "take_ms": "1000"}
FAST = {"poll_ms": "100", "watch_ms": "60", "reply_ms": "150", "print_ms": "1000"}


async def test_kiosk_printers_present_a_ticket_and_draw_back_what_nobody_takes(tmp_path: Path) -> None:
    """HARDWARE 4.1: GS e 3, p bit 5 of full status, GS e 2."""
    model = Model(fixed_bits=False, full_status=True, presenter="command")
    async with pair("memory", tmp_path, model, printer_settings(RELIANCE | FAST)) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
        await until(lambda: driver._protocol._condition.at_output)
        assert driver.busy, "a test page would draw it back"
        model.at_output = False
        await until(lambda: driver.health.counters["taken"] == 1)
        assert not driver.busy
        assert await driver.print(encode_paper(replace(TICKET, number="A018")), 10_000) == ("printed", "")
        await until(lambda: driver.health.counters["not_taken"] == 1)
        await until(lambda: (model.retracted, model.at_output) == (1, False))
        assert driver.health.last_error == "a ticket was not taken"
        assert (driver.printer_state, driver.health.state) == ("ok", DeviceState.ONLINE)
        for number in ("A019", "A020"):
            assert (await driver.print(encode_paper(replace(TICKET, number=number)), 10_000))[0] == "printed"
            await until(lambda: driver._protocol._condition.at_output)
        assert model.retracted == 2, "A019 made room for A020"
        assert len(emulator.papers) == 4


@pytest.mark.parametrize("kind", LINES)
async def test_law_7_a_jam_in_the_middle_of_a_ticket_fails_it_and_prints_nothing_twice(
    kind: str, tmp_path: Path
) -> None:
    """The citizen's screen says jam; after it is cleared the rest comes out once, and each later ticket once."""
    async with pair(kind, tmp_path, Model(jam_in_dots=300, xoff=kind == "pty")) as (driver, emulator):
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "jam")
        assert driver.printer_state == "jam"
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "jam"), "not one byte of it"
        assert not emulator.papers
        emulator.model.jam = False
        await emulator.changed()
        await until(lambda: driver.printer_state == "ok")
        for number in ("A018", "A019"):
            await driver.print(encode_paper(replace(TICKET, number=number)), 10_000)
        await until(lambda: len(emulator.papers) == 3)
        await asyncio.sleep(0.2)
        text = "".join(paper.text for paper in emulator.papers)
        assert [text.count(number) for number in ("A017", "A018", "A019")] == [1, 1, 1]


async def test_a_jam_inside_a_ticket_is_seen_without_fixed_bits(tmp_path: Path) -> None:
    """Reliance: while its answer is awaited only full status can be asked; paper that ends is seen the same way."""
    for model, reason in ((Model(jam_in_dots=300), "jam"), (Model(paper_dots=300), "out")):
        model.fixed_bits, model.full_status, model.presenter = False, True, "command"
        async with pair("memory", tmp_path, model, printer_settings(RELIANCE | FAST)) as (driver, emulator):
            assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", reason)
            assert not emulator.papers
            model.jam, model.paper_dots = False, None
            await emulator.changed()
            await until(lambda: driver.printer_state == "ok")
            assert (await driver.print(encode_paper(replace(TICKET, number="A018")), 10_000))[0] in (
                "printed",
                "unknown",
            )
            await until(lambda: len(emulator.papers) == 2)
            assert "A018" in emulator.papers[1].text


async def test_ux_k_11_every_state_is_reached_before_in_and_after_a_ticket(tmp_path: Path) -> None:
    """ok, near_end, out, jam, cover, offline, unreadable; a printer that was mended is in order again."""
    async with pair("memory", tmp_path, Model(full_status=True, near_dots=500), QUICK) as (driver, emulator):
        seen = [str(driver.printer_state)]
        for name, broken, whole in (
            ("paper_dots", 400, None), ("paper_dots", 0, None), ("jam", True, False), ("cover", True, False),
            ("deaf", True, False), ("mute", True, False),
        ):  # fmt: skip
            setattr(emulator.model, name, broken)
            await emulator.changed()
            await until(lambda: driver.printer_state != "ok")
            seen.append(str(driver.printer_state))
            setattr(emulator.model, name, whole)
            await emulator.changed()
            await until(lambda: driver.printer_state == "ok")
        assert seen == ["ok", "near_end", "out", "jam", "cover", "offline", "unreadable"]


def test_a_kiosk_printers_profile_is_its_paper_and_its_settings_below_the_entrys_own() -> None:
    seen: list[DeviceEntry] = []
    make = printer_maker(lambda e: (seen.append(e), lay_out)[1])
    entry = DeviceEntry(
        id="p1", kind="printer", url="file:///dev/usb/lp0", address=0, profile="Reliance", window="", levels={},
        settings={"take_ms": "15000", "paper.qr": "raster"},
    )  # fmt: skip
    make(entry, lambda _: None)
    assert seen[0].profile == "80mm"
    assert seen[0].settings["take_ms"] == "15000"
    assert seen[0].settings["fixed_bits"] == "false"
    with pytest.raises(ValueError, match="full_status"):
        make(replace(entry, settings={"full_status": "false"}), lambda _: None)
