"""The questions on the terminal: which key to press where, what came of it, and the ways back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from devices.framing.ff68 import FF68
from devices.learning.answers import KEYS, PLACE, Answers, Step
from devices.learning.listening import Listening, Tell
from devices.learning.polls import Polls
from devices.learning.presses import Press, Unread
from devices.learning.shapes import Burst
from devices.learning.strange import Sign, Strange
from devices.learning.words import key_name, level_name, sentence

SETTLE_S: Final = 1.0
"""After the first press of a device: another one pressed meanwhile makes it uncertain whose it was."""
POLL_S: Final = 2.2
"""Where only its coming twice tells a press: what comes a third time by itself was none."""
ANSWER_S: Final = 1.2
"""After a press of an unknown device: what the old system answers to it, and more keys of the same person."""
MORE_S: Final = 8.0
"""The longest that more keys of the same person are awaited: on a line that talks all the time something always comes."""
STRIP_TEXT: Final = "show "
"""What a profile's wording puts before a strip's text."""


class Typed(Enum):
    """What the person at the terminal typed instead of a press on the line."""

    SKIP = auto()
    UNDO = auto()
    QUIT = auto()
    HELP = auto()
    ENDED = auto()
    """There is nobody at the terminal any more."""


ReadLine = Callable[[], Awaitable[str | None]]
"""The next line from the terminal, None at its end."""


@dataclass(slots=True)
class Dialogue:
    """Asks until every question has an answer or a skip; `wait_s` is how long a press is waited for before it is said again."""

    listening: Listening
    answers: Answers
    read: ReadLine
    tell: Tell
    wait_s: float = 60.0
    settle_s: float = SETTLE_S
    ended: bool = False
    polls: Polls = field(default_factory=Polls)
    _line: asyncio.Task[str | None] | None = None

    async def windows(self) -> None:
        """Every window's keypad and rating device, and what else is wanted."""
        self.tell(sentence("help"))
        self.listening.asking = True
        try:
            await self._ask_all({})
        finally:
            self.listening.asking = False

    async def places(self, strips: dict[int, str]) -> None:
        """The strips that nothing has placed, with what they show."""
        if strips and not self.ended:
            await self._ask_all(strips)

    def close(self) -> None:
        """The terminal is not read any more."""
        if self._line is not None:
            self._line.cancel()

    async def _ask_all(self, strips: dict[int, str]) -> None:
        while (step := self.answers.next_step(list(strips))) is not None and not self.ended:
            self._drain()
            self.polls.look(self.listening.hearing.unknown)
            self.tell(_question(step, strips))
            match await self._ask(step):
                case Typed.UNDO:
                    self.tell(sentence("undone" if self.answers.undo() else "nothing-to-undo"))
                case Typed.QUIT:
                    self.ended = True
                case Typed.HELP:
                    self.tell(sentence("help"))
                case Typed.SKIP | Typed.ENDED:
                    self.tell(sentence("skipped"))
                    self.answers.given[step] = None
                case answer:
                    self.answers.given[step] = answer

    def _drain(self) -> None:
        """What was pressed before the question is no answer to it."""
        while not self.listening.presses.empty():
            self.listening.presses.get_nowait()

    async def _ask(self, step: Step) -> Press | Unread | str | Typed:
        if step.what == PLACE:
            return await self._place()
        said: set[tuple[str, int]] = set()
        strange = Strange(self.answers, step, self.polls)
        loop = asyncio.get_running_loop()
        until = loop.time() + self.wait_s
        while True:
            came = await self._event(max(0.0, until - loop.time()))
            if not isinstance(came, Burst):  # unknown bytes come all the time
                until = loop.time() + self.wait_s
            match came:
                case None:
                    self.tell(sentence("timeout", seconds=self.wait_s))
                    if self._at_end:
                        return Typed.ENDED
                case str():
                    if (typed := _typed(came)) is not None:
                        return typed
                    self.tell(sentence("help"))
                case Press() if why := self.answers.judge(step, came):
                    if (why, came.address) not in said:  # other clerks go on working: each is said once
                        said.add((why, came.address))
                        self._refuse(step, came, why)
                case Burst():
                    if (found := await self._strange(strange, came, said)) is not None:
                        return found
                    strange = strange if not strange.pressed else Strange(self.answers, step, self.polls)
                case Press():
                    others = await self._others(step, came) if step.first else set()
                    if not others:
                        self.tell(sentence("got", address=_hex(came.address), key=_pressed(came)))
                        return came
                    named = ", ".join(map(_hex, sorted({came.address, *others})))
                    self.tell(sentence("two", addresses=named, window=step.window))

    async def _strange(self, strange: Strange, burst: Burst, said: set[tuple[str, int]]) -> Unread | Typed | None:
        """Unknown bytes: the answer, when they are surely the press; what is unclear is said once."""
        step = strange.step
        if any(isinstance(one, Press) and one.rating == bool(step.level) for one in self.answers.given.values()):
            return None  # devices of this kind are known here
        sign = strange.hear(burst)
        if sign is Sign.UNSURE and (sign.name, 0) not in said:
            sign = await self._soon(strange)
        if sign is not Sign.PRESS:
            if sign is not Sign.NOTHING and (sign.name, 0) not in said:
                said.add((sign.name, 0))
                self.tell(sentence(f"strange-{sign.name.lower()}", bytes=burst.raw.hex(" ").upper()))
            return None
        loop = asyncio.get_running_loop()
        until = loop.time() + (ANSWER_S if strange.sure else POLL_S)
        limit, more = loop.time() + MORE_S, False
        while (left := min(until, limit) - loop.time()) > 0:
            match came := await self._event(left):
                case None:
                    continue
                case str():
                    if (typed := _typed(came)) is not None:
                        return typed
                    self.tell(sentence("help"))
                case Burst():
                    strange.hear(came)
                    before, more = more, more or strange.more
                    if more and (not before or len(came.raw) == len(strange.pressed)):
                        until = loop.time() + ANSWER_S
                case Press() if not self.answers.judge(step, came):
                    self._put_back(came)  # a press that is understood is the better answer
                    return None
        if strange.polled:
            return None
        if strange.more:
            key = not strange.step.first and not strange.step.level
            self.tell(sentence("strange-digits" if key else "strange-two", window=strange.step.window))
            return Typed.SKIP if key else None
        self.tell(sentence("strange-got", bytes=strange.pressed.hex(" ").upper()))
        return strange.answer

    async def _soon(self, strange: Strange) -> Sign:
        """What may be the press: perhaps it is echoed or repeated, or was noise and the press follows."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.settle_s
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    came = await self.listening.presses.get()
            except TimeoutError:
                break
            if isinstance(came, Press):
                self.listening.presses.put_nowait(came)
                return Sign.NOTHING
            if strange.hear(came) is Sign.PRESS:
                return Sign.PRESS
        return Sign.UNSURE

    @property
    def _at_end(self) -> bool:
        return self._line is not None and self._line.done() and self._line.result() is None

    async def _others(self, step: Step, first: Press) -> set[int]:
        """Addresses that are pressed right after a device's first press and could be the answer as well."""
        loop = asyncio.get_running_loop()
        until, found = loop.time() + self.settle_s, set()
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    press = await self.listening.presses.get()
            except TimeoutError:
                break
            if isinstance(press, Burst):
                continue
            other = (press.codec, press.address) != (first.codec, first.address)
            if other and not self.answers.judge(step, press):
                found.add(press.address)
        return found

    async def _event(self, wait_s: float) -> Press | Burst | str | None:
        """A press, unknown bytes, a line from the terminal, or None after `wait_s`."""
        if self._line is None:
            self._line = asyncio.ensure_future(self.read())
        pressed = asyncio.ensure_future(self.listening.presses.get())
        waited = {pressed} if self._at_end else {pressed, self._line}
        done, _ = await asyncio.wait(waited, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if pressed not in done:
            pressed.cancel()
            await asyncio.wait({pressed})
        press = None if pressed.cancelled() else pressed.result()  # it may have come in the same turn
        if self._line in done and self._line.result() is not None:
            text = self._line.result()
            self._line = None
            if press is not None:
                self._put_back(press)
            return text
        if press is not None:
            return press
        return await self._event(wait_s) if self._line in done else None  # the terminal has just ended

    def _put_back(self, press: Press | Burst) -> None:
        if not self.listening.presses.full():
            self.listening.presses.put_nowait(press)

    async def _place(self) -> str | Typed:
        while True:
            if self._line is None:
                self._line = asyncio.ensure_future(self.read())
            text = await self._line
            if text is None:
                return Typed.ENDED
            self._line = None
            typed = _typed(text)
            if typed is not None:
                return typed
            if text.strip() in self.answers.windows:
                return text.strip()
            self.tell(sentence("no-window", window=text.strip(), windows=", ".join(self.answers.windows)))

    def _refuse(self, step: Step, press: Press, why: str) -> None:
        if why == "kind":
            self.tell(sentence("kind-key" if press.rating else "kind-level", address=_hex(press.address)))
        elif why == "owned":
            self.tell(sentence("owned", address=_hex(press.address), window=self.answers.owner(press)))
        elif why == "elsewhere":
            self.tell(sentence("elsewhere", address=_hex(press.address)))
        else:
            meaning = _name(Step(step.window, self.answers.meaning(step, press)))
            self.tell(sentence("same", key=_pressed(press), meaning=meaning))


def _typed(text: str) -> Typed | None:
    commands = {"": Typed.SKIP, "u": Typed.UNDO, "q": Typed.QUIT, "?": Typed.HELP}
    return commands.get(text.strip().lower())


def _name(step: Step) -> str:
    return level_name(step.level) if step.level else key_name(step.what, KEYS[step.what].typed)


def _question(step: Step, strips: dict[int, str]) -> str:
    if step.what == PLACE:
        text = strips[step.strip].rpartition(STRIP_TEXT)[2]
        return sentence("ask-place", address=_hex(step.strip), text=text)
    if step.level:
        return sentence("ask-level", window=step.window, level=_name(step))
    return sentence("ask-key", window=step.window, key=_name(step))


def _hex(address: int) -> str:
    return f"0x{address:02X}"


def _pressed(press: Press) -> str:
    return f"{press.digits + ' ' if press.digits else ''}{press.key:02X}"


def restore(answers: Answers, said: Sequence[dict[str, object]]) -> None:
    """The answers of a recording, as `keep` wrote them; ValueError when they are none."""
    for one in said:
        step = Step(str(one.get("window", "")), str(one.get("what", "")), int(str(one.get("strip", 0))))
        match one:
            case {"place": str(window)}:
                answers.given[step] = window
            case {"raw": str(raw), "after": list(after), "at_ms": int(at_ms)}:
                bursts = tuple(bytes.fromhex(str(burst)) for burst in after)
                answers.given[step] = Unread(at_ms, bool(step.level), bytes.fromhex(raw), bursts)
            case {"address": int(address), "digits": str(digits), "key": int(key)}:
                answers.given[step] = Press(0, FF68, address, bool(step.level), digits, key)
            case _:
                answers.given[step] = None


def keep(answers: Answers) -> list[dict[str, object]]:
    """The answers as JSON; those about keypads that are not FF68 are asked again."""
    kept: list[dict[str, object]] = []
    for step, answer in answers.given.items():
        said: dict[str, object] = {"window": step.window, "what": step.what, "strip": step.strip}
        if isinstance(answer, str):
            said["place"] = answer
        elif isinstance(answer, Unread):
            said |= {"raw": answer.raw.hex(" ").upper(), "after": [raw.hex(" ").upper() for raw in answer.after]}
            said["at_ms"] = answer.at_ms
        elif answer is not None:
            if answer.codec != FF68:
                continue
            said |= {"address": answer.address, "digits": answer.digits, "key": answer.key}
        kept.append(said)
    return kept
