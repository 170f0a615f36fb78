"""What a ticket printer answers means the same to another hand (HARDWARE 4.1, 7.3, 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.escpos import Interpreter
from devices.emulators.printer_model import Model
from devices.framing import escpos
from devices.framing.escpos_line import EscposDeviceGrammar, EscposStatus
from devices.framing.stream import Framer, Garbage
from devices.protocols.printer import Ended, Job, PrinterProtocol, PrinterSettings, Write
from devices.protocols.printer_status import Condition, read_asb, read_full, read_status
from tests.devices.otherhand import Skipped
from tests.devices.otherhand import escpos_answers as second
from tests.devices.otherhand.escpos import STATUS, Asked, decode

calm = settings(max_examples=60)  # the machine is shared
EVERY = range(256)
FINE = second.PrinterStatus(False, False, False, False)

# HARDWARE 4.1: what was asked, the answer, what it means.
LITERALS: list[tuple[str, str, second.Answer]] = [
    ("printer", "12", FINE),
    ("printer", "16", second.PrinterStatus(True, False, False, False)),
    ("printer", "1A", second.PrinterStatus(False, True, False, False)),
    ("offline cause", "12", second.OfflineCause(False, False, False, False)),
    ("offline cause", "16", second.OfflineCause(True, False, False, False)),
    ("offline cause", "32", second.OfflineCause(False, False, True, False)),
    ("error cause", "12", second.ErrorCause(False, False, False, False)),
    ("error cause", "1A", second.ErrorCause(False, True, False, False)),
    ("paper", "12", second.PaperStatus(False, False, False)),
    ("paper", "1E", second.PaperStatus(True, False, False)),
    ("paper", "72", second.PaperStatus(False, True, False)),
    ("paper", "7E", second.PaperStatus(True, True, False)),
    # Reliance: no fixed bits.
    ("paper", "6C", second.PaperStatus(True, True, False)),
    ("paper", "0C", second.PaperStatus(True, False, False)),
    ("paper after printing", "00", second.PaperStatus(False, False, True)),
    ("paper after printing", "03", second.PaperStatus(True, False, True)),
    ("paper after printing", "0F", second.PaperStatus(True, True, True)),
    ("", "11", second.Flow(True)),
    ("", "13", second.Flow(False)),
    ("", "10 00 00 00", second.Asb(FINE, False, False, second.ErrorCause(False, False, False, False), False, False)),
    ("", "38 08 0F 00", second.Asb(second.PrinterStatus(False, True, False, False), True, False,
                                   second.ErrorCause(False, True, False, False), True, True)),
    ("full status", "10 0F 00 00 00 00", second.FullStatus(*(False,) * 10)),
    ("full status", "10 0F 25 00 00 00", second.FullStatus(True, True, True, *(False,) * 7)),
    ("full status", "10 0F 00 0B 4B 01", second.FullStatus(False, False, False, *(True,) * 7)),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "raw", "meaning"), LITERALS)
def test_hardware_4_1_every_literal(asked: str, raw: str, meaning: second.Answer) -> None:
    assert second.decode_answers(bytes.fromhex(raw), (asked,) if asked else ()) == [meaning]


def same(theirs: second.Answer, ours: Condition) -> None:
    """Every bit that the other hand names says the same in the project's condition, and no other is said."""
    match theirs:
        case second.PrinterStatus(offline=offline):
            assert ours == Condition(offline=offline, heard=True)
        case second.OfflineCause(cover, _, end, error):
            assert ours == Condition(cover=cover, out=end, error=error, heard=True)
        case second.ErrorCause(recoverable, cutter, dead, cooling):
            assert ours == Condition(jam=recoverable or cutter, error=dead or cooling, heard=True)
        case second.PaperStatus(near_end, end, _):
            assert ours == Condition(near_end=near_end, out=end, heard=True)
        case second.Asb(printer, cover, _, error, near_end, end):
            jam, dead = error.recoverable or error.cutter, error.unrecoverable or error.recovers_itself
            expected = Condition(printer.offline, cover, end, near_end, jam, dead, heard=True)
            assert ours == expected
        case second.FullStatus():
            error = theirs.head_temperature or theirs.line_error or theirs.voltage
            jam = theirs.jam or theirs.cutter
            output = theirs.ticket_at_output
            expected = Condition(False, theirs.cover_open, theirs.no_paper, theirs.near_end, jam, error, output, True)
            assert ours == expected
        case _:
            pytest.fail(f"no condition: {theirs}")


