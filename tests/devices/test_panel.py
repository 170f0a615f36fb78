"""Issue 3: the panel page presses real keys on the line, shows what follows, and is for this PC alone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from devices.emulators.bench import Bench, bench_of
from devices.emulators.cli import Asked, parse_node
from devices.emulators.panel import serving_panel
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.rs485 import Rs485BusEmulator
from devices.transport import Unavailable, transport
from tests.devices import independent, independent_syn6288
from tests.devices.hall import emulating

NODES = ("keypad:7", "rating:0x87", "strip:3", "sam-v:0")


class Page:
    """A page's end of the websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.documents: dict[str, Any] = {}
        self.outcomes: list[dict[str, Any]] = []

    async def do(self, **deed: object) -> None:
        await self.socket.send_json(deed)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(20):
            while not condition(self):
                told = await self.socket.receive_json()
                if told["type"] == "change":
                    self.documents |= told["documents"]
                elif told["type"] == "outcome":
                    self.outcomes.append(told)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "panel.html").write_text("<!doctype html>panel", encoding="utf-8")
    (tmp_path / "assets" / "a.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.html").write_text("not for the panel", encoding="utf-8")
    return tmp_path


@asynccontextmanager
async def opened(bench: Bench, pages: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, str, Page]]:
    async with (
        serving_panel(bench, 0, pages) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}bench") as socket,
    ):
        assert (await socket.receive_json())["type"] == "welcome"
        yield session, url, Page(socket)


async def test_a_key_pressed_on_the_page_is_a_frame_and_the_strip_is_dots(pages: Path) -> None:
    async with Rs485BusEmulator("memory://panel", [node for text in NODES for node in parse_node(text)]) as line:
        near = transport(line.url)
        await near.open()
        async with opened(bench_of([line]), pages) as (_, _, page):
            await page.do(do="press", id=1, device="line-1.1", key=0x0C, digits="42")
            assert independent.decode_ff68(await near.read()) == [(7, 1, [4, 2, 0x0C])]
            await near.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
            await page.until(lambda page: page.outcomes)
            assert page.outcomes == [{"type": "outcome", "id": 1, "ok": True, "reason": ""}]
            await page.do(do="rate", id=2, device="line-1.2", level=3)
            assert independent.decode_ff68(await near.read()) == [(0x87, 0x11, [3])]
            await near.write(bytes.fromhex("A0 90 03 A5 00 05 C7 EB 00 41 00 CE"))
            await page.until(
                lambda page: page.documents.get("device/line-1.3", {}).get("dots", {}).get("texts") == ["请A"]
            )
            dots = page.documents["device/line-1.3"]["dots"]
            assert (dots["width"], dots["height"], set(dots["green"])) == (128, 16, {"A", "="})
            assert set(dots["red"]) != {"A", "="}
            await page.do(do="act", id=3, device="line-1.4", verb="put", words=[])
            await page.until(lambda page: page.documents["device/line-1.4"]["state"]["card"])
            await page.do(do="fault", id=4, line="line-1", device="line-1.1", name="silent", value="on")
            await page.do(do="fault", id=5, line="line-1", name="unplugged", value="on")
            await page.until(lambda page: page.documents["line/line-1"]["url"] == "")
            assert page.documents["device/line-1.1"]["faults"]["silent"] is True
            assert not line.connected
        await near.close()


async def test_what_cannot_be_done_is_said_and_what_makes_no_sense_ends_nothing(pages: Path) -> None:
    line = Rs485BusEmulator("memory://panel", [node for text in NODES for node in parse_node(text)])
    async with line, opened(bench_of([line]), pages) as (_, _, page):
        await page.socket.send_str("nonsense")
        await page.socket.send_str('{"do":"explode","id":1}')
        for number, deed in enumerate((
            {"do": "press", "device": "line-1.3", "key": 1},
            {"do": "press", "device": "piano", "key": 1},
            {"do": "act", "device": "line-1.4", "verb": "sing"},
            {"do": "fault", "line": "x", "name": "lossy", "value": "5%"},
            {"do": "fault", "line": "line-1", "name": "lossy", "value": "often"},
        )):  # fmt: skip
            await page.do(id=number, **deed)
        await page.until(lambda page: len(page.outcomes) == 5)
        assert all(not outcome["ok"] and outcome["reason"] for outcome in page.outcomes)


