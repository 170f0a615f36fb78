"""`yichuang demo` on the township, and that the outside checker bites what it should."""

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.hall_process import free_port, surroundings

ROOT = Path(__file__).parents[2]
CHECKER = ROOT / "tests" / "checker" / "check.py"
DEMO_S = 170
"""The set-up (two processes, accounts, pairing, a voice pack) and half a minute of morning, on a busy machine."""

pytestmark = pytest.mark.timeout(DEMO_S + 60)


def run_demo(hall: Path, data: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of a whole demonstration."""
    command = [
        sys.executable,
        "-m",
        "queue_server",
        "demo",
        "--hall",
        str(hall),
        "--data",
        str(data),
        "--json",
        *options,
    ]
    around = surroundings() | {"YICHUANG_DATA": str(data.with_name("home"))}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=around, timeout=DEMO_S, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], Path]:
    """One hour in a township with keypads and strips, lived once for all tests: (exit code, report, data folder)."""
    folder = tmp_path_factory.mktemp("demo")
    hall = folder / "township.toml"
    text = (ROOT / "config" / "township.toml").read_text(encoding="utf-8")
    # The sample has rating devices alone; here window 1 and 2 also have a keypad and a strip on the same line.
    line = 'url = "serial:///dev/serial/by-id/usb-sample-bus-a-if00-port0?baud=9600"'
    more = "".join(
        f'  {{ id = "keypad-{n}", agent = "agent-1", kind = "keypad", {line}, address = {n},'
        f' profile = "hallquefront", window = "{n}" }},\n'
        f'  {{ id = "strip-{n}", agent = "agent-1", kind = "strip", {line}, address = {n}, window = "{n}" }},\n'
        for n in (1, 2)
    )
    hall.write_text(text.replace("device = [\n", f"device = [\n{more}"), encoding="utf-8")
    shutil.copy(ROOT / "config" / "township-day.toml", folder)
    data = folder / "data"
    code, report = run_demo(hall, data, "--minutes", "60", "--speed", "120", "--seed", "7", "--day", "market-day")
    return code, report, data


def check(data: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """The checker's exit code and report on a data folder."""
    command = [sys.executable, "-I", str(CHECKER), "--json", "--sqlite", str(data / "hall.db")]
    command += ["--key-dir", str(data / "keys"), "--people", str(data / "people.jsonl")]
    for name in ("lines", "screens", "audio"):
        command += [f"--{name}", str(data / name)]
    command += more
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def copy(morning: tuple[int, dict[str, Any], Path], tmp_path: Path) -> Path:
    """The evidence of the morning, to tamper with."""
    shutil.copytree(morning[2], tmp_path / "data", symlinks=True)
    return tmp_path / "data"


def codes(report: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in report["findings"]}


def sql(data: Path, statement: str) -> None:
    connection = sqlite3.connect(data / "hall.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_morning_in_the_township_agrees_with_everything_outside(morning: tuple[int, dict[str, Any], Path]) -> None:
    """Issue 2: exit code 0, every figure of the report there, and the figures fit each other."""
    code, report, _ = morning
    assert report["findings"] == []
    assert report["differences"] == {}
    assert code == 0
    wanted = (
        "seed issued called served served_direct no_shows uncalled invited ratings calls_shown calls_spoken"
        " calls_dropped mean_wait_s longest_wait_s journal_ok"
    )
    assert report.keys() >= set(wanted.split())
    assert report["seed"] == 7
    assert report["journal_ok"] is True
    assert report["issued"] >= 15
    assert report["printed"] == report["issued"]
    assert report["called"] + report["recalled"] == report["calls_shown"]
    assert 0 < report["ratings"] <= report["invited"]
    assert report["served"] >= 10
    assert 0 < report["mean_wait_s"] <= report["longest_wait_s"] < 3 * 3600
    assert report["strip_ms"]["p50"] < 1000
    if shutil.which("espeak-ng"):
        assert report["calls_spoken"] + report["calls_dropped"] == report["calls_shown"]
        assert report["calls_spoken"] > 0


def test_the_demonstration_that_stays_prints_where_to_look_and_ends_with_ctrl_c(
    morning: tuple[int, dict[str, Any], Path], tmp_path: Path
) -> None:
    """Issue 2: `./scripts/run` prints the addresses of the screens and the first password; every one of them answers."""
    command = [sys.executable, "-m", "queue_server", "demo", "--hall", str(ROOT / "config" / "township.toml")]
    command += ["--stay", "--data", str(tmp_path / "data"), "--port", str(free_port())]
    home = {"YICHUANG_DATA": str(morning[2].with_name("home")), "PYTHONUNBUFFERED": "1"}  # the morning made its voice
    log = tmp_path / "stderr"
    with log.open("w") as notes:
        staying = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=notes,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=surroundings() | home,
        )
    with staying:
        too_late = threading.Timer(DEMO_S, staying.kill)
        too_late.start()
        try:
            assert staying.stdout is not None
            said: list[str] = []
            while not any("password, the same for all: " in line for line in said):
                line = staying.stdout.readline()
                assert line, log.read_text(encoding="utf-8")
                said.append(line)
            found = dict(re.findall(r"^(.+?) +(http://127\S+)", "".join(said), re.M))
            for screen in ("取号机", "综合屏", "窗口屏", "手机", "柜员", "导办", "主管", "管理员", "设备面板"):
                assert sum(name.startswith(screen) for name in found) == 1, (screen, found)
            for name, url in found.items():
                with urllib.request.urlopen(url.partition("#")[0], timeout=30) as answer:
                    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html"), name
            assert said[-1].rpartition(": ")[2].strip()
            staying.send_signal(signal.SIGINT)
            staying.stdout.read()
            assert staying.wait() == 0
        finally:
            too_late.cancel()
            staying.kill()


def test_the_checker_needs_nothing_of_the_project() -> None:
    """It runs isolated (`-I`), without this project on the path."""
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), "--help"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    for file in CHECKER.parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not any(
            f"{word} {name}" in text for word in ("import", "from") for name in ("queue_server", "devices", "displays")
        )


