"""What a ticket printer is sent and answers means the same to another hand (HARDWARE 4, 7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.escpos import Interpreter
from devices.emulators.printer_model import Model
from devices.emulators.printer_paper import Code, Raster, TextLine
from devices.framing.escpos import ASB_ON, ASK_FULL, ASK_PAPER, ask_status
from devices.framing.escpos_line import EscposCommand, EscposHostGrammar, EscposText
from devices.framing.stream import Framer, Garbage
from devices.protocols.presenter import EJECT, RETRACT, present
from displays.receipts import Paper, PrinterProfile, TestPaper, TicketPaper, UncalledPaper
from displays.receipts.papers import paper_bytes
from tests.devices.otherhand import Skipped, escpos

calm = settings(max_examples=60, deadline=None)  # the machine is shared
Printed = tuple[str, tuple[int, int], bool, bool]
"""A character, how many times wide and high, bold, white on black."""

QR_A042 = (
    "1D 28 6B 04 00 31 41 32 00 1D 28 6B 03 00 31 43 06 1D 28 6B 03 00 31 45 30"
    "1D 28 6B 07 00 31 50 30 41 30 34 32 1D 28 6B 03 00 31 51 30"
)
TICKET = "1B 40 1C 26 1B 61 01 1C 21 0C 1D 21 11 41 30 34 32 BA C5 0A 1D 56 42 00 1D 72 01"
PLAIN = escpos.Style()
BIG = escpos.Style("centre", (2, 2), (2, 2))
# HARDWARE 4.1 to 4.3.
LITERALS: list[tuple[str, list[escpos.Item]]] = [
    (QR_A042, [escpos.QrCode(b"A042", 2, 6, "L", PLAIN)]),
    ("1D 76 30 00 02 00 02 00 FF FF FF FF", [escpos.Raster(16, 2, b"\xff" * 4, 0, PLAIN)]),
    ("1B 64 06 1D 56 00", [escpos.Fed(lines=6), escpos.Cut(False, "GS V")]),
    ("1D 56 01 1D 56 42 10", [escpos.Cut(True, "GS V"), escpos.Cut(True, "GS V", 16)]),
    ("1B 69 1B 6D", [escpos.Cut(None, "ESC i"), escpos.Cut(None, "ESC m")]),
    ("10 04 01 10 04 02 10 04 03 10 04 04", [escpos.Asked(escpos.STATUS[part]) for part in (1, 2, 3, 4)]),
    ("10 04 14 1D 65 06", [escpos.Asked("full status"), escpos.Asked("ejector status")]),
    ("1D 65 02 1D 65 05", [escpos.Ejected("retract", b""), escpos.Ejected("eject", b"")]),
    ("1D 65 03 0C 1D 65 20 0C 1E", [escpos.Ejected("present", b"\x0c"), escpos.Ejected("present for a time", b"\x0c\x1e")]),
    ("1D 65 12 1D 65 14", [escpos.Ejected("continuous off", b""), escpos.Ejected("continuous on", b"")]),
    ("1D 61 0F 1D E0 01", [escpos.AsbSet(True, True, True, True), escpos.Setting("automatic full status", 1)]),
    ("1D 61 FF 1D 61 00", [escpos.AsbSet(True, True, True, True), escpos.AsbSet(False, False, False, False)]),
    ("1C 26 C7 EB 1C 2E 41", [escpos.Setting("chinese on", 0), escpos.Text("请", True, PLAIN),
                              escpos.Setting("chinese off", 0), escpos.Text("A", False, PLAIN)]),
    (TICKET, [escpos.Started(), escpos.Setting("chinese on", 0), escpos.Setting("align", 1), escpos.Setting("hanzi mode", 12),
              escpos.Setting("size", 0x11), escpos.Text("A042", False, BIG), escpos.Text("号", True, BIG), escpos.Fed(lines=1),
              escpos.Cut(True, "GS V", 0), escpos.Asked("paper after printing")]),
    # 4.3: "王㐂" in GB18030 has a four-byte code, which two-byte printers misprint.
    ("1C 26 CD F5 81 39 EF 31", [escpos.Setting("chinese on", 0), escpos.Text("王", True, PLAIN),
                                 Skipped(bytes.fromhex("81 39 EF 31"), "four-byte GB18030")]),
]  # fmt: skip


def lines(items: Sequence[escpos.Item]) -> list[list[Printed]]:
    """The lines that this decoder reads: a feed or a cut ends one."""
    done: list[list[Printed]] = [[]]
    for item in items:
        match item:
            case escpos.Text(text, hanzi, style):
                size = style.hanzi_size if hanzi else style.size
                done[-1] += [(character, size, style.bold, style.inverse) for character in text]
            case escpos.Fed() | escpos.Cut():
                done.append([])
    return [line for line in done if line]


def emulated(data: bytes, cuts: Sequence[int] = ()) -> Interpreter:
    """What the emulated printer makes of these bytes, in whatever pieces."""
    printer = Interpreter(Model())
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        printer.feed(data[start:end])
    return printer


def elements(printer: Interpreter) -> list[Any]:
    return [each for paper in (*printer.papers, printer.current) for each in paper.elements]


def lines_of(printer: Interpreter) -> list[list[Printed]]:
    """The same of the emulated printer."""
    return [
        [(c, (s.look.wide, s.look.high), s.look.bold, s.look.reverse) for s in each.spans for c in s.text]
        for each in elements(printer)
        if isinstance(each, TextLine)
    ]


def pieces(data: bytes, cuts: Sequence[int] = ()) -> list[Any]:
    """What the project's reader of captures makes of these bytes."""
    framer: Framer[Any] = Framer((EscposHostGrammar(),))
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [item for start, end in pairwise(edges) for item in framer.feed(data[start:end])] + framer.flush()


