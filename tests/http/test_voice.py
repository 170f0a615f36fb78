"""A call that the voice cannot say is dropped with an alarm, and the hall goes on (UX V-05, S-06)."""

import asyncio
from pathlib import Path

from msgspec import structs

from displays.speech.pack import Pack
from queue_server import cli
from queue_server.app import hallfile
from tests.hall_process import TOWNSHIP
from tests.http.conftest import Site
from tests.voice import shipped_pack


class Page:
    """A display with a loudspeaker."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def offer(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return True


async def test_ux_v_05_what_the_voice_cannot_say_is_dropped_with_an_alarm(site: Site) -> None:
    voice, page = site.running.frame.voice, Page()
    voice.pack = Pack("poor", {"请": bytes(2000)}, bytes(2000))
    window = site.configuration.window[0]
    voice.player(window.zone, page, True)
    clerk = await site.sit(window.id)
    await site.take()
    assert (await site.ask("POST", f"windows/{window.id}/call-next", clerk)).status == 200
    for _ in range(100):
        if any(alarm.code == "voice" for alarm in site.running.frame.screens.around.alarms):
            break
        await asyncio.sleep(0.05)
    assert [alarm.subject for alarm in site.running.frame.screens.around.alarms] == [window.zone]
    assert await site.running.frame.store.pending_claims(site.hub.name) == []
    assert page.frames == []
    assert (await site.take()).status == 201, "the hall goes on"


def test_ux_s_06_config_check_names_what_the_voice_cannot_say(tmp_path: Path, capsys: object) -> None:
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
    [found] = hallfile.voice_findings(changed, folder)
    assert found.code == "voice_tokens"
    assert "龙" in found.zh
    assert list(hallfile.voice_findings(configuration, folder)) == []
    assert cli.main(["config", "check", str(file), "--voice", str(folder), "--json"]) == 0
    assert "voice_tokens" in capsys.readouterr().out  # type: ignore[attr-defined]
    assert cli.main(["voice", "build", "--folder", str(folder), "--hall", str(file)]) == 0
    assert list(hallfile.voice_findings(changed, folder)) == []
