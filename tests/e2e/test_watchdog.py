"""UX D-10: "External watchdog restarts the browser when page has not sent "alive" for 60 s"; with a real Chromium that hangs,
crashes and ends, and with bounds of the command's own option, scaled down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.e2e.living import until
from tests.hall_process import ROOT, free_port

pytestmark = pytest.mark.browser

SILENT_S = 6
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]
PAGE = "<!doctype html><title>x</title><body>hall"


class Server:
    """Stands where the hall's server would: counts how often its page is opened."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.loads = 0

    async def page(self, request: web.Request) -> web.Response:
        self.loads += 1
        return web.Response(text=PAGE, content_type="text/html")

    async def healthy(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/hall", self.page)
        app.router.add_get("/healthz", self.healthy)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return runner


def browser(profile: Path) -> int:
    """The browser of this profile; 0 when there is none."""
    return next(
        (pid for pid, _, words in _running() if f"--user-data-dir={profile} " in words and "--kiosk " in words), 0
    )


def helpers(leader: int, kind: str = "") -> list[int]:
    """Its helpers of a `--type=`; all of them and itself when that is left out."""
    return [pid for pid, group, words in _running() if group == leader and (not kind or f"--type={kind} " in words)]


def _running() -> list[tuple[int, int, str]]:
    """(process, group, command line) of everything that runs."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                found.append((int(folder.name), os.getpgid(int(folder.name)), words))
    return [each for each in found if each[2]]


@pytest_asyncio.fixture(loop_scope="session")
async def watched(tmp_path: Path) -> AsyncIterator[tuple[Server, Path]]:
    """`yichuang screen` at an address where nobody answers yet."""
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed: no browser is watched")
    server, profile = Server(free_port()), tmp_path / "profile"
    command = [sys.executable, "-m", "queue_server", "screen", f"{server.url}/hall", "--profile", str(profile)]
    command += ["--browser", "chromium", "--silent", str(SILENT_S), *(f"--flag={flag}" for flag in FLAGS)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield server, profile
    finally:
        last = browser(profile)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 40) == 0
        assert helpers(last) == [], "nothing of the browser is left behind"


async def test_ux_d_10_a_browser_that_hangs_crashes_or_ends_is_started_again(watched: tuple[Server, Path]) -> None:
    server, profile = watched
    runner = await server.start()
    try:
        await until(lambda: server.loads == 1, what="the page as soon as the server is there")
        seen = [browser(profile)]
        for loads, number in enumerate((signal.SIGSTOP, signal.SIGKILL), start=2):  # it hangs, then it crashes
            for renderer in helpers(seen[-1], "renderer"):
                os.kill(renderer, number)
            await until(
                lambda loads=loads: server.loads == loads, what=f"the page of a new browser after {number.name}"
            )  # type: ignore[misc]
            assert helpers(seen[-1]) == []
            seen.append(browser(profile))
        os.kill(seen[-1], signal.SIGKILL)
        await until(lambda: server.loads == 4, what="the page of a new browser, the old one has ended")
        seen.append(browser(profile))
        assert len(set(seen)) == 4
        await runner.cleanup()
        await asyncio.sleep(SILENT_S + 1)
        assert browser(profile) == seen[-1], "that the server is away is no fault of the browser"
    finally:
        await runner.cleanup()
