"""`yichuang screen`: the browser of a display's own PC, and its watchdog: started again when its page is silent (UX D-10, D-11)."""

from __future__ import annotations

import argparse
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import structlog

from displays.terminal import chinese

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable")
FLAGS: Final = (
    "--kiosk",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-infobars",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disable-features=Translate",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-component-update",
    "--ozone-platform-hint=auto",
    # Of a page that nothing covers nothing is held back, however the window manager sees it.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-pipe",
)
"""UX 1, Hardening; the last one is how the page is listened to: a pipe that no other process can open."""
SILENT_S: Final = 60.0
ASKS_PER_SILENCE: Final = 12
AGAIN_S: Final = 1.0
"""Between two starts, so that a browser that cannot start at all leaves the PC its breath."""
ENDS_S: Final = 3.0
READS: Final = 1 << 16
ANSWER_MAX: Final = 1 << 22
ALIVE: Final = "location.href"
"""Asked of the page: only one whose scripts run answers."""
ERROR_PAGE: Final = "chrome-error:"

WRONG_ADDRESS: Final = (
    "网址以 http:// 或 https:// 开头，不是 {given}",
    "the address begins with http:// or https://, not {given}",
)
NO_BROWSER: Final = (
    "这台电脑没有浏览器（找过 {wanted}）：安装 chromium，或用 --browser 指定",
    "there is no browser ({wanted}): install chromium, or name one with --browser",
)
"""Chinese and English."""

log = structlog.get_logger()


class Silent(Exception):
    """The page gives no sign of life, or the browser is gone; the text says which."""


class Crashed(Silent):
    """The page will never give any again."""


