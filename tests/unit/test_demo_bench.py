"""The demonstration's panel: a visitor who presses a key takes the window over from its emulated clerk."""

import asyncio
import io
from pathlib import Path

from rich.console import Console

from devices.emulators.bench import Press
from displays.speech.pack import load_pack
from queue_server.app import hallfile
from queue_server.demo.cli import voice
from queue_server.demo.lines import BOARDS, ENTRANCE, Log, emulated
from queue_server.demo.run import furnish
from queue_server.demo.world import World
from tests.hall_process import DISTRICT
from tests.voice import shipped_pack


async def test_issue_3_who_presses_a_key_of_window_3_works_there_from_then_on(tmp_path: Path) -> None:
    configuration, _ = hallfile.load(DISTRICT.read_text(encoding="utf-8"))
    assert configuration is not None
    async with emulated(configuration.device, tmp_path / "lines") as lines:
        truth = Log(tmp_path / "people.jsonl")
        world = World(configuration, 1.0, lines, truth)
        bench = furnish(world)
        before = bench.documents()["note/3"]
        world.clerks = {name: asyncio.create_task(asyncio.sleep(60)) for name in ("3", "4")}
        clerk, other = world.clerks["3"], world.clerks["4"]
        keypad = next(p for p in lines.bench.placed.values() if p.station == "3" and p.node is lines.keypads["3"][1])
        lines.keypads["3"][1].tries = 1
        assert not await lines.bench.do(Press(id=1, device=keypad.id, key=0x0C)), "no agent listens here"
        await asyncio.sleep(0)
        assert clerk.cancelled()
        note = bench.documents()["note/3"]
        assert ("模拟柜员" in str(before), "由您来叫号" in str(note)) == (True, True)
        assert bench.documents()["note/4"] == before, "only of the window that was taken over"
        assert not other.done()
        other.cancel()
        truth.close()
        stations = {placed.station for placed in lines.bench.placed.values()}
        assert {BOARDS, ENTRANCE, "1", "24"} <= stations
        pad = next(p for p in lines.bench.placed.values() if p.station == "3" and p.levels)
        assert sorted(pad.levels.values()) == [1, 2, 3, 4, 5]


def test_ux_k_10_a_voice_of_an_older_version_is_made_anew_and_recordings_stay(tmp_path: Path) -> None:
    """The kiosks were mute, without a word, beside a pack that had no guidance yet."""
    configuration, _ = hallfile.load(DISTRICT.read_text(encoding="utf-8"))
    assert configuration is not None
    notes = Console(file=io.StringIO(), width=200)
    (tmp_path / "voice.toml").write_text("name = 'our own'\nchime = 'x'\n[clips]\n", "utf-8")
    voice(tmp_path, configuration, notes)
    assert "our own" in (tmp_path / "voice.toml").read_text("utf-8")
    assert "not made here" in notes.file.getvalue()  # type: ignore[attr-defined]
    shipped_pack()  # skips where there is no espeak-ng
    (tmp_path / "voice.toml").write_text("name = 'espeak-ng: old'\nchime = 'x'\n[clips]\n'塔' = 't.wav'\n", "utf-8")
    voice(tmp_path, configuration, notes)
    assert not list(hallfile.voice_findings(configuration, tmp_path))
    assert "塔" in load_pack(tmp_path).clips, "what a hall had it say before, it says"
