"""A line listened to for as long as one likes: bytes to what was heard, the speeds tried, the line lost and found, a recording."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from devices.learning.drafts import Drafts
from devices.learning.hearing import Hearing
from devices.learning.presses import Press
from devices.learning.proposal import drafts_of, said_line
from devices.learning.shapes import Burst
from devices.learning.tap import SpeedTap, Tap
from devices.learning.words import sentence
from devices.linefile import LineFile
from devices.profiles.profile import Serial
from devices.transport import Unavailable

LINES: Final = (
    *(Serial(baud) for baud in (9600, 115_200, 57_600, 19_200, 38_400, 4800, 2400, 1200)),
    Serial(9600, 8, "E"),
    Serial(4800, 7, "E", "2"),
)
"""The published settings: FF68, A0 90 and most others; SAM_V; BX in one program; SYN6288's and the LED-485's choices; AlphaSign's 7E2."""
TICK_S: Final = 0.1
REOPEN_S: Final = 1.0
PRESSES_LIMIT: Final = 256
RECORD_LIMIT_BYTES: Final = 64 * 1024 * 1024
RECORD_FORMAT: Final = 1

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to listen to one setting: until `bytes` have come or `try_s` passed; unknown protocols need `bursts`."""

    bytes: int = 400
    try_s: float = 6.0
    bursts: int = 40
    unknown_s: float = 20.0
    good_frames: int = 3
    good_share: float = 0.3


class Capture:
    """A recording of a line as JSON lines; at its end the answers, so that it can be learnt from again."""

    def __init__(self, path: Path, url: str, tell: Tell) -> None:
        self._path, self._tell = path, tell
        # What was heard is worth more than its recording.
        self._lines = LineFile(path, lambda reason: tell(sentence("record-failed", reason=reason)))
        self._left = RECORD_LIMIT_BYTES
        self.write({"heard": RECORD_FORMAT, "url": url})

    def write(self, values: Mapping[str, Any]) -> None:
        """One line, unless the limit is reached; the answers always fit."""
        if self._lines.ended:
            return
        text = json.dumps(values, ensure_ascii=False) + "\n"
        if self._left < len(text) and "hex" in values:
            if self._left:
                self._tell(sentence("record-full"))
            self._left = 0
            return
        self._left = max(0, self._left - len(text))
        self._lines.write(text)

    def data(self, at_ms: int, data: bytes) -> None:
        """Bytes, when they came."""
        self.write({"at_ms": at_ms, "hex": data.hex(" ").upper()})

    def forget(self) -> None:
        """Keep nothing, also of what was kept: it is personal."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more comes."""
        self._lines.close()


