"""Reading hall files: UX S-06, DESIGN 7; every mistake is named with its place and what to write instead."""

import json
from pathlib import Path

import pytest

from queue_server.app.hallfile import check_command, dump, load, place

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
hall.id = "small"
hall.name = "小厅"
zone = [{ id = "A", name = "大厅" }]
domain = [{ id = "tax", name = "税务", prefix = "F" }]
window = [
  { id = "1", name = "综合窗口", kind = "无差别综合受理", zone = "A", domains = ["*"], bundles = true },
  { id = "2", name = "“有诉即办”窗口", kind = "有诉即办", zone = "A", domains = ["*"] },
]
matter = [{ id = "t", name = "报税", domain = "tax" }]
"""


def codes(text: str) -> dict[str, str]:
    """Where each code was found."""
    return {finding.code: finding.where for finding in load(text)[1]}


def test_the_smallest_hall_loads_with_warnings_only() -> None:
    configuration, findings = load(SMALL)
    assert configuration is not None
    assert {finding.code for finding in findings} == {"zones_missing", "no_rating_device"}


def test_a_file_that_is_not_toml_names_the_line() -> None:
    configuration, findings = load("hall.id = \n")
    assert configuration is None
    assert findings[0].code == "toml"
    assert "line 1" in findings[0].en


@pytest.mark.parametrize(
    ("wrong", "right", "where"),
    [
        ("prefx", "prefix", "domain tax · prefx"),
        ("zoned", "zone", "window 1 · zoned"),
        ("minuets", "minutes", "matter t · minuets"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_spelling(wrong: str, right: str, where: str) -> None:
    """UX S-06 as the issue says it: unknown keys with the nearest spelling."""
    text = SMALL.replace('prefix = "F"', f'prefix = "F", {wrong} = "F"', 1) if right == "prefix" else SMALL
    text = text.replace('id = "1",', f'id = "1", {wrong} = "A",') if right == "zone" else text
    text = text.replace('name = "报税",', f'name = "报税", {wrong} = 3,') if right == "minutes" else text
    configuration, findings = load(text)
    assert configuration is None
    assert [(finding.code, finding.where) for finding in findings] == [("unknown_key", where)]
    assert right in findings[0].zh
    assert right in findings[0].en


def test_all_mistakes_are_found_at_once() -> None:
    text = SMALL.replace('hall.name = "小厅"', "").replace('"报税"', "7").replace("bundles = true", 'bundles = "yes"')
    found = {(finding.code, finding.where) for finding in load(text)[1]}
    assert found == {("missing_key", "hall"), ("type", "matter t · name"), ("type", "window 1 · bundles")}


def test_a_wrong_choice_names_the_choices() -> None:
    """RULES 3: kinds are controlled."""
    finding = load(SMALL.replace('kind = "有诉即办"', 'kind = "有诉必办"'))[1][0]
    assert (finding.code, finding.where) == ("choice", "window 2 · kind")
    assert "“有诉即办”" in finding.zh
    assert "综合出件" in finding.zh


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("hall = 3\n" + SMALL[SMALL.index("zone") :], "hall"),
        (SMALL.replace('domains = ["*"] }', 'domains = "*" }'), "window 2 · domains"),
        (SMALL.replace('[{ id = "A", name = "大厅" }]', '{ id = "A" }'), "zone"),
        (SMALL.replace('[{ id = "A", name = "大厅" }]', '["A"]'), "zone[1]"),
        (SMALL + "device = [{ id = 'k', agent = 'a', kind = 'keypad', url = 'x', levels = 5 }]", "device k · levels"),
        (SMALL + "policy.undo_s = 1.5", "policy · undo_s"),
    ],
)
def test_a_wrong_type_is_said_without_a_traceback(text: str, where: str) -> None:
    configuration, findings = load(text)
    assert configuration is None
    assert [(finding.code, finding.where) for finding in findings] == [("type", where)]


def test_an_unknown_timezone_is_an_error() -> None:
    assert codes(SMALL + 'hall.timezone = "Asia/Shanghia"')["timezone"] == "hall.timezone"


def test_texts_with_quotes_and_control_characters_come_back() -> None:
    configuration, _ = load(SMALL.replace("小厅", 'a\\"b\\\\c\\n\\u007f\\u0001“门”'))
    assert configuration is not None
    assert load(dump(configuration))[0] == configuration


def test_the_command_answers_with_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DESIGN 6: 0 done, 1 the answer is no, 2 wrong usage."""
    good, bad, strange = tmp_path / "good.toml", tmp_path / "bad.toml", tmp_path / "strange.toml"
    good.write_text(SMALL, "utf-8")
    bad.write_text(SMALL.replace('"F"', '"O"'), "utf-8")
    strange.write_bytes(SMALL.encode("gbk"))
    assert check_command(good, as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["errors"], report["warnings"]) == (True, 0, 2)
    assert check_command(bad, as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "prefix_misread"
    assert check_command(strange, as_json=False) == 1
    assert "UTF-8" in capsys.readouterr().out
    assert check_command(tmp_path / "none.toml", as_json=False) == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_table_for_people_says_what_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_command(ROOT / "config" / "district.toml", as_json=False) == 0
    out = capsys.readouterr().out
    assert "zh-kuasheng" in out
    assert "24 windows" in out


@pytest.mark.parametrize("table", ["window = [\n", ""])
def test_ux_s_06_a_finding_is_found_in_the_file_by_its_line_and_its_name(table: str) -> None:
    """The same id stands in several tables: the line is the one of the table that is meant."""
    line = '{ id = "hall", name = "大厅服务", prefix = "S" },'
    text = f'hall.id = "hall"\n{table}matter = [\n  {{ id = "hall", name = "别的" }},\n]\ndomain = [\n  {line}\n]\n'
    at = text.splitlines().index(f"  {line}") + 1
    assert place("domain hall", text) == f"领域 hall 大厅服务\n第 {at} 行 · line {at}"
    assert place("domain gone · prefix", text) == "领域 gone · prefix"
    assert place("hall.timezone", text) == "hall.timezone"


@pytest.mark.parametrize("wrong", ["template", "css", "html", "script", "layout_file"])
def test_ux_13_12_no_hall_brings_a_layout_of_its_own(wrong: str) -> None:
    """UX 13.12: what a screen looks like is the schema's; a hall's file says data only, never markup or style."""
    for table in ('id = "1",', 'name = "报税",'):
        configuration, findings = load(SMALL.replace(table, f'{table} {wrong} = "x",'))
        assert configuration is None
        assert [finding.code for finding in findings] == ["unknown_key"]