def text_of(items: Sequence[Any]) -> bytes:
    """The bytes of text among them."""
    return b"".join(
        item.text if isinstance(item, EscposText) else item.text.encode("gbk")
        for item in items
        if isinstance(item, EscposText | escpos.Text)
    )


def same_paper(data: bytes, cuts: Sequence[int] = ()) -> None:
    """Both hands, and the reader of captures, find the same on the paper, and nothing to skip."""
    items, printer = escpos.decode(data), emulated(data, cuts)
    assert [item for item in items if isinstance(item, Skipped)] == []
    assert (printer.unknown, printer.garbled) == ([], 0)
    assert lines_of(printer) == lines(items)
    drawn = [(x.width_px, x.height_px, x.rows) for x in items if isinstance(x, escpos.Raster)]
    assert [(x.width, x.height, x.data) for x in elements(printer) if isinstance(x, Raster)] == drawn
    codes = [(x.data.decode(), x.module_dots) for x in items if isinstance(x, escpos.QrCode)]
    assert [(x.payload, x.module) for x in elements(printer) if isinstance(x, Code)] == codes
    assert printer.cuts == sum(isinstance(item, escpos.Cut) for item in items)
    told = pieces(data, cuts)
    assert not any(isinstance(item, Garbage) for item in told)
    assert text_of(told) == text_of(items)
    assert b"".join(x.data if isinstance(x, EscposCommand) else x.text for x in told) == data


# Papers: what the project prints.

PAPERS: list[Paper] = [
    TicketPaper(
        hall="青岚市政务服务中心", zone="二楼 B 区", number="A042", matters=("企业开办“一件事”", "食品经营许可"), ahead=7,
        wait_low_min=10, wait_high_min=20, place="二楼 B 区", windows="1–6 号任一窗口", taken_at="2026-03-02 09:15",
        kiosk="取号机 2", priority="老年人", credit_min=15, effective_at="09:00", grievance_window="12",
        url="https://hall.example/t/7KQ2", reprint=True,
    ),
    TicketPaper(hall="王㐂镇便民服务中心", number="B7", matters=("𠮷龻的事",), ahead=0, taken_at="2026-03-02 09:15", english=False),
    UncalledPaper(
        hall="青岚市政务服务中心", number="A042", matters=("企业开办",), day="2026-03-02", valid_on="2026-03-03",
        opens="08:30", place="一楼导办台", phone="0000-1234567", url="https://hall.example/t/7KQ2",
    ),
    TestPaper(hall="青岚市政务服务中心", device="kiosk-2", printed_at="2026-03-02 09:15", url="https://hall.example/t"),
]  # fmt: skip
profiles = st.builds(
    PrinterProfile,
    dots=st.sampled_from((576, 384)),
    margin_dots=st.just(0),
    charset=st.sampled_from(("gbk", "gb2312")),
    hanzi_size=st.sampled_from(("fs!", "fsw", "none")),
    largest=st.integers(1, 8),
    qr=st.sampled_from(("native", "raster")),
    cut=st.sampled_from(("partial", "full", "kiosk", "none")),
    feed_lines=st.integers(0, 9),
    reverse=st.booleans(),
)