def test_an_edited_journal_row_is_seen(copy: Path) -> None:
    sql(copy, "update journal set data = replace(data, '\"quantity\":1', '\"quantity\":9') where kind = 'TicketIssued'")
    code, report = check(copy)
    assert code == 1
    assert {"link", "table"} <= codes(report)
    assert report["totals"]["journal_ok"] is False


def test_an_edited_rating_is_seen(copy: Path) -> None:
    """RULES 47: nobody edits a rating."""
    sql(copy, "update ratings set level = 6 - level where level <> 3")
    code, report = check(copy)
    assert code == 1
    assert "table" in codes(report)


def test_rows_cut_off_the_end_are_seen(copy: Path) -> None:
    sql(copy, "delete from journal where seq > (select max(seq) - 3 from journal)")
    assert "tail" in codes(check(copy)[1])


def lines_with(data: Path, device: str) -> Path:
    """The log of the line that holds a device."""
    return next(f for f in (data / "lines").glob("*.jsonl") if f'"{device}"' in f.read_text(encoding="utf-8"))


def test_a_strip_frame_that_never_came_is_seen(copy: Path) -> None:
    log = lines_with(copy, "strip-1")
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    # A0 90, address 1, show text: the strip of window 1 goes dark.
    kept = [row for row in rows if not (row.get("dir") == "rx" and row["hex"].startswith("a09001a5"))]
    assert len(kept) < len(rows)
    log.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    assert "not-on-strip" in codes(check(copy)[1])


def test_a_slip_printed_twice_is_seen(copy: Path) -> None:
    log = lines_with(copy, "printer-1")
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    log.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *rows[1:]]), encoding="utf-8")
    assert "printed-twice" in codes(check(copy)[1])


def test_a_slip_that_was_not_printed_is_seen(copy: Path) -> None:
    log = lines_with(copy, "printer-1")
    log.write_text(log.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "not-printed" in codes(check(copy)[1])


def test_a_display_that_missed_or_invented_a_call_is_seen(copy: Path) -> None:
    log = copy / "screens" / "A.jsonl"
    text = log.read_text(encoding="utf-8")
    number = next(
        call["number"]
        for line in text.splitlines()
        for call in json.loads(line)["documents"].get("calls", {}).get("calls", [])
    )
    log.write_text(text.replace(f'"{number}"', '"X999"'), encoding="utf-8")
    assert {"not-shown", "shown-uncalled"} <= codes(check(copy)[1])


def test_a_page_that_missed_or_invented_a_call_is_seen(copy: Path) -> None:
    """The log of a display's page (`--dom`): as its documents say it agrees; one number in place of another does not."""
    documents = [json.loads(line) for line in (copy / "screens" / "A.jsonl").read_text(encoding="utf-8").splitlines()]
    shown: list[list[str]] = [
        [call["number"] for name in ("calls", "recent") for call in row["documents"].get(name, {}).get("calls", [])]
        for row in documents
    ]
    number = next(each for row in shown for each in row)
    log = copy / "dom.jsonl"

    def written(taken_for: str) -> tuple[int, dict[str, Any]]:
        rows = [
            {"t": row["t"], "zone": "A", "numbers": [taken_for if each == number else each for each in numbers]}
            for row, numbers in zip(documents, shown, strict=True)
        ]
        log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return check(copy, "--dom", str(log))

    code, report = written(number)
    assert (code, report["findings"]) == (0, [])
    assert report["totals"]["calls_on_page"] == report["totals"]["calls_shown"]
    code, report = written("X999")
    assert code == 1
    assert {"dom-missing", "dom-uncalled"} == codes(report)
    code, report = written("")
    assert "dom-missing" in codes(report)
    assert report["totals"]["calls_on_page"] < report["totals"]["calls_shown"]


def test_a_press_that_nobody_made_is_seen(copy: Path) -> None:
    """RULES 47: a rating comes from a citizen's press or page; without its frame on the line it is none."""
    log = lines_with(copy, "pad-1")
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    kept = [row for row in rows if not (row.get("dir") == "tx" and "11" in row["hex"][10:14])]
    log.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    assert "rating-unpressed" in codes(check(copy)[1])


def test_a_call_heard_twice_is_seen(copy: Path) -> None:
    """UX V-05: spoken at most once."""
    log = copy / "audio" / "A.jsonl"
    text = log.read_text(encoding="utf-8")
    if not text:
        pytest.skip("this machine has no espeak-ng, so nothing was spoken")
    log.write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    assert "spoken-twice" in codes(check(copy)[1])


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    command = [sys.executable, "-m", "queue_server", "demo", "--hall", str(ROOT / "config" / "township.toml")]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 1
    assert (tmp_path / "letters").read_text() == "dear"
