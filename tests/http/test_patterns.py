"""The test pattern of paired screens: asked for once, told what came of it, and never in a citizen's way (issue 3, laws 6 and 7)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from queue_server.wire.common import DeviceState
from tests.http.conftest import Site

WITHIN_S = 30.0
"""As long as a test waits, on a machine however slow."""


class Box:
    """A paired screen's page that a test speaks for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def pattern(self) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN_S):
            while True:
                heard: dict[str, Any] = await self.socket.receive_json()
                if heard["type"] == "pattern":
                    return heard

    async def answer(self, test: str, outcome: str = "done", reason: str = "") -> None:
        await self.socket.send_json({"type": "pattern_ended", "id": test, "outcome": outcome, "reason": reason})


async def pair(site: Site, role: str, of: str, name: str = "") -> tuple[str, str]:
    """The device's name in the manager's table, and its token."""
    token, device = await site.running.frame.accounts.pair(role, of, name)
    return (f"kiosk:{of}" if role == "kiosk" else f"screen:{device.id}"), token


@asynccontextmanager
async def opened(site: Site, token: str) -> AsyncIterator[Box]:
    async with site.session.ws_connect(f"{site.running.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        while (await socket.receive_json(timeout=10))["type"] != "welcome":
            pass  # the server's heart may beat first
        yield Box(socket)


async def row(site: Site, device: str) -> Any:
    site.running.frame.pages.refresh()
    found = await site.hub.read(site.running.frame.screens.devices)
    return next((each for each in found.devices if each.id == device), None)


async def becomes(site: Site, device: str, condition: Callable[[Any], object]) -> Any:
    """The device's row, when it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not condition(found := await row(site, device)):  # noqa: ASYNC110 - rows of many tests
            await asyncio.sleep(0.02)
    return found


async def outcome(site: Site, device: str) -> tuple[str, str]:
    """How the last test ended, and what the manager reads of it."""
    trial = (await becomes(site, device, lambda each: each.trial.outcome)).trial
    return trial.outcome, trial.text.zh


async def ask(site: Site, device: str, key: str = "") -> tuple[int, str]:
    manager = await site.as_staff("manager")
    more = {"key": key} if key else {}
    answer = await site.ask("POST", f"devices/{device}/test", manager, **more)
    return answer.status, answer.body.get("code", "")


async def test_a_screen_is_sent_its_pattern_once_and_its_answer_is_kept(site: Site) -> None:
    zone = site.configuration.window[0].zone
    device, token = await pair(site, "hall", zone, "屏-03")
    async with opened(site, token) as box:
        manager = await site.as_staff("manager")
        for _ in range(2):  # law 6: the same press twice is one test
            assert (await site.ask("POST", f"devices/{device}/test", manager, key="press")).status == 202
        wanted = await box.pattern()
        assert (wanted["name"], wanted["for_ms"], wanted["volume"]) == ("屏-03", 8000, 0)
        assert zone in wanted["place"]["zh"]
        assert await ask(site, device) == (409, "device-test-runs")
        await box.answer("another's")
        await box.answer(wanted["id"], "done", "")
        assert await outcome(site, device) == ("done", "测试图已显示（8 秒），请到屏前看一眼")
        await box.answer(wanted["id"], "failed", "late")
        assert (await ask(site, device))[0] == 202, "a second test begins the page's eight seconds anew"
        second = await box.pattern()
        assert second["id"] != wanted["id"]
        await box.answer(second["id"], "busy")
        assert (await outcome(site, device))[0] == "busy"
    rows = [each async for each in site.running.frame.store.read(site.hub.name, kinds=("DeviceTestEnded",))]
    assert len(rows) == 2


async def test_a_screen_that_is_not_there_refuses_with_a_reason_and_one_that_is_not_paired_is_none(site: Site) -> None:
    window = site.configuration.window[0].id
    device, token = await pair(site, "window", window)
    assert await ask(site, device) == (409, "screen-away")
    assert await ask(site, "screen:nobody") == (409, "device-test-none")
    assert await ask(site, "kiosk:nobody") == (409, "device-test-none")
    clerk = await site.as_staff("clerk")
    async with opened(site, token):
        assert (await site.ask("POST", f"devices/{device}/test", clerk)).status == 403
        assert (await ask(site, device))[0] == 202
    # It went with the pattern on it: its page ends that by itself, and nobody will say what came of it.
    assert await outcome(site, device) == ("unknown", "屏断线了，不知道显示没有")
    assert await ask(site, device) == (409, "screen-away")


async def test_what_a_citizen_reads_is_not_covered(site: Site) -> None:
    """A number that was called stands on the window's screen, on its zone's display and on the hall's; a kiosk says itself."""
    window = site.configuration.window[0]
    clerk = await site.sit(window.id)
    screens = [
        await pair(site, "window", window.id),
        await pair(site, "hall", window.zone),
        await pair(site, "hall", ""),
    ]
    other, other_token = await pair(site, "window", site.configuration.window[1].id)
    assert (await site.take()).status == 201
    assert (await site.ask("POST", f"windows/{window.id}/call-next", clerk)).status == 200
    for device, token in screens:
        async with opened(site, token):
            assert await ask(site, device) == (409, "device-busy")
    async with opened(site, other_token):
        assert (await ask(site, other))[0] == 202
    await site.ask("POST", f"windows/{window.id}/arrive", clerk)
    device, token = screens[1]
    async with opened(site, token):
        assert (await ask(site, device))[0] == 202


async def test_ux_d_08_what_is_said_to_the_whole_hall_is_not_covered(site: Site) -> None:
    """An emergency, and early closing; an ordinary notice stands for days, in a line of its own."""
    kiosk, window, board = site.configuration.kiosk[0].id, site.configuration.window[0].id, site.configuration.led
    manager = await site.as_staff("manager")
    screens = [await pair(site, role, of) for role, of in (("hall", ""), ("window", window), ("kiosk", kiosk))]
    screens += [await pair(site, "led", led.id) for led in board[:1]]
    said = {"zh": "请从最近的出口离开", "en": "Leave by the nearest exit"}
    for device, token in screens:
        async with opened(site, token):
            assert (await site.ask("POST", "message", manager, {"kind": "emergency", **said})).status == 200
            assert await ask(site, device) == (409, "device-busy"), device
            assert (await site.ask("POST", "message", manager, {"kind": "notice", **said})).status == 200
            assert (await ask(site, device))[0] == 202, device
    await site.ask("POST", "message", manager, {"kind": "none", "zh": "", "en": ""})
    assert (await site.ask("POST", "day/close", manager, {"text": "提前关门"})).status == 200
    device, token = await pair(site, "hall", "")
    async with opened(site, token):
        assert await ask(site, device) == (409, "device-busy")


async def test_a_kiosks_pattern_goes_to_its_page_and_stands_in_its_own_row(site: Site) -> None:
    kiosk = site.configuration.kiosk[0].id
    device, token = await pair(site, "kiosk", kiosk)
    async with opened(site, token) as box:
        await becomes(site, device, lambda each: each is not None and each.state is DeviceState.ONLINE)
        assert (await ask(site, device))[0] == 202
        await box.answer((await box.pattern())["id"], "busy")
        assert (await outcome(site, device))[0] == "busy"
        assert (await row(site, device)).kind == "kiosk"


async def test_a_screens_health_stands_beside_its_test(site: Site) -> None:
    device, token = await pair(site, "led", "none", "条屏")
    before = await row(site, device)
    assert (before.state, before.last_seen, before.page.connected_since) == (DeviceState.UNKNOWN, None, None)
    began = site.hub.clock.now()
    async with opened(site, token) as box:
        await box.socket.send_json({"type": "page", "width": 1366, "height": 768, "ratio": 1.5})
        there = await becomes(site, device, lambda each: each.page.width)
        assert (there.name.zh, there.kind, there.test, there.state) == ("条屏", "led", "pattern", DeviceState.ONLINE)
        assert (there.page.width, there.page.height, there.page.ratio) == (1366, 768, 1.5)
        assert began <= there.page.connected_since <= site.hub.clock.now()
        assert there.last_seen >= there.page.connected_since
        await box.socket.send_json({"type": "page", "width": -1, "height": 768, "ratio": 1})
        async with asyncio.timeout(WITHIN_S):
            while (await box.socket.receive_json())["type"] != "refused":
                pass
    await becomes(site, device, lambda each: each.state is DeviceState.OFFLINE)
    assert await site.running.frame.accounts.revoke(device.removeprefix("screen:"))
    assert await row(site, device) is None, "who is revoked leaves the table"