@settings(max_examples=16, deadline=None)
@given(st.sampled_from(PAPERS), profiles)
def test_hardware_4_every_paper_reads_the_same(paper: Paper, profile: PrinterProfile) -> None:
    data = paper_bytes(paper, profile)
    same_paper(data)
    items = escpos.decode(data)
    assert items[-1] == escpos.Asked("paper after printing")
    assert sum(item == items[-1] for item in items) == 1
    cut = [(item.partial, item.command) for item in items if isinstance(item, escpos.Cut)]
    assert (
        cut
        == {"partial": [(True, "GS V")], "full": [(False, "GS V")], "kiosk": [(None, "ESC i")], "none": []}[profile.cut]
    )
    # 4.2: two-byte hanzi only, Chinese mode on and off around them, also when it was on from the start.
    assert escpos.decode(data, chinese_at_power_up=True) == items
    for before, text, after in zip(items, items[1:], items[2:], strict=False):
        if not (isinstance(text, escpos.Text) and text.hanzi):
            continue
        # 4.3: "Chinese mode on and off around GBK runs, ASCII outside."
        assert (before, after) == (escpos.Setting("chinese on", 0), escpos.Setting("chinese off", 0))
        wide, high = text.style.size
        meant = {
            "fs!": (min(2, wide), min(2, high)),
            "fsw": (2, 2) if (wide, high) == (2, 2) else (1, 1),
            "none": (1, 1),
        }
        assert text.style.hanzi_size == meant[profile.hanzi_size]
    if not isinstance(paper, TestPaper):
        number = [line for line in lines(items) if "".join(c for c, *_ in line) == paper.number]
        assert [{size for _, size, *_ in line} for line in number] == [
            {(max(1, min(profile.largest, profile.columns // len(paper.number))), profile.largest)}
        ]
        assert all(bold for line in number for _, _, bold, _ in line)
    natives = [item for item in items if isinstance(item, escpos.QrCode)]
    url = getattr(paper, "url", "").encode()
    expected = bool(url) and (profile.qr == "native" or isinstance(paper, TestPaper))
    assert [(code.data, code.model, code.level) for code in natives] == [(url, 2, "M")] * expected


@pytest.mark.parametrize("margin", [0, 24])
def test_hardware_4_1_the_margins_of_80_mm_paper(margin: int) -> None:
    data = paper_bytes(PAPERS[0], PrinterProfile(margin_dots=margin))
    same_paper(data)
    settings = {item.name: item.value for item in escpos.decode(data) if isinstance(item, escpos.Setting)}
    assert (settings.get("left margin", 0), settings.get("width", 576)) == (margin, 576 - 2 * margin)


# Commands, built from the tables.


def qr(data: bytes, dots: int) -> bytes:
    """A QR code from HARDWARE 4.3's fixture."""
    steps = (b"1A2\0", b"1C" + bytes((dots,)), b"1E0", b"1P0" + data, b"1Q0")
    return b"".join(b"\x1d(k" + len(step).to_bytes(2, "little") + step for step in steps)


def raster(across: int, high: int, fill: int) -> bytes:
    sizes = across.to_bytes(2, "little") + high.to_bytes(2, "little")
    return b"\x1dv0\0" + sizes + bytes((fill,)) * (across * high)


ascii_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)
hanzi = st.text(
    st.characters(min_codepoint=0x80).filter(lambda c: len(c.encode("gbk", "ignore")) == 2), min_size=1, max_size=6
)
byte = st.integers(0, 255)


def one(prefix: bytes, values: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    return values.map(lambda value: prefix + bytes((value,)))


steps = st.one_of(
    ascii_text.map(lambda text: text.encode("ascii")),
    hanzi.map(lambda text: b"\x1c&" + text.encode("gbk") + b"\x1c."),
    st.just(b"\n"),
    st.just(b"\x1b@"),
    one(b"\x1ba", st.sampled_from((0, 1, 2, 48, 49, 50))),
    one(b"\x1b!", byte),
    one(b"\x1bE", byte),
    one(b"\x1d!", st.integers(0, 7).flatmap(lambda high: st.integers(0, 7).map(lambda wide: wide << 4 | high))),
    one(b"\x1c!", byte),
    one(b"\x1cW", st.sampled_from((0, 1, 48, 49))),
    one(b"\x1dB", st.sampled_from((0, 1))),
    one(b"\x1bJ", byte),
    one(b"\x1bd", st.integers(1, 9)),
    st.sampled_from([b"\n\x1dV\x00", b"\n\x1dV\x01", b"\n\x1dVB\x10", b"\n\x1bi", b"\n\x1bm"]),
    st.builds(qr, st.text("A042请", min_size=1, max_size=6).map(str.encode), st.integers(1, 8)).map(
        lambda raw: b"\n" + raw
    ),
    st.builds(raster, st.integers(0, 3), st.integers(0, 4), byte).map(lambda raw: b"\n" + raw),
    st.sampled_from(
        [b"\x10\x04\x01", b"\x10\x04\x14", b"\x1dr\x01", b"\x1da\x00", b"\x1de\x02", b"\x1de\x03\x0c", b"\x1de\x05"]
    ),
)
shown = st.sampled_from([b"A", b"42\n", b"\x1c&" + "号".encode("gbk") + b"\x1c.", b"\n", b""])
streams = st.lists(st.builds(bytes.__add__, steps, shown), min_size=1, max_size=24).map(b"".join)
cuts = st.lists(st.integers(0, 300), max_size=8)


@pytest.mark.parametrize(("raw", "meaning"), LITERALS)
def test_hardware_4_every_literal(raw: str, meaning: list[escpos.Item]) -> None:
    assert escpos.decode(bytes.fromhex(raw)) == meaning


@pytest.mark.parametrize("raw", [QR_A042, TICKET, "1D 76 30 00 02 00 02 00 FF FF FF FF", "41 1B 64 06 1D 56 00"])
def test_hardware_7_3_the_emulated_printer_prints_the_literals(raw: str) -> None:
    same_paper(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "raw",
    [
        "1B 21 38 41 0A",  # ESC ! is bold, too
        "41 1B 4A 05 42 0A",  # ESC J ends a line
        "1D 28 6B 02 00 31 43 41 0A",  # steps of a code that are cut short, out of range, or out of order
        "1D 28 6B 03 00 31 51 30 41 0A",
        "1D 28 6B 00 00 41 0A",
    ],
)
def test_hardware_7_3_the_emulated_printer_puts_on_paper_what_epsons_manual_says(raw: str) -> None:
    items, printer = escpos.decode(bytes.fromhex(raw)), emulated(bytes.fromhex(raw))
    assert lines_of(printer) == lines(items) != []
    assert not [x for x in elements(printer) if isinstance(x, Code)]


def test_hardware_7_3_a_code_that_cannot_be_is_not_drawn() -> None:
    assert elements(emulated(qr(b"A" * 4000, 6))) == []
    (code,) = elements(emulated(qr(b"A042", 0)))
    assert (code.payload, code.module) == ("A042", 3)


@calm
@given(streams, cuts)
def test_hardware_7_3_the_emulated_printer_prints_what_another_hand_says(data: bytes, cuts: list[int]) -> None:
    same_paper(data + b"\n", cuts)


@pytest.mark.parametrize("raw", ["1D 6B 04 41 30 34 32 00", "1D 6B 49 06 7B 42 41 30 34 32", "1D 6B 45 04 41 30 34 32"])
def test_a_barcode_is_no_text(raw: str) -> None:
    """GS k, by Epson's published manual: both its forms say where they end (HARDWARE has no table of it)."""
    data = b"A\n" + bytes.fromhex(raw) + b"B\n"
    (barcode,) = [item for item in escpos.decode(data) if isinstance(item, escpos.Barcode)]
    assert barcode.data.endswith(b"A042")
    assert [item.text for item in pieces(data) if isinstance(item, EscposText)] == [b"A", b"B"]
    assert ["".join(c for c, *_ in line) for line in lines_of(emulated(data))] == ["A", "B"]


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        *((ask_status(part), escpos.Asked(what)) for part, what in escpos.STATUS.items()),
        (ASK_FULL, escpos.Asked("full status")),
        (ASK_PAPER, escpos.Asked("paper after printing")),
        (ASB_ON, escpos.AsbSet(True, True, True, True)),
        (RETRACT, escpos.Ejected("retract", b"")),
        (EJECT, escpos.Ejected("eject", b"")),
        (present(12), escpos.Ejected("present", b"\x0c")),
    ],
)
def test_hardware_4_1_what_the_driver_asks_and_orders(sent: bytes, meaning: escpos.Item) -> None:
    assert escpos.decode(sent) == [meaning]
    assert pieces(sent) == [EscposCommand(sent)]


noise = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(b"\x10\x04\x14\x1b\x1c\x1d\x0a\x00\x01\x02\x03\x28\x6b\x31\x41\x43\x45\x50\x51\x76\x56\x65\x40\x2e\x26\x81\x30\xfe"),
             max_size=60).map(bytes),
    st.tuples(streams, st.integers(0, 60)).map(lambda cut: cut[0][: cut[1]]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(noise, cuts, st.booleans())
def test_hardware_4_any_bytes_raise_nothing(data: bytes, cuts: list[int], chinese: bool) -> None:
    items = escpos.decode(data, chinese_at_power_up=chinese)
    assert all(item.data for item in items if isinstance(item, Skipped))
    assert all(key != again for (key, _), (again, _) in pairwise(
        (kind, list(group)) for kind, group in groupby(i.reason if isinstance(i, Skipped) else str(n) for n, i in enumerate(items))
    ))  # fmt: skip
    emulated(data, cuts)
    assert b"".join(x.data if isinstance(x, EscposCommand | Garbage) else x.text for x in pieces(data, cuts)) == data