@dataclass(slots=True)
class Listening:
    """`run` reads until cancelled; `hearing` may be begun anew, as the speeds are tried."""

    tap: Tap
    tell: Tell
    recorder: Capture | None = None
    hearing: Hearing = field(default_factory=Hearing)
    line: Serial = field(default_factory=Serial)
    asking: bool = False
    """Whether presses are awaited; else they are counted and not kept."""
    presses: asyncio.Queue[Press | Burst] = field(default_factory=lambda: asyncio.Queue(PRESSES_LIMIT))

    async def run(self) -> None:
        """Keep reading; a line that is gone is opened again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            lost = False
            while True:
                try:
                    if lost:
                        await self.tap.open()
                        self.set_line(self.line)
                        self.tell(sentence("back"))
                        lost = False
                    await self._read()
                except Unavailable as error:
                    if not lost:
                        self.tell(sentence("lost", reason=error))
                    lost = True
                    await asyncio.sleep(REOPEN_S)

    async def _read(self) -> None:
        while True:
            data = await self.tap.read()
            now_ms = _now_ms()  # one time for both: a recording is learnt from as the line was
            self._deliver(self.hearing.feed(data, now_ms))
            if self.recorder is not None:
                self.recorder.data(now_ms, data)
                self.keep_nothing_personal()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._deliver(self.hearing.tick(_now_ms()))
            self.keep_nothing_personal()

    def keep_nothing_personal(self) -> None:
        """Throw the recording away when a frame with personal data was in it (law 10)."""
        if self.recorder is not None and self.hearing.private:
            self.recorder.forget()

    def end(self) -> Hearing:
        """Close the recording; what comes from now on is neither in it nor in the hearing that is given back."""
        self.keep_nothing_personal()
        if self.recorder is not None:
            self.recorder.close()
        heard, self.hearing, self.recorder = self.hearing, Hearing(baud=self.line.baud), None
        return heard

    def _deliver(self, presses: list[Press]) -> None:
        fresh = self.hearing.unknown.fresh
        heard: list[Press | Burst] = [*presses, *fresh] if self.asking else []
        for one in heard:
            if not self.presses.full():
                self.presses.put_nowait(one)
        fresh.clear()

    async def drafts(self) -> Drafts:
        """What the unknown bytes tell, worked out by a thread: what comes meanwhile is heard, some milliseconds late."""
        copied, line = self.hearing.copied(), self.line
        return await asyncio.to_thread(lambda: drafts_of(copied(), line))

    def begin(self, line: Serial) -> None:
        """Forget what was heard and listen at this setting."""
        self.set_line(line)
        self.hearing = Hearing(baud=line.baud)

    def set_line(self, line: Serial) -> None:
        """How the port is set from now on; other lines than serial ones are as they are."""
        self.line = line
        if isinstance(self.tap, SpeedTap):
            self.tap.set_line(line)


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


async def find_line(listening: Listening, patience: Patience, silent_s: float) -> tuple[bool, str]:
    """Try the published settings while traffic flows; whether one fits, and the sentence to say."""
    tried: list[str] = []
    if not await _traffic(listening, silent_s):
        return False, sentence("silent", seconds=silent_s)
    total = 0
    for unknown in (False, True):
        for line in LINES:
            try:
                listening.begin(line)
            except Unavailable:
                continue  # this port cannot do it
            if not unknown:
                tried.append(said_line(line))
                listening.tell(sentence("trying", line=said_line(line)))
            if await _fits(listening, patience, unknown):
                return True, sentence("speed", line=said_line(line), frames=await _frames(listening))
            total += listening.hearing.heard
    return False, sentence("no-speed", bytes=total, tried=", ".join(tried))


async def _frames(listening: Listening) -> int:
    known = sum(listening.hearing.frames.values())
    return known or sum(one.frames for one in (await listening.drafts()).drafts)


async def _traffic(listening: Listening, silent_s: float) -> bool:
    """Whether any byte comes; at a wrong speed bytes come too."""
    for _ in range(int(silent_s / TICK_S)):
        if listening.hearing.heard:
            return True
        await asyncio.sleep(TICK_S)
    return bool(listening.hearing.heard)


async def _fits(listening: Listening, patience: Patience, unknown: bool) -> bool:
    """Whether enough of what comes at this setting is frames with valid sums, or has a shape with one."""
    for _ in range(int((patience.unknown_s if unknown else patience.try_s) / TICK_S)):
        await asyncio.sleep(TICK_S)
        hearing = listening.hearing
        share = hearing.known_bytes / max(1, hearing.heard)
        if sum(hearing.frames.values()) >= patience.good_frames and share >= patience.good_share:
            return True
        if len(hearing.unknown) >= patience.bursts if unknown else hearing.heard >= patience.bytes:
            break
    return unknown and any(one.profile.file.sum for one in (await listening.drafts()).drafts)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file of an earlier session: bytes with their times, where they were heard, and the answers that were given."""

    url: str
    pieces: list[tuple[int, bytes]]
    answers: dict[str, Any]


def read_capture(path: Path) -> Recorded:
    """A recording of `learn --record` or `try --record`; ValueError when it is neither."""
    url, pieces = "", []
    answers: dict[str, Any] = {}
    for number, said in enumerate(_lines(path)):
        if not number and not {"heard", "recorded"} & said.keys():
            raise ValueError(f"{path.name}: not a recording of `devices learn` or `devices try`")
        url = str(said.get("url", url))
        answers = said.get("answers", answers)
        if "at_ms" in said:
            pieces.append((int(said["at_ms"]), bytes.fromhex(said.get("hex", said.get("garbage", "")))))
    return Recorded(url, pieces, answers)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for text in file:
                said = json.loads(text)
                if not isinstance(said, dict):
                    raise ValueError("a line is no object")
                yield said
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error