class Browser:
    """One running browser in a process group of its own, and its DevTools protocol over a pipe."""

    def __init__(self, command: list[str]) -> None:
        theirs_in, self._out = _pipe()
        self._in, theirs_out = _pipe()
        actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
        self.pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setpgroup=0)
        os.close(theirs_in)
        os.close(theirs_out)
        os.set_blocking(self._out, False)
        self._ids = itertools.count(1)
        self._received = b""
        self._session = ""
        self._reaped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Everything that was started ends, a process that was stopped too."""
        for number, patience_s in ((signal.SIGTERM, ENDS_S), (signal.SIGKILL, ENDS_S)):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                break
            ends = time.monotonic() + patience_s
            while not self.is_gone() and time.monotonic() < ends:
                time.sleep(0.05)
        os.close(self._in)
        os.close(self._out)

    def is_gone(self) -> bool:
        if not self._reaped:
            self._reaped = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self._reaped

    def where(self, within_s: float) -> str:
        """The address its page is at, by the page's own word; Silent when it says none in time."""
        ends = time.monotonic() + within_s
        if not self._session:
            pages = [each for each in self._ask(ends, "Target.getTargets")["targetInfos"] if each["type"] == "page"]
            if not pages:
                raise Silent("there is no page")
            target = {"targetId": pages[0]["targetId"], "flatten": True}
            self._session = str(self._ask(ends, "Target.attachToTarget", target)["sessionId"])
            self._ask(ends, "Inspector.enable", session=self._session)  # which tells of crashes
        try:
            said = self._ask(ends, "Runtime.evaluate", {"expression": ALIVE}, self._session)
        except Silent:
            self._session = ""  # the page may be another one by now
            raise
        return str(said["result"].get("value", ""))

    def go(self, url: str, within_s: float) -> None:
        """Lead the page that answered last to an address."""
        self._ask(time.monotonic() + within_s, "Page.navigate", {"url": url}, self._session)

    def _ask(self, ends: float, method: str, params: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        number = next(self._ids)
        message = {
            "id": number,
            "method": method,
            "params": params or {},
            **({"sessionId": session} if session else {}),
        }
        try:
            os.write(self._out, json.dumps(message).encode() + b"\0")
        except OSError as error:  # it reads nothing any more, or is gone
            raise Silent(f"the browser takes no question: {error.strerror}") from error
        while True:
            answer = self._receive(ends)
            if answer.get("method") == "Inspector.targetCrashed":
                raise Crashed("the page has crashed")
            if answer.get("id") == number:
                if "error" in answer:
                    raise Silent(str(answer["error"].get("message", "")))
                result = answer.get("result")
                if not isinstance(result, dict):
                    raise Silent("nonsense from the browser")
                return result

    def _receive(self, ends: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            left_s = ends - time.monotonic()
            if left_s <= 0 or not select.select([self._in], [], [], left_s)[0]:
                raise Silent("no answer")
            data = os.read(self._in, READS)
            if not data:
                raise Silent("the browser has ended")
            self._received += data
            if len(self._received) > ANSWER_MAX:
                raise Silent("nonsense from the browser")
        first, _, self._received = self._received.partition(b"\0")
        try:
            message = json.loads(first)
        except ValueError as error:
            raise Silent("nonsense from the browser") from error
        if not isinstance(message, dict):
            raise Silent("nonsense from the browser")
        return message


def _pipe() -> tuple[int, int]:
    """Both ends above those that the browser is given, so that none of them is overwritten."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def live_with(browser: Browser, start: str, silent_s: float) -> str:
    """Until its page has given no sign of life for so long, or the browser has ended: why."""
    every_s = silent_s / ASKS_PER_SILENCE
    heard = time.monotonic()
    while True:
        asked = time.monotonic()
        try:
            if browser.where(every_s).startswith(ERROR_PAGE):  # UX D-11: it stays there by itself
                browser.go(start, every_s)
            heard = time.monotonic()
        except Silent as silent:
            if browser.is_gone():
                return "the browser has ended"
            if isinstance(silent, Crashed) or time.monotonic() - heard >= silent_s:
                return str(silent)
        time.sleep(max(0.0, asked + every_s - time.monotonic()))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang screen`."""
    parser.add_argument("url", help="http://hall-server:8080/hall, or another screen's")
    parser.add_argument(
        "--browser", default="", metavar="PROGRAM", help="default: the first Chromium that is installed"
    )
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="what the browser keeps, its pairing too")
    parser.add_argument("--silent", type=_seconds, default=SILENT_S, metavar="S", help="default: %(default)s seconds")
    parser.add_argument(
        "--flag", action="append", default=[], metavar="=FLAG", help="one more of the browser's own: --flag=--x"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: 1 to 3600 seconds")
    return value


def _wrong(sentence: tuple[str, str], **values: str) -> int:
    sys.stderr.write(sentence[0 if chinese() else 1].format(**values) + "\n")
    return 2


def run(arguments: argparse.Namespace, launcher: Path) -> int:
    """Keep the browser at the address until a signal ends it; 2 for a wrong address or no browser."""
    parts = urlsplit(arguments.url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return _wrong(WRONG_ADDRESS, given=repr(arguments.url))
    wanted = [arguments.browser] if arguments.browser else BROWSERS
    program = next(filter(None, map(shutil.which, wanted)), None)
    if program is None:
        return _wrong(NO_BROWSER, wanted=", ".join(wanted))
    state = Path(os.environ.get("XDG_STATE_HOME", "") or Path.home() / ".local" / "state")
    profile: Path = arguments.profile or state / "yichuang-screen"
    profile.mkdir(parents=True, exist_ok=True)
    # The launcher waits for the server, so that the browser never begins with its own error page.
    start = f"{launcher.resolve().as_uri()}#{arguments.url}"
    command = [program, *FLAGS, f"--user-data-dir={profile}", *arguments.flag, start]
    signal.signal(signal.SIGTERM, _end)
    try:
        while True:
            with Browser(command) as browser:
                log.info("browser started", url=arguments.url, pid=browser.pid)
                why = live_with(browser, start, arguments.silent)
                log.error("browser started again", url=arguments.url, reason=why)
            time.sleep(AGAIN_S)
    except KeyboardInterrupt:
        return 0


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt
