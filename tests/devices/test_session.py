"""Commissioning: what is plugged in, one device tried by hand, and sessions that become tests (issue 3)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices import saying, tool
from devices.decode import decode
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad, EmulatedStrip
from devices.emulators.plainstrips import EmulatedAaqt
from devices.emulators.printer import EmulatedPrinter, Model
from devices.emulators.rs485 import Rs485BusEmulator
from devices.profiles import PROFILES
from devices.protocols.keymaps import Key
from devices.saying import Told
from devices.scan import scan
from devices.session import Papers, Recording, Trial, check_recording, try_device
from devices.transport.serialports import SerialPort
from displays.receipts import TestPaper, encode_paper
from queue_server.edge import PAPERS, lay_out_for
from tests.devices.hall import listen_url, until

RECORDED = Path(__file__).with_name("recorded")


def files(root: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def test_scan_lists_ports_usb_devices_printers_and_keyboards_with_a_guess(tmp_path: Path) -> None:
    usb = tmp_path / "sys/bus/usb/devices"
    for name, vid, pid, kind, interface in (
        ("1-1", "1d6b", "0002", "09", "09"),
        ("1-2", "0fe6", "811e", "00", "07"),
        ("1-3", "1a86", "7523", "ff", "ff"),
        ("1-4", "1483", "0330", "00", "03"),
        ("1-5", "1483", "0331", "00", "03"),
    ):
        files(usb / name, idVendor=vid, idProduct=pid, bDeviceClass=kind)
        files(usb / name / f"{name}:1.0", bInterfaceClass=interface)
    files(usb / "1-2", manufacturer="ICS", product="USB Printer")
    files(usb / "1-5" / "1-5:1.0", bInterfaceProtocol="01")
    (usb / "1-3" / "1-3:1.0" / "ttyUSB0").mkdir()
    files(tmp_path / "dev/usb", lp0="")
    files(tmp_path / "dev/input/by-id", **{"usb-Pad-event-kbd": "", "usb-Mouse-event-mouse": ""})
    ports = [SerialPort("COM7", "x", 0x1A86, 0x7523, "", "1-3"), SerialPort("COM1"), SerialPort("COM9", "Odd", 1, 2)]
    found = {one.name: one.values for one in scan(tmp_path, lambda: ports)}
    assert list(found) == [
        *("COM7 1a86:7523", "COM1", "COM9 0001:0002"),
        *("1-2 0fe6:811e", "1-4 1483:0330", "1-5 1483:0331", "lp0", "usb-Pad-event-kbd"),
    ]
    assert found["COM7 1a86:7523"]["url"] == "serial://?vid=1a86&pid=7523&at=1-3"
    assert "CH340 bridge" in found["COM7 1a86:7523"]["guess"]
    assert found["1-2 0fe6:811e"]["guess"] == "ICS USB Printer; printer"
    assert found["1-2 0fe6:811e"]["url"] == "usb://0fe6:811e"
    assert (found["1-4 1483:0330"]["url"], found["1-5 1483:0331"]["url"]) == ("usb://1483:0330", "")  # one types
    assert found["lp0"]["url"] == "file:///dev/usb/lp0"


def test_scan_of_this_machine_reads_and_opens_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("scan", "--json")
    assert code == (0 if json.loads(capsys.readouterr().out) else 1)
    assert run("scan") == code


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words), lambda: PAPERS)


@contextlib.asynccontextmanager
async def trying(
    node: AnyNode, tmp_path: Path, profile: str, record: Path | None = None, **given: Any
) -> AsyncIterator[tuple[list[dict[str, Any]], asyncio.Task[bool]]]:
    said: list[dict[str, Any]] = []
    async with Rs485BusEmulator(listen_url("tcp", tmp_path), [node]) as emulator:
        trial = Trial(url=emulator.url, profile=PROFILES[profile], address=node.address, **given)
        recording = Recording(record, trial, said.append) if record else None
        task = asyncio.create_task(try_device(trial, said.append, recording=recording))
        await until(lambda: any(event["event"] == "open" for event in said) and emulator.connected)
        try:
            yield said, task
        finally:
            await task
            if recording:
                recording.close()


def frames(said: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["side"], event["values"]["means"]) for event in said if event["event"] == "frame"]


async def test_a_strip_shows_its_pattern_and_what_it_answers_is_told_and_recorded(tmp_path: Path) -> None:
    strip, file = EmulatedStrip(3), tmp_path / "strip.jsonl"
    async with trying(strip, tmp_path, "a090", file, seconds=0.6, text="请A042") as (said, task):
        assert await task
    assert strip.text == "请A042"
    assert frames(said) == [("host", "show 请A042 (red)"), ("device", "acknowledged")]
    assert said[-1]["state"] == "online"
    assert check_recording(file) == []
    assert run("replay", str(file)) == 0
    file.write_text(file.read_text(encoding="utf-8").replace("A0 90 03 A5 AA", "A0 90 04 A5 AA"), encoding="utf-8")
    (differs,) = check_recording(file)
    assert "strip.jsonl:3" in differs
    assert run("replay", "--json", str(file)) == 1


async def test_a_rating_device_is_invited_and_its_key_is_seen(tmp_path: Path) -> None:
    pad = EmulatedRatingPad(0x87)
    async with trying(pad, tmp_path, "ff68-a", seconds=1.0) as (said, task):
        await until(lambda: pad.invitations == 1)
        assert await pad.rate(3)
        assert await task
    assert ("device", "rating key 3") in [(side, means) for side, means in frames(said)]
    assert {"event": "rated"} in said


async def test_a_keypad_shows_cells_beeps_and_is_answered(tmp_path: Path) -> None:
    keypad = EmulatedKeypad(7)
    async with trying(keypad, tmp_path, "jackqchen", seconds=1.0) as (said, task):
        await until(lambda: keypad.cells == "   042" and keypad.beeps == 1)
        assert await keypad.press(Key.CALL, "42")
        await until(lambda: keypad.sign == "success")
        assert await task
    assert {"event": "pressed", "action": "call", "digits": "42"} in said


async def test_a_device_that_never_answers_is_tried_when_all_was_sent(tmp_path: Path) -> None:
    strip = EmulatedAaqt(3)
    async with trying(strip, tmp_path, "aaqt", seconds=0.4, kind="board") as (_, task):
        assert await task
    assert (strip.text, strip.mode) == ("请A042号到3号窗口", b"\x08\x02")


async def test_a_device_that_should_answer_and_does_not_is_a_no(tmp_path: Path) -> None:
    strip = EmulatedStrip(3)
    strip.silent = True
    async with trying(strip, tmp_path, "a090", seconds=0.8, settings={"ack_ms": "100", "tries": "2"}) as (said, task):
        assert not await task
    assert said[-1]["state"] == "degraded"
    assert "does not acknowledge" in said[-1]["error"]


PAGE = TestPaper(hall="云水区", device="p1", printed_at="2026-11-23 12:00", url="http://h/t")
PLAIN = Papers(lay_out_for, lambda entry: encode_paper(PAGE))


async def printing(
    tmp_path: Path, name: str = "escpos", model: Model | None = None, **settings: str
) -> tuple[list[dict[str, Any]], bool, EmulatedPrinter]:
    """A session with an emulated printer, recorded, and replayed; what was said, whether it is a yes, and the printer."""
    said: list[dict[str, Any]] = []
    file = tmp_path / f"{name}-{len(settings)}-{id(model)}.jsonl"
    async with EmulatedPrinter(listen_url("memory", tmp_path), model) as emulator:
        trial = Trial(url=emulator.url, profile=PROFILES[name], seconds=0.3, settings=settings)
        yes = await try_device(trial, said.append, recording=Recording(file, trial, said.append), papers=lambda: PLAIN)
    assert said[-1]["event"] == "ended"
    assert check_recording(file) == []
    return said, yes, emulator


def sentences(said: list[dict[str, Any]], heard: bool) -> str:
    return "\n".join(Listening("printer", *said, heard=heard))


async def test_issue_3_a_printer_of_every_profile_prints_its_test_page_and_both_sides_are_told(tmp_path: Path) -> None:
    presenters: dict[str, Any] = {"reliance": "command", "kpm": "command", "vkp80": "auto"}
    names = [profile.name for profile in PROFILES.values() if "printer" in profile.kinds]
    models = [
        Model(full_status=n in presenters, fixed_bits=n != "reliance", presenter=presenters.get(n, "none"))
        for n in names
    ]
    tried = await asyncio.gather(*(printing(tmp_path, name, model) for name, model in zip(names, models, strict=True)))
    for name, (said, yes, printer) in zip(names, tried, strict=True):
        assert yes, name
        assert "云水区" in printer.papers[0].text
        means = frames(said)
        assert ("host", "print 2026-11-23 12:00") in means
        assert ("host", "printed so far?") in means
        assert any(side == "device" for side, _ in means)
        assert [event["outcome"] for event in said if event["event"] == "paper"] == ["printed"]
        assert said[-1]["state"] == "online"
        shown = sentences(said, yes)
        assert "打印机答复：已经打出" in shown
        assert re.search(r"… \d{4} bytes  EscposCommand: picture", shown), "not 15,000 characters of a drawn code"


async def test_issue_3_a_printer_that_cannot_says_what_to_do(tmp_path: Path) -> None:
    cases: dict[str, tuple[Model, dict[str, str]]] = {
        "缺纸：装好纸再试": (Model(paper_dots=0), {}),
        "装纸后会先出来，扔掉": (Model(paper_dots=300), {"watch_ms": "60"}),
        "盖子开着": (Model(cover=True), {}),
        "打印机不回答": (Model(mute=True), {"reply_ms": "100"}),
        "看纸出来没有": (Model(mute=True), {"status": "none"}),
    }
    tried = await asyncio.gather(*(printing(tmp_path, "80mm", m, **own) for m, own in cases.values()))
    for (sentence, (_, own)), (said, yes, _) in zip(cases.items(), tried, strict=True):
        assert yes is (own == {"status": "none"}), "one that never answers was sent all of it"
        shown = sentences(said, yes)
        assert sentence in shown
        assert "A、B 两线" not in shown


async def test_issue_3_a_printer_is_sent_frames_of_ones_own_and_its_changes_are_told(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    async with EmulatedPrinter(listen_url("memory", tmp_path)) as emulator:
        trial = Trial(url=emulator.url, profile=PROFILES["58mm"], seconds=1.5, settings={"poll_ms": "100"})
        own: list[dict[str, object]] = [{"frame": "EscposText", "text": "OWN"}, {"frame": "none"}]
        own += [{"frame": "EscposCommand", "data": raw} for raw in ("0A", "1D 56 00")]
        task = asyncio.create_task(try_device(trial, said.append, sends=own, papers=lambda: PLAIN))
        await until(lambda: [event["event"] for event in said].count("paper") == 4)
        emulator.model.cover = True
        await emulator.changed()
        await until(lambda: any(event.get("printer") == "cover" for event in said))
        assert await task, "the page and three frames were printed"
        assert "OWN" in emulator.papers[1].text
    assert "no frame has these values" in next(event["reason"] for event in said if event["event"] == "wrong")
    assert said[-1]["state"] == "degraded"


def test_issue_3_the_command_tries_a_printer_of_a_hall_s_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hall = tmp_path / "hall.toml"
    hall.write_text('[[device]]\nid = "p1"\nkind = "printer"\nurl = "tcp://127.0.0.1:1"\n', encoding="utf-8")
    assert run("try", "p1", "--map", str(hall)) == 1
    assert "线路打不开" in capsys.readouterr().out
    assert run("try", "tcp://127.0.0.1:1", "--as", "58mm", "--set", "poll_ms=9000") == 2
    assert "poll_ms" in capsys.readouterr().err


async def test_a_line_that_cannot_be_opened_is_a_no_at_once() -> None:
    said: list[dict[str, Any]] = []
    trial = Trial(url="tcp://127.0.0.1:1", profile=PROFILES["a090"])
    async with asyncio.timeout(20):
        assert not await try_device(trial, said.append)
    assert "unavailable" in [event["event"] for event in said]


def test_hardware_5_1_a_session_with_personal_data_is_not_recorded(tmp_path: Path) -> None:
    reader = dataclasses.replace(PROFILES["a090"], personal=True)
    with pytest.raises(ValueError, match="personal data"):
        Recording(tmp_path / "x", Trial(url="tcp://h:1", profile=reader), print)
    assert not (tmp_path / "x").exists()


@pytest.fixture
def far_strip() -> Iterator[str]:
    """A program that emulates a strip at address 3; its URL."""
    command = [sys.executable, "-m", "devices.emulators", "rs485", "--node", "a090:3"]
    command += ["--listen", "tcp://127.0.0.1:0", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.write("quit\n")
        process.stdin.flush()


def test_the_command_tries_sends_and_records(
    far_strip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "session.jsonl"
    words = ["try", far_strip, "--as", "a090", "--address", "0x03", "--seconds", "3", "--record", str(file)]
    assert run(*words, "--send", '{"address": 3, "text": "B7", "colour": "green"}') == 0
    out = capsys.readouterr().out
    assert "A0 90 03 A5 AA  A090Ack: acknowledged" in out
    assert "show B7 (green)" in out
    assert run("replay", str(file)) == 0


def test_a_full_disk_ends_the_recording_and_not_the_session(far_strip: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["try", far_strip, "--as", "a090", "--address", "3", "--seconds", "3", "--record", "/dev/full"]
    assert run(*words) == 0
    out = capsys.readouterr().out
    assert out.count("record-failed  reason=/dev/full: No space left on device") == 1
    assert "A090Ack: acknowledged" in out


def test_a_full_disk_is_told_though_nothing_was_heard(capsys: pytest.CaptureFixture[str]) -> None:
    """What a recording could not begin with was told with the first frame only, and of a device that is away none comes."""
    assert run("try", "tcp://127.0.0.1:1", "--as", "a090", "--json", "--record", "/dev/full") == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [event for event in events if event["event"] == "record-failed"] == [
        {"event": "record-failed", "reason": "/dev/full: No space left on device"}
    ]
    assert events[-1]["event"] == "ended"


class Listening(list[str]):
    """The lines for people of one session whose events are given."""

    def __init__(self, kind: str, *events: dict[str, object], heard: bool) -> None:
        super().__init__()
        told = Told(self.append, kind, 7, "请A042")
        for event in events:
            told.tell(event)
        told.conclude(heard=heard)


def test_try_says_an_error_once_and_how_often_it_came_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    down: dict[str, object] = {"event": "state", "state": "offline", "error": "no answer"}
    ends: list[dict[str, object]] = [{"event": "unavailable", "url": "tcp://h:1", "reason": "no answer"}]
    ends += [{"event": "ended", "state": "offline", "error": "no answer", "counters": {"failures": 3}}]
    lines = Listening("strip", down, down, down, *ends, heard=False)
    assert sum("no answer" in line for line in lines) == 2
    assert "state=offline error=no answer" in lines[0]
    assert lines[-2] == "2 more times: no answer"
    assert lines[-1].startswith("The line could not be opened")
    assert [line.split()[0] for line in lines[1:3]] == ["unavailable", "ended"]


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        ("keypad", "现在按呼叫器的键", "Press the keys of the keypad now"),
        ("rating_pad", "五个键都按一遍", "Press all the keys of the rating device"),
        ("strip", "应当显示“请A042”", 'should show "请A042"'),
    ],
)
def test_try_says_what_to_press_and_what_it_means_when_nothing_came(
    kind: str, chinese: str, english: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: dict[str, object] = {"event": "open", "url": "tcp://h:1"}
    for language, asked, silent in (("zh_CN", chinese, "没有听到"), ("en_GB", english, "heard")):
        monkeypatch.setenv("LC_ALL", language)
        lines = Listening(kind, opened, heard=False)
        assert asked in lines[1]
        assert silent in lines[-1]
        assert len(Listening(kind, opened, heard=True)) == 2


def test_try_of_a_port_that_is_not_there_says_so_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("try", "serial:///dev/no-such-port", "--as", "ff68-b") == 1
    said = capsys.readouterr()
    assert (said.out + said.err).count("No such file or directory") == 1
    assert "线路打不开" in said.out


class Gone(io.StringIO):
    """A file on a share that is gone when it is to be closed."""

    def close(self) -> None:
        super().close()
        raise OSError(5, "Input/output error")


async def test_a_recording_that_cannot_be_finished_says_so_before_the_session_has_ended(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    file = tmp_path / "strip.jsonl"
    async with Rs485BusEmulator(listen_url("tcp", tmp_path), [EmulatedStrip(3)]) as emulator:
        trial = Trial(url=emulator.url, profile=PROFILES["a090"], address=3, seconds=0.5)
        recording = Recording(file, trial, said.append)
        recording._lines.close()
        recording._lines._file = Gone()
        assert await try_device(trial, said.append, recording=recording)
    assert said[-2:] == [{"event": "record-failed", "reason": f"{file}: Input/output error"}, said[-1]]
    assert said[-1]["event"] == "ended"
    told = list(said)
    recording.close()
    assert said == told, "nothing is said after the end"


def test_what_comes_after_a_recording_was_closed_is_in_no_file_and_says_nothing(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    file = tmp_path / "strip.jsonl"
    recording = Recording(file, Trial(url="tcp://h:1", profile=PROFILES["a090"]), said.append)
    (piece,) = decode(PROFILES["a090"], bytes.fromhex("A0 90 03 A5 AA"), "device")
    recording.piece(1, "device", piece)
    recording.close()
    kept = file.read_bytes()
    recording.piece(2, "device", piece)
    recording.close()
    assert (file.read_bytes(), kept.count(b"\n"), said) == (kept, 2, [])


def test_a_recording_that_ran_out_of_room_still_replays(far_strip: str, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    script = (
        "import resource, sys; from queue_server.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)); sys.exit(main())"
    )
    words = ["devices", "try", far_strip, "--as", "a090", "--address", "3", "--seconds", "3", "--record", str(file)]
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # its modules are no recordings
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert "record-failed" in done.stdout
    assert 0 < file.stat().st_size <= 300
    assert run("replay", str(file)) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["try", "carrier://pigeon", "--as", "a090"], "no transport for 'carrier'"),
        (["try", "tcp://h:1", "--as", "a090", "--kind", "keypad"], "not 'keypad'"),
        (["try", "tcp://h:1", "--as", "a090", "--set", "tries"], "NAME=VALUE"),
        (["try", "tcp://h:1", "--as", "a090", "--set", "wishes=3"], "unknown setting 'wishes'"),
        (["try", "tcp://h:1", "--as", "a090", "--send", "{"], "not JSON"),
        (["try", "tcp://h:1", "--as", "a090", "--record", "/nowhere/at/all"], "/nowhere/at/all"),
        (["replay", __file__], "not a recorded session"),
    ],
)
def test_design_6_wrong_usage_is_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert run(*words) == 2
    assert sentence in capsys.readouterr().err


def test_every_sentence_of_the_device_commands_has_the_same_figures_in_both_languages() -> None:
    pairs = [each for each in vars(saying).values() if isinstance(each, tuple)] + list(saying.ASKED.values())
    assert len(pairs) > 20
    for zh, en in pairs:
        assert re.search("[\u4e00-\u9fff]", zh)
        assert set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", en)), en


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.jsonl")), ids=lambda file: file.stem)
def test_recorded_sessions_still_mean_the_same(file: Path) -> None:
    """Put a session with a real device here, and this test keeps its bytes understood."""
    assert check_recording(file) == []


@pytest.mark.parametrize("name", ["syn6288", "xfs5152", "jq8900", "dfplayer"])
async def test_a_voice_module_says_the_pattern(name: str, tmp_path: Path) -> None:
    module = PROFILES[name].emulate(0)
    async with trying(module, tmp_path, name, seconds=2.0, text="请A3") as (said, task):
        assert await task
    assert any(means.startswith(("say", "join", "play /MP3/")) for side, means in frames(said) if side == "host")
    assert any(side == "device" for side, _ in frames(said))