async def test_papers_are_pictures_also_the_one_that_is_half_printed(pages: Path) -> None:
    async with EmulatedPrinter("memory://panel-paper") as printer:
        near = transport(printer.url)
        await near.open()
        async with opened(bench_of([printer]), pages) as (session, url, page):
            await near.write("A012 号\n".encode("gbk") + b"\x1dV\x00" + b"A013\n")
            await page.until(lambda page: page.documents.get("device/line-1", {}).get("current"))
            [paper] = page.documents["device/line-1"]["papers"]
            assert paper["number"] == 1
            assert "A012" in paper["text"]
            for number, status in ((1, 200), (0, 200), (2, 404)):
                async with session.get(f"{url}paper/line-1/{number}.png") as answer:
                    assert answer.status == status
                    if status == 200:
                        picture = Image.open(io.BytesIO(await answer.read()))
                        assert picture.width == 576
                        assert picture.convert("L").getextrema() == (0, 255)
            await page.do(do="fault", id=1, line="line-1", name="paper", value="out")
            await page.until(lambda page: page.documents["device/line-1"]["state"]["out"])
        await near.close()


async def test_a_spoken_phrase_stands_on_the_page_while_it_sounds_and_after(pages: Path) -> None:
    """A voice module's own, as it was told to say it, and what a place's screen spoke, with its sound."""
    async with Rs485BusEmulator("memory://panel-voice", parse_node("syn6288:0")) as line:
        near = transport(line.url)
        await near.open()
        bench = bench_of([line])
        async with opened(bench, pages) as (session, url, page):
            await near.write(independent_syn6288.build(1, b"\x01" + "请A042号到3号窗口".encode("gbk")))
            await page.until(
                lambda page: (
                    page.documents.get("device/line-1.1", {}).get("state", {}).get("speaking") == "请A042号到3号窗口"
                )
            )
            assert page.documents["device/line-1.1"]["state"]["said"] == "请A042号到3号窗口"
            bench.say("A", {"zh": "请A042号到3号窗口办理", "en": "A042, please go to window 3"}, b"RIFF")
            await line.notify()
            await page.until(lambda page: "spoken/A" in page.documents)
            assert page.documents["spoken/A"] == {
                "text": {"zh": "请A042号到3号窗口办理", "en": "A042, please go to window 3"},
                "count": 1,
                "clip": True,
            }
            async with session.get(f"{url}clip/A/1.wav") as answer:
                assert (answer.status, await answer.read()) == (200, b"RIFF")
        await near.close()


async def test_it_answers_this_pc_alone(pages: Path) -> None:
    line = Rs485BusEmulator("memory://here", parse_node("keypad:7"))
    async with line, serving_panel(bench_of([line]), 0, pages) as url, aiohttp.ClientSession() as session:
        assert url.startswith("http://127.0.0.1:")
        for path, headers, status in (
            ("", {}, 200),
            ("", {"Host": "evil.example"}, 403),
            ("", {"Origin": "http://evil.example"}, 403),
            ("bench", {"Origin": "http://evil.example"}, 403),
            ("static/assets/a.js", {}, 200),
            ("static/assets/..%2Fsecret.html", {}, 404),
            ("static/assets/b.js", {}, 404),
            ("clip/A/1.wav", {}, 404),
            ("paper/line-1.1/1.png", {}, 404),
        ):
            async with session.get(URL(url + path, encoded=True), headers=headers) as answer:
                assert answer.status == status, (path, headers)
                if path == "":
                    assert "default-src 'none'" in answer.headers.get("Content-Security-Policy", "default-src 'none'")


async def test_a_port_that_is_taken_and_a_page_that_is_not_built_are_said(tmp_path: Path) -> None:
    bench = Bench({"zh": "空", "en": "Empty"})
    async with serving_panel(bench, 0, tmp_path) as url, aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.status == 503
        with pytest.raises(Unavailable, match="port"):
            async with serving_panel(bench, int(url.rstrip("/").rsplit(":", 1)[1]), tmp_path):
                pass


async def test_the_command_says_where_its_panel_is() -> None:
    async with emulating(Asked(url="memory://cli-panel", nodes=["keypad:7"]), panel=0) as person:
        await person.tells("listening")
        assert str(person.told[0]["url"]).startswith("http://127.0.0.1:")