@pytest.mark.parametrize("part", sorted(STATUS))
def test_hardware_4_1_every_byte_that_dle_eot_can_be_answered_with(part: int) -> None:
    for value in EVERY:
        same(second.status(STATUS[part], value), read_status(Condition(), part, value))


@pytest.mark.parametrize("at", range(4))
def test_hardware_4_1_every_byte_of_an_automatic_and_a_full_status(at: int) -> None:
    for value in EVERY:
        full = bytearray(4)
        full[at] = value
        (theirs,) = second.decode_answers(b"\x10\x0f" + full, ("full status",))
        same(theirs, read_full(Condition(), bytes(full)))
        asb = bytearray((0x10, 0, 0, 0))
        asb[at] |= value & (0x6C if at == 0 else 0x6F)
        if asb[:2] != b"\x10\x0f":
            (told,) = second.decode_answers(bytes(asb))
            same(told, read_asb(bytes(asb)))


# Streams of answers.

rest = st.integers(0, 255).map(lambda value: value & 0x6F)
fixed = st.integers(0, 255).map(lambda value: bytes((value & 0x6C | 0x12,)))
plain = rest.map(lambda value: bytes((value,)))
flow = st.sampled_from((b"\x11", b"\x13"))
asb = st.builds(lambda a, *bcd: bytes((a & 0x6C | 0x10, *bcd)), rest, rest, rest, rest).filter(
    lambda raw: raw[:2] != b"\x10\x0f"
)
full = st.binary(min_size=4, max_size=4).map(lambda data: b"\x10\x0f" + data)
foreign = st.integers(0, 255).filter(lambda value: value & 0x80).map(lambda value: bytes((value,)))
answers = st.one_of(fixed, plain, flow, asb, full, foreign)
cuts = st.lists(st.integers(0, 60), max_size=8)


def told(raw: bytes, cuts: Sequence[int], *, full_status: bool) -> list[Any]:
    """The project's replies, as the other hand writes them down; nothing was asked."""
    reader = escpos.StatusReader(full_status=full_status)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    found: list[Any] = []
    for reply in (reply for start, end in pairwise(edges) for reply in reader.feed(raw[start:end])):
        match reply:
            case escpos.Realtime(value):
                found.append(second.Unasked(value))
            case escpos.Plain(value):
                found.append(second.PaperStatus(bool(value & 0x03), bool(value & 0x0C), after_printing=True))
            case escpos.Asb(data):
                found.append(read_asb(data))
            case escpos.FullStatus(data):
                found.append(read_full(Condition(), data))
            case escpos.Flow(go):
                found.append(second.Flow(go))
            case escpos.Noise(data):
                if found and isinstance(found[-1], bytes):
                    found[-1] += data
                else:
                    found.append(data)
    return found


def test_hardware_4_1_only_10_0f_begins_a_full_status_in_a_capture() -> None:
    """An open drawer's automatic status was once taken for one when four errors came with it."""
    framer: Framer[EscposStatus] = Framer((EscposDeviceGrammar(),))
    assert framer.feed(b"\x14\x0f\0\0\x10\x0f\x21\0\0\0") == [
        EscposStatus(b"\x14\x0f\0\0"),
        EscposStatus(b"\x10\x0f\x21\0\0\0"),
    ]


@calm
@given(st.lists(answers, max_size=10).map(b"".join), cuts)
def test_hardware_4_1_the_answers_on_a_line_are_told_apart_the_same(raw: bytes, cuts: list[int]) -> None:
    theirs, ours = second.decode_answers(raw), told(raw, cuts, full_status=True)
    assert len(theirs) == len(ours)
    for their, our in zip(theirs, ours, strict=True):
        match their:
            case second.Asb() | second.FullStatus():
                same(their, our)
            case Skipped(data, _):
                assert our == data
            case _:
                assert our == their
    framer: Framer[EscposStatus] = Framer((EscposDeviceGrammar(),))
    captured = [item for item in framer.feed(raw) + framer.flush() if not isinstance(item, Garbage)]
    assert len(captured) == sum(not isinstance(item, Skipped) for item in theirs)


@calm
@given(st.lists(st.one_of(asb, fixed, plain), max_size=8).map(b"".join), cuts)
def test_hardware_4_1_a_printer_without_full_status_is_told_apart_the_same(raw: bytes, cuts: list[int]) -> None:
    theirs, ours = second.decode_answers(raw), told(raw, cuts, full_status=False)
    assert len(theirs) == len(ours)
    assert [our for our in ours if not isinstance(our, Condition)] == [
        x for x in theirs if not isinstance(x, second.Asb)
    ]


@calm
@given(st.binary(max_size=80), st.lists(st.sampled_from((*second.REAL_TIME, "full status", "paper after printing", "ejector status"))),
       cuts)  # fmt: skip
