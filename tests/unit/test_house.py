"""DESIGN 4 and 9, as far as a program can check them: what import contracts and linters do not see."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("queue_server", "devices", "displays")
PURE = (
    "queue_server/domain",
    "queue_server/forecast",
    "queue_server/wire",
    "devices/framing",
    "devices/protocols",
    "displays/led",
    "displays/receipts",
)
FILE_LINES, FUNCTION_LINES = 400, 40
MIGRATIONS = "versions"  # one function each way, as long as the tables are many
REASON = re.compile(r"#\s*long: \S.{8,}")


def modules(*folders: str) -> list[Path]:
    found = sorted(
        file for folder in folders for file in (ROOT / folder).rglob("*.py") if "node_modules" not in file.parts
    )
    assert found, folders
    return found


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", modules(*PACKAGES), ids=name)
def test_design_9_a_module_says_what_may_live_here(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    assert docstring, f"{name(file)} has no docstring"
    assert docstring.splitlines()[0].endswith((".", "。")), f"{name(file)} does not begin with one sentence"


@pytest.mark.parametrize("file", modules(*PACKAGES), ids=name)
def test_design_4_what_is_long_says_why(file: Path) -> None:
    lines = file.read_text().splitlines()
    silent = []
    if len(lines) > FILE_LINES and not any(REASON.search(line) for line in lines[:10]):
        silent.append(f"{name(file)}: {len(lines)} lines")
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and file.parent.name != MIGRATIONS:
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            head = lines[node.lineno - 1 : node.body[0].lineno]
            if length > FUNCTION_LINES and not any(REASON.search(line) for line in head):
                silent.append(f"{name(file)}:{node.lineno} {node.name}: {length} lines")
    assert not silent, f"{silent}: shorten, or say why in a comment `# long: the reason`"


def impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Reads of a clock and I/O that need no import, or one that is also needed for pure types."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "exec" | "eval" as called)):
                yield node.lineno, called
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"),
                    attr="now" | "utcnow" | "today" as called,
                )
            ):
                yield node.lineno, called


@pytest.mark.parametrize("file", modules(*PURE), ids=name)
def test_law_2_what_is_pure_reads_no_clock_and_opens_nothing(file: Path) -> None:
    assert not list(impurities(ast.parse(file.read_text())))


def test_law_2_the_check_itself_sees_a_clock() -> None:
    tree = ast.parse("import datetime\ndatetime.datetime.now()\nopen('x')\ndatetime.date(2026, 1, 1)\n")
    assert list(impurities(tree)) == [(2, "now"), (3, "open")]


SECOND_DECODERS = {  # file: what it reads
    "independent.py": ("FF68", "A0 90"),
    "independent_syn6288.py": ("SYN6288",),
    "independent_bx.py": ("BX-5K and 6K",),
    "independent_escpos.py": ("ESC/POS",),
}


def foreign(tree: ast.AST) -> Iterator[str]:
    """What a module takes from anywhere but the standard library, or from where nobody can see."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                taken = [alias.name for alias in names]
            case ast.ImportFrom(module=module, level=level):
                taken = ["." * level + (module or "")]
            case ast.Call(func=ast.Name(id="__import__" | "exec" | "eval" as called)):
                taken = [called]
            case _:
                continue
        allowed = sys.stdlib_module_names - {"importlib", "runpy"}
        yield from (each for each in taken if each.split(".")[0] not in allowed)


@pytest.mark.parametrize("file", sorted((ROOT / "tests/devices").glob("independent*.py")), ids=name)
def test_issue_3_a_second_decoder_has_nothing_of_the_first(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert not list(foreign(tree)), "a common mistake would agree with itself"


def test_issue_3_each_protocol_of_its_list_has_a_second_decoder() -> None:
    assert {file.name for file in (ROOT / "tests/devices").glob("independent*.py")} == set(SECOND_DECODERS)


def test_issue_3_the_check_itself_sees_what_is_taken() -> None:
    tree = ast.parse(
        "import re\nimport devices.framing\nfrom . import vectors\nfrom typing import Any\neval('1')\nimport importlib\n"
    )
    assert list(foreign(tree)) == ["devices.framing", ".", "importlib", "eval"]


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    packages = re.findall(
        r"^[a-z0-9][^\n]*==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", lock, re.MULTILINE
    )
    assert len(packages) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE)) > 50


def test_the_lock_holds_everything_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=;\s]", line)[0].lower().replace("_", "-") for line in asked}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names <= locked, f"run scripts/lock: {sorted(names - locked)}"
