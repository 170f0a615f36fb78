"""UX D-15: what the office may ask of a screen's page, who may, and what a page that hangs costs."""

import asyncio
from typing import Any

import pytest

from queue_server.app import remote
from tests.http.conftest import Site
from tests.http.test_voice import Speaker, until


async def test_ux_d_15_a_page_answers_for_itself_and_a_silent_one_is_said_to_be(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ANSWERS_S", 0.3)
    zone = site.configuration.window[0].zone
    manager, clerk = await site.as_staff("manager"), await site.as_staff("clerk", window="1")
    token = (await site.as_device("hall", zone))["Authorization"].removeprefix("Bearer ")
    [paired] = [each for each in site.running.frame.accounts.devices() if each.role == "hall"]
    path = f"devices/screen:{paired.id}/ask"
    assert (await site.ask("POST", path, manager, {"what": "look"})).body["code"] == "screen-away"
    assert (await site.ask("POST", path, clerk, {"what": "look"})).status == 403
    assert (await site.ask("POST", "devices/screen:no/ask", manager, {"what": "look"})).body[
        "code"
    ] == "device-test-none"
    wrong = await site.ask("POST", path, manager, {"what": "paint"})
    assert (wrong.status, wrong.body["field"]) == (400, "what")

    async with site.session.ws_connect(f"{site.running.url}/api/v1/live") as page:
        await page.send_json({"type": "hello", "token": token})
        welcome = await page.receive_json()
        assert (welcome["name"], welcome["address"]) == (paired.name, "127.0.0.1")
        silent = await site.ask("POST", path, manager, {"what": "reload"})
        assert [each["outcome"] for each in silent.body["pages"]] == ["silent"]
        monkeypatch.setattr(remote, "ANSWERS_S", 20)

        async def errand() -> dict[str, Any]:
            while (said := await page.receive_json())["type"] != "errand" or said["what"] != "look":
                pass
            found: dict[str, Any] = said
            return found

        asked = asyncio.ensure_future(site.ask("POST", path, manager, {"what": "look"}))
        name = (await errand())["id"]
        await page.send_json({"type": "errand_done", "id": "another", "outcome": "done"})
        await page.send_json({"type": "errand_done", "id": name, "outcome": "done", "text": "x" * 16_001})
        shown = {"outcome": "done", "text": "A001 → 3", "width": 1920, "height": 1080, "ratio": 2.0}
        await page.send_json({"type": "errand_done", "id": name, **shown})
        assert (await asked).body["pages"] == [{"reason": "", **shown}]
        asked = asyncio.ensure_future(site.ask("POST", path, manager, {"what": "look"}))
        await errand()
    gone = await asyncio.wait_for(asked, 10)  # long before the 20 s of one that says nothing
    assert [each["outcome"] for each in gone.body["pages"]] == ["gone"]


async def test_v_09_a_hall_without_a_voice_pack_says_so_on_its_displays(site: Site) -> None:
    """The issue: "a display without voice says so"; the words on the display are tests/e2e/test_office.py's."""
    zone = site.configuration.window[0].zone
    page = Speaker(site.running, zone)
    page.voice.player(zone, page, True)
    speech = site.running.frame.screens.around.speech
    await until(lambda: zone in speech and speech[zone].state == "voiceless")
    assert page.voice.why_silent
