"""UX W-03 to W-07: a board of dots on an ordinary screen gets what a panel of its size would be sent."""

import asyncio
from base64 import b64decode
from typing import Any

import pytest
from msgspec import structs
from PIL import Image

from displays.led import Panel, StripState, pictures
from queue_server.app import hallfile
from queue_server.app.views import leds
from queue_server.domain.configuration import Led
from tests.http.conftest import Site, township


async def _boards(site: Site, *boards: Led) -> None:
    text = hallfile.dump(structs.replace(site.configuration, led=boards))
    admin = await site.as_staff("admin")
    answer = await site.ask("POST", "configuration/apply", admin, {"text": text, "at": "now"})
    assert answer.status == 200, answer


def _dots(page: dict[str, Any], panel: Panel) -> Image.Image:
    """The picture that its planes are."""
    size = (panel.width, panel.height)
    red, green = (Image.frombytes("1", size, b64decode(page[name])).convert("L") for name in ("red", "green"))
    return Image.merge("RGB", (red, green, Image.new("L", size)))


class _Screen:
    """A paired board that reads its documents."""

    def __init__(self, site: Site, of: str) -> None:
        self._site, self._of = site, of

    async def __aenter__(self) -> "_Screen":
        token = (await self._site.as_device("led", self._of))["Authorization"].removeprefix("Bearer ")
        self._socket = await self._site.session.ws_connect(f"{self._site.running.url}/api/v1/live")
        await self._socket.send_json({"type": "hello", "token": token})
        await self._socket.send_json({"type": "subscribe", "view": "led", "of": self._of})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def until(self, texts: list[str]) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                heard = await self._socket.receive_json()
                assert heard["type"] != "refused", heard
                led: dict[str, Any] | None = heard.get("documents", {}).get("led")
                if led is not None and [text for page in led["pages"] for text in page["texts"]] == texts:
                    return led


async def test_ux_w03_a_windows_board_gets_the_dots_of_a_panel_and_another_call_with_each_recall(site: Site) -> None:
    window = site.configuration.window[0].id
    panel = Panel(128, 16)
    await _boards(site, Led(id="over-1", window=window, brightness="7"))
    clerk = await site.sit(window)
    number = (await site.take()).body["ticket"]["number"]
    async with _Screen(site, "over-1") as screen:
        assert (await site.ask("POST", f"windows/{window}/call-next", clerk)).status == 200
        shown = await screen.until([f"请{number}号办理"])
        (drawn,) = pictures(StripState(state="call", number=number, window=window), panel)
        assert _dots(shown["pages"][0], panel).tobytes() == drawn.image.tobytes()
        assert (shown["width"], shown["height"], shown["brightness"], shown["problem"]) == (128, 16, 7, None)
        site.hub.clock.at_least(site.hub.clock.now() + 60_000)
        assert (await site.ask("POST", f"windows/{window}/recall", clerk)).status == 200
        again = await screen.until([f"请{number}号办理"])
        assert number in again["call"] != shown["call"]
        await site.ask("POST", f"windows/{window}/arrive", clerk)
        assert (await screen.until([f"{window}号 {number}办理中"]))["call"] == ""


async def test_ux_w05_a_zones_board_has_its_calls_newest_first_and_pages_by_its_rows(site: Site) -> None:
    zone = site.configuration.window[0].zone
    windows = [each.id for each in site.configuration.window if each.zone == zone][:2]
    await _boards(site, Led(id="board", zone=zone, width=256, height=32, dots=16))
    numbers = []
    async with _Screen(site, "board") as screen:
        for window in windows:
            clerk = await site.sit(window)
            taken = await site.take()
            numbers.append(taken.body["ticket"]["number"])
            called = await site.ask("POST", f"windows/{window}/call", clerk, {"number": numbers[-1], "reason": "test"})
            assert called.status == 200, called
            site.hub.clock.at_least(site.hub.clock.now() + 1_000)
        rows = [f"请{number}号到{window}号窗口" for number, window in zip(numbers, windows, strict=True)]
        shown = await screen.until(rows[::-1])
        assert len(shown["pages"]) == 1
        assert shown["call"].startswith(numbers[-1])


async def test_ux_s03_a_board_sees_its_own_and_nobody_elses(site: Site) -> None:
    window = site.configuration.window[0].id
    await _boards(site, Led(id="a", window=window), Led(id="b", window=window))
    token = (await site.as_device("led", "a"))["Authorization"].removeprefix("Bearer ")
    async with site.session.ws_connect(f"{site.running.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        assert (await socket.receive_json())["view"] == "led"
        for view, of in (("led", "b"), ("window", window)):
            await socket.send_json({"type": "subscribe", "view": view, "of": of})
            while (heard := await socket.receive_json())["type"] == "heartbeat":
                pass
            assert (heard["type"], heard["code"]) == ("refused", "forbidden")
    admin = await site.as_staff("admin")
    places = (await site.ask("GET", "paired", admin)).body["places"]
    assert [place["of"] for place in places if place["role"] == "led"] == ["a", "b"]


def test_law_5_rendered_pages_are_kept_by_their_bytes_whatever_the_size_of_the_boards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []
    real = leds.pictures

    def counted(state: StripState, panel: Panel) -> Any:
        drawn.append(state.number)
        return real(state, panel)

    monkeypatch.setattr(leds, "pictures", counted)
    pages, large = leds._Drawn(), Panel(1024, 512)
    for number in range(200):
        pages(StripState(state="call", number=f"A{number:03}", window="1"), large)
        assert pages.held_bytes <= leds.PAGES_BYTES
    again = StripState(state="call", number="A199", window="1")
    assert pages(again, large) == pages(again, large)
    assert len(drawn) == 200, "the newest are kept"
    pages(StripState(state="call", number="A000", window="1"), large)
    assert drawn[-1] == "A000", "the oldest are drawn anew"


async def test_without_a_font_the_board_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(state: object, panel: object) -> None:
        raise leds.NoFont("no font")

    monkeypatch.setattr(leds, "pictures", none)
    leds._pages.clear()
    hall = await site.hub.read(lambda hall: hall)
    shown = leds.led_document(hall, Led(id="x", window=site.configuration.window[0].id, name="一"), 0)
    assert shown.pages == []
    assert shown.problem is not None
    assert "Noto Sans CJK" in shown.problem.en


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"width": 32}, "led_size"),
        ({"height": 8}, "led_size"),
        ({"dots": 20}, "led_size"),
        ({"width": 1032}, "led_size"),
        ({"brightness": "bright"}, "led_brightness"),
        ({"brightness": "07:00=16"}, "led_brightness"),
        ({"window": "99"}, "unknown_reference"),
        ({"zone": "Z"}, "unknown_reference"),
    ],
)
def test_ux_w04_a_board_that_cannot_be_is_a_finding_of_its_file(wrong: dict[str, Any], code: str) -> None:
    text = hallfile.dump(structs.replace(township(), led=(Led(id="x", **wrong),)))
    _, findings = hallfile.load(text)
    assert [finding.code for finding in findings if finding.where.startswith("led")] == [code]
