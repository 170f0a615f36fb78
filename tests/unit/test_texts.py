"""DESIGN 7: every code has a sentence in Chinese and English, wherever in the server it may come from."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_server.app.texts import _TEXTS, has, words
from queue_server.domain.configuration import NoShowPolicy
from queue_server.domain.events import KINDS
from queue_server.domain.finishing import OUTCOMES
from queue_server.domain.windows import PAUSE_REASONS
from queue_server.wire.common import PrinterState, PrintState

SERVER = Path(__file__).resolve().parents[2] / "queue_server"
CALLS = {"Rejected": 0, "problem": 1, "words": 0, "found": 1}
"""Who is given a code, and as which argument."""

LIFE = {name for name, kind in KINDS.items() if {"ticket", "service"} & set(kind.__struct_fields__)}


def codes() -> Iterator[tuple[str, str]]:
    """(code, where) of every literal code in the server's source, also of `a if c else b` and of names assigned before."""
    for path in sorted(SERVER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found: ast.expr | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                place = CALLS[node.func.id]
                found = node.args[place] if len(node.args) > place else None
            elif isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["code"]:
                found = node.value
            elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and "alarms" in path.name:
                first = node.value.elts[0]
                if isinstance(first, ast.Constant):
                    yield f"alarm.{first.value}", f"{path.name}:{node.lineno}"
            options = [found.body, found.orelse] if isinstance(found, ast.IfExp) else [found]
            for option in options:
                if isinstance(option, ast.Constant) and isinstance(option.value, str):
                    yield option.value, f"{path.name}:{node.lineno}"


FOUND = sorted(set(codes()))
MADE = (
    [f"paused.{reason}" for reason in sorted(PAUSE_REASONS)]
    + [f"pass.{policy}" for policy in NoShowPolicy]
    + [f"alarm.printer-{state}" for state in PrinterState if state is not PrinterState.OK]
    + [f"said.{outcome}" for outcome in sorted(OUTCOMES)]
    + [f"said.{state}" for state in PrintState if state is not PrintState.NONE]
    + [f"life.{name}" for name in sorted(LIFE)]
    + ["life.TicketCalled.given", "alarm.window-help", "alarm.clock", "alarm.certificate"]
)


def test_the_search_finds_codes() -> None:
    assert len(FOUND) > 80
    assert {"nobody-waiting", "already-paused", "alarm.single-wait"} <= {code for code, _ in FOUND}


@pytest.mark.parametrize(("code", "where"), FOUND)
def test_design_7_every_code_in_the_source_has_a_sentence(code: str, where: str) -> None:
    assert has(code), f"{code} at {where} has no sentence in texts.json"


@pytest.mark.parametrize("code", MADE)
def test_design_7_every_code_made_of_a_vocabulary_has_a_sentence(code: str) -> None:
    assert has(code)


@pytest.mark.parametrize("code", sorted(_TEXTS))
def test_design_7_both_languages_say_the_same_with_the_same_figures(code: str) -> None:
    zh, en = _TEXTS[code]
    assert re.search(r"[\u4e00-\u9fff]|^\{", zh), "Chinese first"
    assert en.isascii(), "English second"
    assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en))
    filled = words(code, dict.fromkeys(re.findall(r"{(\w+)}", zh), "7"))
    assert "{" not in filled.zh + filled.en
