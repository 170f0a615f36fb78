"""What the voice pack cannot say of a hall is told before it is applied (UX S-06)."""

from pathlib import Path

from msgspec import structs

from queue_server import cli
from queue_server.app import hallfile
from tests.hall_process import TOWNSHIP
from tests.voice import shipped_pack


def test_ux_s_06_config_check_names_the_plate_that_the_voice_cannot_say(tmp_path: Path, capsys: object) -> None:
    shipped_pack()
    configuration, _ = hallfile.load(TOWNSHIP.read_text(encoding="utf-8"))
    assert configuration is not None
    first, *others = configuration.window
    changed = structs.replace(configuration, window=(structs.replace(first, plate="龙1"), *others))
    file, folder = tmp_path / "hall.toml", tmp_path / "voice"
    file.write_text(hallfile.dump(changed), encoding="utf-8")
    [nothing] = hallfile.voice_findings(changed, folder)
    assert (nothing.code, nothing.level) == ("voice_pack", "warning")
    assert cli.main(["voice", "build", "--folder", str(folder)]) == 0
    for voice in (folder, None):
        [found] = hallfile.voice_findings(changed, voice)
        assert (found.code, found.where, found.level) == ("voice_plate", f"window {first.id}", "warning")
        assert "“龙1”（缺“龙”）" in found.zh
        assert "voice build --hall" in found.zh, "what to mend"
        assert "'龙1'" in found.en
        assert list(hallfile.voice_findings(configuration, voice)) == []
    assert cli.main(["config", "check", str(file), "--voice", str(folder), "--json"]) == 0
    assert "voice_plate" in capsys.readouterr().out  # type: ignore[attr-defined]
    assert cli.main(["voice", "build", "--folder", str(folder), "--hall", str(file)]) == 0
    assert list(hallfile.voice_findings(changed, folder)) == []
