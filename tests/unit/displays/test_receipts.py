"""Papers as bytes: what RULES 18 and 27 want on a ticket, and text that comes out right (HARDWARE 4.2, 4.3)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageChops

from devices.emulators.printer import Interpreter, Model
from devices.emulators.printer_paper import PrintedPaper, Raster, TextLine
from displays.errors import Malformed, Unavailable
from displays.receipts import (
    Paper,
    PassPolicy,
    PrinterProfile,
    TestPaper,
    TicketPaper,
    UncalledPaper,
    decode_paper,
    encode_paper,
    printer_profile,
)
from displays.receipts.papers import paper_bytes, ticket_bytes
from displays.receipts.raster import text_image
from displays.receipts.text import NEVER_FIRST, NEVER_LAST, cells, plain, printable, runs, wrap
from queue_server.app import texts
from tests.devices import independent_escpos

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
URL = "http://192.168.1.10:8080/t/q3VwJm8sYt2LrXzBkN5cHg"
WIDE, NARROW = printer_profile("80mm"), printer_profile("58mm")
TICKET = TicketPaper(
    hall="云水区政务服务中心",
    zone="B 民生服务区",
    number="A017",
    matters=("城乡居民基本养老保险参保登记",),
    ahead=5,
    wait_low_min=15,
    wait_high_min=25,
    place="二楼 B 区",
    windows="1–6 号任一窗口",
    taken_at="2026-11-23 09:22",
    kiosk="1 号取号机",
    priority="老年人",
    credit_min=15,
    effective_at="09:07",
    grievance_window="22",
    url=URL,
)
SLIP = UncalledPaper(
    hall="云水区政务服务中心",
    number="A017",
    matters=("居民身份证补领",),
    day="2026-11-23",
    valid_on="2026-11-24",
    opens="09:00",
    url=URL,
)
TEST = TestPaper(hall="云水区政务服务中心", device="1 号取号机", printed_at="2026-11-23 09:22", url=URL)


def printed(paper: Paper, profile: PrinterProfile = WIDE) -> PrintedPaper:
    printer = Interpreter(Model(dots=profile.dots))
    printer.feed(paper_bytes(paper, profile))
    assert not printer.unknown
    assert not printer.garbled
    (only,) = printer.papers
    return only


@pytest.mark.parametrize("profile", [WIDE, NARROW], ids=["80mm", "58mm"])
def test_rules_18_a_ticket_says_everything(profile: PrinterProfile) -> None:
    text = printed(TICKET, profile).text.replace("\n", "")
    for words in (
        "云水区政务服务中心",
        "B 民生服务区",
        "城乡居民基本养老保险参保登记",
        "A017",
        "前面 5 位",
        "约等 15-25 分钟",
        "二楼 B 区等候，1-6 号任一窗口",
        "叫 3 次没到，先让后面 3 位办，再叫您；第 2 次过号，号就作废。",
        "取号 2026-11-23 09:22",
        "取号 09:22，老年人提前15 分钟，有效时间 09:07",
        "办成没办成，都可到",
        "5 ahead of you. About 15-25 min",
    ):
        assert words.replace(" ", "") in text.replace(" ", ""), words
    assert printed(TICKET, profile).codes == [URL]


def test_an_independent_reader_finds_number_ahead_estimate_matter_and_time() -> None:
    read = independent_escpos.ticket(ticket_bytes(TICKET, WIDE))
    assert (read.number, read.ahead, read.estimate, read.time, read.code) == (
        "A017", 5, (15, 25), "2026-11-23 09:22", URL,
    )  # fmt: skip
    assert read.matters.endswith("城乡居民基本养老保险参保登记")


def test_hardware_4_1_the_last_bytes_ask_whether_it_was_printed() -> None:
    for paper in (TICKET, SLIP, TEST):
        assert paper_bytes(paper, WIDE).endswith(b"\x1dV\x42\x00\x1dr\x01")
        assert independent_escpos.decode(paper_bytes(paper, WIDE)).asks == 1


@pytest.mark.parametrize(
    ("cut", "ending"),
    [("partial", "1D 56 42 00"), ("full", "1B 64 04 1D 56 00"), ("kiosk", "1B 64 04 1B 69"), ("none", "1B 64 04")],
)
def test_hardware_4_1_how_to_cut_is_a_setting(cut: str, ending: str) -> None:
    data = ticket_bytes(TICKET, printer_profile("80mm", {"cut": cut}))
    assert data.removesuffix(b"\x1dr\x01").endswith(bytes.fromhex(ending))


@pytest.mark.parametrize(
    ("policy", "rule"), [("requeue", "pass.requeue"), ("resume", "pass.same-window"), ("void", "pass.void")]
)
def test_rules_27_the_printed_rule_is_the_configured_one_in_the_words_of_the_screens(
    policy: PassPolicy, rule: str
) -> None:
    told = texts.words(rule, {"calls": 5, "places": 4, "voids": 3})
    text = printed(replace(TICKET, pass_policy=policy, pass_calls=5, pass_places=4, pass_limit=3)).text
    bare = text.replace("\n", "").replace(" ", "")
    for sentence in (told.zh, told.en):  # the paper breaks its lines where it must
        assert sentence.replace(" ", "") in bare


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, None, None),
        (0, 0, "约等 1 分钟"),
        (0, 5, "约等 1-5 分钟"),
        (8, 8, "约等 8 分钟"),
        (15, 25, "约等 15-25 分钟"),
    ],
)
def test_ux_p_02_the_estimate_is_a_range_or_nothing(low: int | None, high: int | None, words: str | None) -> None:
    text = printed(replace(TICKET, wait_low_min=low, wait_high_min=high)).text
    assert words in text if words else "约等" not in text


def test_nobody_ahead_is_said_in_words() -> None:
    assert "前面没有人，请留意叫号" in printed(replace(TICKET, ahead=0)).text
    assert independent_escpos.ticket(ticket_bytes(replace(TICKET, ahead=0), WIDE)).ahead == 0


def test_a_reprint_is_marked_and_changes_nothing_else() -> None:
    first, again = printed(TICKET), printed(replace(TICKET, reprint=True))
    mark = again.elements[0]
    assert isinstance(mark, TextLine)
    assert mark.text == " 补 "
    assert mark.spans[0].look.reverse
    assert again.lines[3:] == first.lines
    unmarked = printed(replace(TICKET, reprint=True), printer_profile("80mm", {"reverse": "false"}))
    assert isinstance(unmarked.elements[0], TextLine)
    assert not unmarked.elements[0].spans[0].look.reverse


def test_the_uncalled_get_a_slip_with_priority_on_the_next_working_day() -> None:
    text = printed(SLIP).text
    for words in ("未叫到", "A017", "2026-11-24 凭此单优先办理", "09:00", "居民身份证补领", "Not called today"):
        assert words in text


def test_english_is_second_and_can_be_left_out() -> None:
    lines = printed(TICKET).lines
    assert lines.index("5 ahead of you. About 15-25 min") > lines.index("前面 5 位")
    assert not any(word in printed(replace(TICKET, english=False)).text for word in ("ahead", "Scan", "Priority"))


def test_the_number_is_the_biggest_thing_and_fills_a_narrow_paper() -> None:
    for number, wide in (("A017", 8), ("YA007", 6), ("YA1007", 5)):
        line = next(
            e for e in printed(replace(TICKET, number=number), NARROW).elements if number in getattr(e, "text", "")
        )
        assert isinstance(line, TextLine)
        assert (line.spans[0].look.wide, line.spans[0].look.high) == (wide, 8)
        assert line.width <= NARROW.dots


def test_hardware_4_2_chinese_mode_stands_around_gbk_runs_only() -> None:
    assert runs("请A042号", "gbk").hex(" ").upper() == "1C 26 C7 EB 1C 2E 41 30 34 32 1C 26 BA C5 1C 2E"


@pytest.mark.parametrize("text", ["：", "￥10", "〇", "①", "，。；：？！、“”《》（）—…·", "王女士"])
def test_hardware_4_3_what_python_escpos_prints_as_a_question_mark_comes_out_right(text: str) -> None:
    printer = Interpreter()
    printer.feed(runs(text, "gbk") + b"\n")
    assert printer.current.text == text


@pytest.mark.parametrize("rare", ["王㐂", "𠮷野家", "龻", "10 €"])
def test_hardware_4_3_a_character_outside_gbk_is_drawn(rare: str) -> None:
    assert not printable(rare, "gbk")
    paper = printed(replace(TICKET, matters=(rare,)))
    assert "?" not in paper.text.replace("Problems?", "").replace("Missed?", "")
    drawn = [e for e in paper.elements if isinstance(e, Raster) and e.height == 48]
    assert len(drawn) == 1
    assert any(drawn[0].data)


def test_hardware_4_2_a_gb2312_printer_gets_gbk_characters_drawn() -> None:
    profile = printer_profile("80mm", {"charset": "gb2312"})
    assert printable("王喆", "gbk")
    assert not printable("王喆", "gb2312")
    assert "王喆" not in printed(replace(TICKET, matters=("王喆",)), profile).text
    assert "王喆" in printed(replace(TICKET, matters=("王喆",))).text


def test_a_character_that_no_font_has_says_so_instead_of_a_box() -> None:
    with pytest.raises(Unavailable, match="U\\+E000"):
        ticket_bytes(replace(TICKET, matters=("\ue000",)), WIDE)


def test_hardware_4_2_hanzi_are_enlarged_by_their_own_commands() -> None:
    """GS ! leaves hanzi small on many printers: the emulator is such a one."""
    line = next(e for e in printed(TICKET).elements if getattr(e, "text", "") == "前面 5 位")
    assert isinstance(line, TextLine)
    assert {(span.look.wide, span.look.high) for span in line.spans} == {(2, 2)}
    assert b"\x1c\x57\x01" in ticket_bytes(TICKET, printer_profile("80mm", {"hanzi_size": "fsw"}))
    assert b"\x1c\x21" not in ticket_bytes(TICKET, printer_profile("80mm", {"hanzi_size": "none"}))


@pytest.mark.parametrize("profile", [WIDE, NARROW], ids=["80mm", "58mm"])
def test_every_real_matter_name_fits_the_paper(profile: PrinterProfile) -> None:
    """The 30 longest of the sample catalogue, without a line over the edge or broken against the rules."""
    longest = [
        "预计参加人数在1000人以上5000人以下的大型群众性活动安全许可或变更",
        "动物防疫条件合格证核发（动物饲养场、养殖小区和动物屠宰加工场）",
        "符合资助条件的救助对象参加城乡居民基本医疗保险个人缴费补贴",
        "经营劳务派遣业务（含新增业务、新设公司、分立、合并）许可",
        "伤残待遇申领（一次性伤残补助金，伤残津贴和生活护理费）",
        "国有建设用地使用权及房屋所有权转移登记（新建商品房）",
    ]
    for name in longest:
        paper = printed(replace(TICKET, matters=(name,)), profile)
        lines = [e for e in paper.elements if isinstance(e, TextLine)]
        assert all(line.width <= profile.width_dots for line in lines), name
        assert name in paper.text.replace("\n", "")
        for line in lines:
            assert line.text[0] not in NEVER_FIRST
            assert line.text[-1] not in NEVER_LAST


@given(st.text(st.sampled_from("政务A1 0，。（）“”a-办.:理Z"), max_size=80), st.integers(8, 48))
def test_wrapping_loses_nothing_and_never_overflows(text: str, columns: int) -> None:
    lines = wrap(plain(text), columns)
    assert all(cells(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == plain(text).replace(" ", "")


def test_golden_ticket_bytes() -> None:
    golden = GOLDEN / "ticket-80mm.hex"
    assert ticket_bytes(TICKET, WIDE).hex(" ", -32) == golden.read_text().replace("\n", " ").strip()


def test_golden_ticket_picture() -> None:
    """The paper as the emulator prints it; 2 % of the dots may differ with the version of the font."""
    golden = Image.open(GOLDEN / "ticket-80mm.png").convert("L")
    picture = printed(TICKET).picture(WIDE.dots).convert("L")
    assert picture.size == golden.size
    different = ImageChops.difference(picture, golden).histogram()[255]
    assert different <= 0.02 * golden.width * golden.height


def test_a_drawn_line_stands_on_the_printers_own_grid() -> None:
    assert text_image("王A", 2, 2).size == (72, 48)


def test_papers_travel_as_json() -> None:
    for paper in (TICKET, SLIP, TEST):
        assert decode_paper(encode_paper(paper)) == paper
    with pytest.raises(Malformed, match="ahead"):
        decode_paper(encode_paper(TICKET).replace(b'"ahead":5', b'"ahead":"five"'))


def test_a_profile_says_what_is_wrong_with_it() -> None:
    for name, settings, sentence in (
        ("90mm", {}, "none of 80mm, 58mm"),
        ("80mm", {"colour": "red"}, "colour"),
        ("80mm", {"charset": "utf-8"}, "charset"),
        ("80mm", {"largest": "9"}, "1…8"),
    ):
        with pytest.raises(ValueError, match=sentence):
            printer_profile(name, settings)


def test_the_whole_catalogue_of_the_district_hall_is_printable_without_a_font() -> None:
    hall = tomllib.loads((Path(__file__).resolve().parents[3] / "config" / "district.toml").read_text("utf-8"))
    names = [matter["name"] for matter in hall["matter"]]
    assert len(names) > 300
    assert [name for name in names if not printable(plain(name), "gbk")] == []