def test_hardware_4_1_any_bytes_raise_nothing_and_are_told_apart_in_any_pieces_alike(
    raw: bytes, asked: list[str], cuts: list[int]
) -> None:
    for item in second.decode_answers(raw, asked):
        assert not isinstance(item, Skipped) or item.data in raw
    for full_status in (True, False):
        assert told(raw, cuts, full_status=full_status) == told(raw, (), full_status=full_status)


# The driver and the emulated printer.

models = st.builds(
    Model,
    paper_dots=st.sampled_from((None, 0, 50, 5000)),
    near_dots=st.just(100),
    cover=st.booleans(),
    jam=st.booleans(),
    deaf=st.booleans(),
    fixed_bits=st.booleans(),
    full_status=st.just(True),
    at_output=st.booleans(),
)


@calm
@given(models)
def test_hardware_7_3_the_emulated_printer_answers_what_it_is(model: Model) -> None:
    printer = Interpreter(model)
    asked = [*STATUS, 0x14]
    names = [item.what for item in decode(b"".join(bytes((0x10, 4, n)) for n in asked)) if isinstance(item, Asked)]
    raw = b"".join(printer.feed(bytes((0x10, 4, n))) for n in asked)
    one, two, three, four, whole = second.decode_answers(raw, names)
    assert one == second.PrinterStatus(False, model.offline, False, False)
    assert two == second.OfflineCause(model.cover, False, model.out, model.jam)
    assert three == second.ErrorCause(False, model.jam, False, False)
    assert four == second.PaperStatus(model.near_end, model.out, after_printing=False)
    assert isinstance(whole, second.FullStatus)
    assert (whole.no_paper, whole.near_end, whole.ticket_at_output) == (model.out, model.near_end, model.at_output)
    assert (whole.cover_open, whole.jam, whole.cutter) == (model.cover, model.jam, model.jam)
    if not model.offline:
        (after,) = second.decode_answers(printer.feed(b"\x1dr\x01"), ("paper after printing",))
        assert after == second.PaperStatus(model.near_end, model.out, after_printing=True)
    (changed,) = second.decode_answers(Interpreter(model).feed(b"\x1da\xff") if not model.offline else model.asb())
    assert isinstance(changed, second.Asb)
    assert (changed.printer.offline, changed.cover_open, changed.error.cutter) == (
        model.offline,
        model.cover,
        model.jam,
    )
    assert (changed.near_end, changed.end) == (model.near_end, model.out)


@pytest.mark.parametrize("asb", [False, True])
@pytest.mark.parametrize("full_status", [False, True])
def test_hardware_4_1_a_ticket_from_question_to_proof(asb: bool, full_status: bool) -> None:
    """Each question that the driver writes is answered by the other hand's reading of it."""
    driver = PrinterProtocol(PrinterSettings(asb=asb, full_status=full_status))
    asked, ended = print_one(driver, b"\0")
    assert ended == [Ended("7", "printed", "")]
    assert asked[-1] == "paper after printing"
    assert asked[:-1] == [*STATUS.values(), *(["full status"] * full_status)]


@pytest.mark.parametrize("value", range(16))
def test_hardware_4_1_the_proof_of_a_ticket_tells_of_the_paper_too(value: int) -> None:
    driver = PrinterProtocol()
    assert print_one(driver, bytes((value,)))[1] == [Ended("7", "printed", "")]
    (paper,) = second.decode_answers(bytes((value,)), ("paper after printing",))
    assert isinstance(paper, second.PaperStatus)
    assert driver.state == ("out" if paper.end else "near_end" if paper.near_end else "ok")


def print_one(driver: PrinterProtocol, proof: bytes) -> tuple[list[str], list[Ended]]:
    """One ticket through a healthy printer that answers GS r with `proof`: what was asked, and how it ended."""
    healthy = dict.fromkeys(STATUS.values(), b"\x12")
    healthy |= {"full status": b"\x10\x0f\0\0\0\0", "paper after printing": proof}
    asked, ended = [], []
    waiting = [*driver.line_up(0), *driver.submit(Job("7", b"A042\n\x1dVB\0\x1dr\x01", 10_000), 0)]
    while waiting:
        output = waiting.pop(0)
        if isinstance(output, Ended):
            ended.append(output)
        if isinstance(output, Write):
            waiting += driver.written(1) if output.ticket else []
            for item in decode(output.data):
                if isinstance(item, Asked):
                    asked.append(item.what)
                    waiting += driver.receive(healthy[item.what], 1)
    return asked, ended
