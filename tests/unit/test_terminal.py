"""Operators read Chinese: the commands' help and what they say when they refuse, from one catalogue; else English."""

import argparse
import ast
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from queue_server import cli
from queue_server.app.terminal import _CHINESE, every_parser, own, own_language, shown_actions

SERVER = Path(__file__).resolve().parents[2] / "queue_server"


@pytest.fixture(params=["zh_CN.UTF-8", "en_US.UTF-8"])
def chinese(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The person at the terminal reads Chinese; or English."""
    monkeypatch.setenv("LC_ALL", request.param)
    monkeypatch.setenv("COLUMNS", "80")
    return bool(request.param.startswith("zh"))


def sentences() -> set[str]:
    """Every text of the commands' help, and every literal or constant that the server's source gives to `own`."""
    parsers = list(every_parser(cli.parser_of(cli.COMMANDS)))
    found = {each.description for each in parsers} | {group.title for each in parsers for group in each._action_groups}
    found |= {action.help for each in parsers for action in shown_actions(each)}
    for path in SERVER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bound = {
            (target.id if isinstance(target, ast.Name) else ""): node.value
            for node in ast.walk(tree)
            for target in getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(node, ast.Assign | ast.AnnAssign)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "own":
                given = node.args[0]
                value = bound.get(given.id, given) if isinstance(given, ast.Name) else given
                if isinstance(value, ast.Constant):
                    found.add(value.value)
    return {text for text in found if text}


def test_every_sentence_of_the_commands_has_its_chinese_with_the_same_figures() -> None:
    found = sentences()
    assert len(found) > 80
    assert sorted(found - _CHINESE.keys()) == []
    for english in found:
        assert re.search(r"[\u4e00-\u9fff]", _CHINESE[english]), english
    for english, said in _CHINESE.items():
        assert set(re.findall(r"{\w+}|%\(\w+\)", english)) >= set(re.findall(r"{\w+}|%\(\w+\)", said)), english
        assert english.count("%%") == said.count("%%"), english


@pytest.mark.parametrize("words", [[], *([name] for name in ("serve", "certificate", "account", "emulate", "demo"))])
def test_help_is_in_the_operators_language_and_fits_the_terminal(
    words: list[str], chinese: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert ("用法：" in said, "usage: " in said) == (chinese, not chinese)
    assert ("show this help" in said) is not chinese
    lines = said.splitlines()
    assert [line for line in lines if cell_len(line) > 80 and " " in line.strip() and "{" not in line] == []


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["sevre"], "没有 'sevre'，可以写：", "invalid choice: 'sevre'"),
        (["serve"], "还要写上：--hall", "the following arguments are required: --hall"),
        (["serve", "--hall"], "后面要写一项", "expected one argument"),
        (["serve", "--hall", "x", "--port", "y"], "y 不是端口", "y is no port"),
        (["journal", "verify", "--database", "x", "--frob"], "不认识的参数：--frob", "unrecognized arguments: --frob"),
    ],
)
def test_ux_s_06_wrong_usage_is_said_in_the_operators_language(
    words: list[str], zh: str, en: str, chinese: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert (zh if chinese else en) in capsys.readouterr().err
    assert argparse._("options") == "options", "other parsers of this process are left alone"


def test_what_the_catalogue_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert own("{count} of {all}", count=1, all=2) == "1 of 2"
    with own_language(argparse.ArgumentParser(prog="x", description="no such sentence")) as parser:
        assert "no such sentence" in parser.format_help()
