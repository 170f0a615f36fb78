"""`yichuang devices learn`: its options, and the way from a line or a recording to a device map."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.devicemap import PLUG_ORDER, complete_url
from devices.learning.answers import Answers, Step
from devices.learning.dialogue import Dialogue, keep, restore
from devices.learning.hearing import Hearing
from devices.learning.listening import Capture, Listening, Patience, find_line, read_capture
from devices.learning.pads import learn_pads
from devices.learning.proposal import Proposal, propose, said_line, settle, unplaced_strips
from devices.learning.tap import line_of, open_tap
from devices.learning.words import sentence
from devices.profiles.profile import Serial
from devices.transport import Unavailable, parse_url

DONE: Final = 0
NO: Final = 1
LINES_LIMIT: Final = 64
WINDOWS_LIMIT: Final = 256
DECIDE_LIMIT: Final = 6
"""Questions beside the usual ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang devices learn`."""
    parser.add_argument("source", metavar="URL|FILE", help="a line, or a recording: serial:///dev/serial/by-path/…")
    parser.add_argument("--windows", default="", metavar="LIST", help="whose keys are asked for: 1-6 or 1,2,A3")
    parser.add_argument("--listen", type=float, default=30.0, metavar="S", help="how long before the questions; 30")
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="S", help="for a press, before it is said again; 60"
    )
    parser.add_argument("--agent", default="agent-1", metavar="ID", help="whose devices these will be; agent-1")
    parser.add_argument("--url", default="", help="what the map calls the line, when another than the one listened to")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the map; profiles go into profiles/ beside it")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep what was heard, to learn from it again")


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a line told: its bytes, the answers about it, what the map calls it and its settings."""

    hearing: Hearing
    answers: Answers
    url: str
    line: Serial


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 a map was learnt, 1 not; ValueError for wrong usage."""
    windows = parse_windows(arguments.windows)
    file = Path(arguments.source)
    if "://" not in arguments.source:
        learnt: Learnt | None = _from_file(file, windows, arguments.url)
    else:
        if PLUG_ORDER.match(arguments.source) and not arguments.url:
            raise ValueError(
                f"{arguments.source} changes with the order of plugging in: take the name `yichuang devices scan` shows"
            )
        open_tap(arguments.source)  # a wrong URL is wrong usage
        try:
            learnt = asyncio.run(live(arguments, windows))
        except KeyboardInterrupt:
            return NO
    return conclude(learnt, arguments)


def conclude(learnt: Learnt | None, arguments: argparse.Namespace) -> int:
    """The map of what was learnt, as the arguments want it; 0 when there is one."""
    if learnt is None:
        return NO
    if private := learnt.hearing.private:
        _tell(sentence("personal", profile=private))
        return NO
    taken = names_of_others(arguments.write) if arguments.write is not None else ()
    return _report(propose(learnt.hearing, learnt.answers, learnt.url, learnt.line, arguments.agent, taken), arguments)


def names_of_others(path: Path) -> set[str]:
    """The profiles beside a map that other maps may mean; a map that is written again replaces its own."""
    own = set(re.findall(r'^profile = "([^"]+)"', path.read_text(encoding="utf-8"), re.M)) if path.exists() else set()
    return {file.stem for file in (path.parent / "profiles").glob("*.toml")} - own


def parse_windows(text: str) -> list[str]:
    """`1-6,8,A1` as the windows' ids; ValueError for what is none."""
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.replace("，", ",").split(","))):
        if span := re.fullmatch(r"(\d{1,3})-(\d{1,3})", part):
            found += [str(number) for number in range(int(span[1]), int(span[2]) + 1)]
        elif re.fullmatch(r"[A-Za-z0-9_]+", part):
            found.append(part)
        else:
            raise ValueError(f"--windows: {part!r} is no window: 1-6 or 1,2,A3")
    if len(found) > WINDOWS_LIMIT:
        raise ValueError(f"--windows: {len(found)} are too many for one line")
    return list(dict.fromkeys(found))


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _from_file(path: Path, windows: list[str], url: str) -> Learnt:
    recorded = read_capture(path)
    url = url or recorded.url
    if not url:
        raise ValueError(f"{path.name} does not say on which line it was heard: give --url")
    line = line_of(parse_url(url)) if url.startswith("serial:") else Serial()
    hearing = Hearing.replayed(recorded.pieces, baud=line.baud)
    answers = Answers(windows or recorded.answers.get("windows", []))
    restore(answers, recorded.answers.get("given", []))
    return Learnt(hearing, answers, url, line)


async def live(arguments: argparse.Namespace, windows: list[str]) -> Learnt | None:
    """Listen and ask; None when nothing can be heard or understood, which was said."""
    listening = Listening(open_tap(arguments.source), _tell)
    try:
        await listening.tap.open()
    except Unavailable as error:
        _tell(str(error))
        return None
    pump = asyncio.create_task(listening.run())
    work = asyncio.create_task(_learn(listening, arguments, windows))
    try:
        await asyncio.wait({pump, work}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            pump.result()  # listening never ends by itself
        return await work
    finally:
        for task in (pump, work):
            task.cancel()
        await asyncio.gather(pump, work, return_exceptions=True)
        await listening.tap.close()


async def _learn(listening: Listening, arguments: argparse.Namespace, windows: list[str]) -> Learnt | None:
    if not await _line_found(listening, arguments.source, arguments.listen):
        return None
    url = arguments.url or complete_url(arguments.source, listening.line)
    try:
        if arguments.record is not None:
            listening.recorder = Capture(arguments.record, url, _tell)
        answers = Answers(windows)
        if await _heard(listening, arguments, asked=bool(windows) or sys.stdin.isatty()):
            answers = await _asked(listening, windows, arguments)
        elif not listening.hearing.private:
            return None
        _record(listening, answers)
    except OSError as error:
        raise ValueError(f"{arguments.record}: {error.strerror}") from error
    finally:
        heard = listening.end()
    return Learnt(heard, answers, url, listening.line)


def _record(listening: Listening, answers: Answers) -> None:
    """What was answered so far; of several the last counts."""
    if listening.recorder is not None:
        listening.recorder.write({"answers": {"windows": list(answers.windows), "given": keep(answers)}})


async def _line_found(listening: Listening, source: str, listen_s: float) -> bool:
    """Whether the line's speed is known or was found, which is said."""
    address = parse_url(source)
    _tell(sentence("listening", url=source, seconds=listen_s))
    if address.scheme == "serial" and "baud" in address.options:
        listening.begin(line_of(address))
    elif address.scheme == "serial":
        found, said = await find_line(listening, Patience(), listen_s)
        _tell(said)
        return found
    return True


async def _heard(listening: Listening, arguments: argparse.Namespace, *, asked: bool) -> bool:
    """Listen for a while; whether to go on, as what comes is understood, or keys are `asked` for at a given speed."""
    await asyncio.sleep(arguments.listen)
    hearing = listening.hearing
    if hearing.private:
        return False
    given = "baud" in parse_url(arguments.source).options
    asked = asked and (given or not arguments.source.startswith("serial:"))
    if not hearing.heard:
        _tell(sentence("silent", seconds=arguments.listen))
        if asked:
            _tell(sentence("ask-on"))
        return asked
    if not hearing.frames and not (await listening.drafts()).drafts:
        line = said_line(listening.line)
        _tell(sentence("wrong-speed" if given else "no-speed", bytes=hearing.heard, line=line, tried=line))
        for chunk in list(hearing.unknown)[:8]:
            _tell(f"  {chunk.count} × {chunk.raw[:32].hex(' ').upper()}")
        if asked:
            _tell(sentence("ask-on"))
        return asked
    counts = ", ".join(f"{name} {count}" for name, count in hearing.frames.most_common())
    _tell(sentence("heard", frames=hearing.frames.total(), protocols=counts or "?"))
    return True


async def _asked(listening: Listening, windows: list[str], arguments: argparse.Namespace) -> Answers:
    lines: asyncio.Queue[str | None] = asyncio.Queue(LINES_LIMIT)
    _read_terminal(lines)
    if not windows and sys.stdin.isatty():
        while True:
            _tell(sentence("which"))
            try:
                windows = parse_windows(await lines.get() or "")
            except ValueError as error:
                _tell(str(error))
            else:
                break
    answers = Answers(windows)
    if not windows:
        return answers
    dialogue = Dialogue(listening, answers, lines.get, _tell, arguments.wait)
    try:
        await dialogue.windows()
        _record(listening, answers)  # a person walked from window to window for them
        await _decide(dialogue, listening)
        if not dialogue.ended:
            copied = listening.hearing.copied()
            strips = await asyncio.to_thread(lambda: _nowhere(copied(), answers, listening.line))
            await dialogue.places(strips)
    finally:
        dialogue.close()
    return answers


def _nowhere(hearing: Hearing, answers: Answers, line: Serial) -> dict[int, str]:
    settled = settle(hearing, answers, line)
    return unplaced_strips(settled.hearing, settled.answers)


async def _decide(dialogue: Dialogue, listening: Listening) -> None:
    """Ask for the presses that would decide what is still open, once each."""
    answers = dialogue.answers
    for _ in range(DECIDE_LIMIT):
        lacks = (await asyncio.to_thread(learn_pads, answers, listening.line)).lacks
        open_ = [(Step(lack.window, lack.what), said) for lack, said in lacks if lack.window and lack.what]
        step, said = next((one for one in open_ if one[0] not in answers.given), (None, ""))
        if step is None or dialogue.ended:
            return
        _tell(sentence("unasked", why=said))
        answers.wanted.append(step)
        await dialogue.windows()


def _read_terminal(lines: asyncio.Queue[str | None]) -> None:
    """Lines of standard input, then None; when nobody takes them the newest are lost."""
    loop = asyncio.get_running_loop()

    def put(text: str | None) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            lines.put_nowait(text)

    def read() -> None:
        # A thread of its own that nobody waits for: a read from a terminal cannot be cancelled.
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for text in sys.stdin:
                loop.call_soon_threadsafe(put, text)
            loop.call_soon_threadsafe(put, None)

    threading.Thread(target=read, daemon=True).start()


def _report(proposal: Proposal, arguments: argparse.Namespace) -> int:
    """The map and its profiles to files or standard output; 1 when there is not one device."""
    if arguments.write is not None:
        files = _write(proposal, arguments.write)
        _tell(sentence("wrote", files=", ".join(files)))
    if arguments.json:
        sys.stdout.write(json.dumps(proposal.values(), ensure_ascii=False) + "\n")
    elif arguments.write is None:
        sys.stdout.write(proposal.toml())
        for name, text in proposal.profiles.items():
            sys.stdout.write(f"\n# profiles/{name}.toml\n" + "".join(f"# {row}\n" for row in text.splitlines()))
    if not proposal.devices:
        _tell(sentence("nothing"))
    return DONE if proposal.devices else NO


def _write(proposal: Proposal, path: Path) -> list[str]:
    texts = {path: proposal.toml()}
    texts |= {path.parent / "profiles" / f"{name}.toml": text for name, text in proposal.profiles.items()}
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{file}: {error.strerror}") from error
    return [str(file) for file in texts]
