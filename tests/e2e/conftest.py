"""Chromium, the built screens and the voice pack: made once a session, and pages that know who they are."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.e2e.living import Desks, LivingHall, give_voice
from tests.e2e.pages import Screens
from tests.hall_process import ROOT
from tests.voice import shipped_folder

PROPERTY = ("15", "16", "17", "18", "19")
"""Five windows of one sound zone that all serve real estate."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",  # a hall's LAN has none; this machine's may not know its own address
    "--autoplay-policy=no-user-gesture-required",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it needs Chromium; one event loop holds the browser and everybody who talks to it."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def hatch_build() -> Any:
    """The module that builds the screens; it also knows the Node that the locked packages brought."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build


@pytest.fixture(scope="session")
def screens(hatch_build: Any) -> Path:
    """`displays/web/dist`, built from the sources as they are."""
    web = ROOT / "displays" / "web"
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "screens.lock").open("w") as lock:
        flock(lock, LOCK_EX)  # two workers build once
        hatch_build.build_screens(web)
    return web / "dist"


@pytest.fixture(scope="session")
def voice() -> Path:
    """The voice pack that ships, made with the real espeak-ng: everybody's, to be copied."""
    return shipped_folder()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed: the screens are not looked at")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield chromium
        finally:
            await chromium.close()


MakeHall = Callable[..., AbstractAsyncContextManager[LivingHall]]


@pytest.fixture
def make_hall(tmp_path: Path, screens: Path, voice: Path) -> MakeHall:
    """`async with make_hall(["6", "7"]) as hall`: a district hall with a voice and with devices at these windows."""

    def make(windows: Any = ("6",), **options: Any) -> LivingHall:
        give_voice(tmp_path, voice)
        return LivingHall(tmp_path, windows, **options)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def busy_hall(
    tmp_path_factory: pytest.TempPathFactory, screens: Path, voice: Path
) -> AsyncIterator[tuple[LivingHall, Desks]]:
    """A hall without devices for all tests that need none, its five windows of zone D open."""
    folder = tmp_path_factory.mktemp("hall")
    give_voice(folder, voice)
    living = LivingHall(folder, PROPERTY, infer_arrival_after_s=0, recall_interval_s=1)
    async with living as hall, Desks(hall, PROPERTY) as desks:
        yield hall, desks


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Browser) -> AsyncIterator[Screens]:
    """Opens pages, each with its own storage; closes them, and fails for what they must never do."""
    async with Screens(browser) as opened:
        yield opened
        opened.check()
