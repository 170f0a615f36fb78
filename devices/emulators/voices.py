"""The voice modules that an emulated line may hold; what they were made to say is kept, with its times."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from devices.emulators.nodes import Node
from devices.framing import dfplayer as df
from devices.framing import jq8900 as jq
from devices.framing import tts
from devices.framing.codec import Codec
from devices.framing.dfplayer import DFPLAYER, DfFrame
from devices.framing.jq8900 import JQ8900, JqFrame
from devices.framing.tts import SYN6288, SYN6288_CODEC, XFS5152, XFS5152_CODEC, TtsFrame, TtsReply

FrameT = TypeVar("FrameT")

_TAG: Final = re.compile(r"\[[a-z](\d*)\]")
_CODECS: Final = {0: "gb2312", 1: "gbk", 2: "big5", 3: ""}
"""Of the encodings; Unicode's byte order is the module's."""


@dataclass(slots=True)
class Said:
    """A text (or the numbers of files), when it began and ended in seconds of the loop, and whether it was cut off."""

    text: str
    began_s: float
    ended_s: float | None = None
    cut: bool = False


class EmulatedVoice(Node[FrameT]):
    """A module that sounds. `unit_ms`: how long a syllable or a file lasts.

    Faults, changed while it runs; counts run down: `lose_ends` reports of an end that are not sent, `late_ms` before each
    answer, `deaf` frames it does not hear, `garbled` frames it hears wrongly, `twice` tells every end twice, as clones do.
    """

    device = "speaker"
    fault_names = ("lose_ends", "late_ms", "deaf", "garbled", "twice")
    boot_ms = 50

    def __init__(self, address: int = 0, unit_ms: int = 250) -> None:
        super().__init__(address)
        self.unit_ms = unit_ms
        self.said: deque[Said] = deque(maxlen=1000)
        self.volume = 0
        self.lose_ends = self.late_ms = self.deaf = self.garbled = 0
        self.twice = False
        self._sounding: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def speaking(self) -> bool:
        """Whether something sounds."""
        return bool(self.said) and self.said[-1].ended_s is None

    @property
    def heard(self) -> list[str]:
        """What was said to its end."""
        return [said.text for said in self.said if said.ended_s is not None and not said.cut]

    @property
    def cut(self) -> list[str]:
        """What was cut off by a new text, a stop or a power cut."""
        return [said.text for said in self.said if said.cut]

    async def restart(self) -> None:
        """Lose power for a moment: what sounds ends, and the module says that it is there again."""
        self._silence()
        await asyncio.sleep(self.boot_ms / 1000)
        await self._say_ready()
        await self.host.notify()

    async def receive(self, frame: FrameT) -> None:
        if self.deaf:
            self.deaf -= 1
            return
        if self.garbled:
            self.garbled -= 1
            await self._refuse()
            return
        await self.obey(frame)
        await self.host.notify()

    async def obey(self, frame: FrameT) -> None:
        """Do what a frame says."""
        raise NotImplementedError

    async def _say_ready(self) -> None:
        """What it says after power-up."""

    async def _refuse(self) -> None:
        """What it says to a frame with a bad sum."""

    async def _say_end(self, said: Said) -> None:
        """What it says when something has been said."""

    async def answer(self, frame: FrameT) -> None:
        """Answer, late if it is told to."""
        if self.late_ms:
            self._later(self._answer_late(frame))
        else:
            await self.transmit(frame)

    async def _answer_late(self, frame: FrameT) -> None:
        await asyncio.sleep(self.late_ms / 1000)
        await self.transmit(frame)

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def sound(self, text: str, units: int) -> None:
        """Begin to say this; what sounds is cut off."""
        self._silence()
        said = Said(text, asyncio.get_running_loop().time())
        self.said.append(said)
        self._sounding = self._later(self._sound(said, units * self.unit_ms))

    async def _sound(self, said: Said, length_ms: int) -> None:
        await asyncio.sleep(length_ms / 1000)
        said.ended_s = asyncio.get_running_loop().time()
        self._sounding = None
        if self.lose_ends:
            self.lose_ends -= 1
        else:
            for _ in range(1 + self.twice):
                await self._say_end(said)
        await self.host.notify()

    def _silence(self) -> None:
        if self._sounding is not None:
            self._sounding.cancel()
            self._sounding = None
            self.said[-1].cut = True
            self.said[-1].ended_s = asyncio.get_running_loop().time()

    def state(self) -> dict[str, object]:
        return {
            "speaking": self.said[-1].text if self.speaking else "",
            "said": self.said[-1].text if self.said else "",
            "count": len(self.said),
            "volume": self.volume,
        }


class EmulatedTts(EmulatedVoice[TtsFrame | TtsReply]):
    """SYN6288 or XFS5152CE (HARDWARE 3.1, 3.2). `hurried` counts frames that came less than 8 ms after another."""

    device = "tts"
    least_gap_s = 0.008
    baud = 9600

    def __init__(self, address: int = 0, unit_ms: int = 250, codec: Codec[TtsFrame | TtsReply] = SYN6288_CODEC) -> None:
        super().__init__(address, unit_ms)
        self.codec = codec
        self.hurried = 0
        self._free_s = 0.0

    async def receive(self, frame: TtsFrame | TtsReply) -> None:
        now_s = asyncio.get_running_loop().time()
        # Where bytes come at once, the time that a real line would take is counted.
        lasts_s = len(self.codec.encode(frame)) * 10 / self.baud
        began_s = now_s - lasts_s * bool(self.host.baud)
        hurried = began_s < self._free_s
        self._free_s = began_s + lasts_s + self.least_gap_s
        if hurried:
            self.hurried += 1
            await self._refuse()
        else:
            await super().receive(frame)

    async def obey(self, frame: TtsFrame | TtsReply) -> None:
        match frame:
            case TtsFrame(command=tts.STATUS):
                await self.answer(TtsReply(tts.BUSY if self.speaking else tts.IDLE))
            case TtsFrame(command=tts.SPEAK, data=data) if data and (text := self._read(data)) is not None:
                await self.answer(TtsReply(tts.TAKEN))
                plain = _TAG.sub("", text)
                volume = [int(tag[2:-1]) for tag in re.findall(r"\[v\d+\]", text)]
                self.volume = volume[-1] if volume else self.volume
                self.sound(plain, sum(map(str.isalnum, plain)))
            case TtsFrame(command=tts.STOP):
                self._silence()
                await self.answer(TtsReply(tts.TAKEN))
            case TtsFrame(command=tts.SPEAK):
                await self._refuse()
            case _:
                await self.answer(TtsReply(tts.TAKEN))

    def _read(self, data: bytes) -> str | None:
        """The text, or None when it is too long, or in no encoding of the module's table."""
        syn = self.codec == SYN6288_CODEC
        # Four bits of a SYN6288's parameter are its background music.
        code = data[0] & 0x87 if syn else data[0]
        if code not in _CODECS or len(data) > 1 + (SYN6288 if syn else XFS5152).longest_text:
            return None
        codec = _CODECS[code] or ("utf-16-be" if syn else "utf-16-le")
        try:
            return data[1:].decode(codec)
        except UnicodeDecodeError:
            return None

    async def _say_ready(self) -> None:
        await self.transmit(TtsReply(tts.READY))

    async def _refuse(self) -> None:
        await self.answer(TtsReply(tts.REFUSED))

    async def _say_end(self, said: Said) -> None:
        await self.answer(TtsReply(tts.IDLE))


def emulated_xfs5152(address: int = 0) -> EmulatedTts:
    """An XFS5152CE."""
    return EmulatedTts(address, codec=XFS5152_CODEC)


class EmulatedDfPlayer(EmulatedVoice[DfFrame]):
    """A DFPlayer with files 0001 to `files` on its card (HARDWARE 3.3). Without a `card` nothing plays."""

    codec = DFPLAYER
    device = "dfplayer"

    def __init__(self, address: int = 0, unit_ms: int = 600, files: int = 99) -> None:
        super().__init__(address, unit_ms)
        self.files = files
        self.card = True

    async def obey(self, frame: DfFrame) -> None:
        match frame.command:
            case df.STATUS:
                await self.answer(DfFrame(df.STATUS, 0x0200 + self.speaking))
                return
            case df.PLAY_MP3 if not (self.card and 1 <= frame.value <= self.files):
                await self.answer(DfFrame(df.ERROR, 6 if self.card else 8))
                return
            case df.PLAY_MP3:
                self.sound(f"{frame.value:04}", 1)
            case df.VOLUME:
                self.volume = frame.value
            case df.STOP:
                self._silence()
            case _:
                pass
        if frame.feedback:
            await self.answer(DfFrame(df.TAKEN))

    async def pull_card(self) -> None:
        """Take the card out."""
        self.card = False
        self._silence()
        await self.transmit(DfFrame(df.MEDIA_OUT, 2))

    async def _say_ready(self) -> None:
        await self.transmit(DfFrame(df.ONLINE, 2))

    async def _refuse(self) -> None:
        await self.answer(DfFrame(df.ERROR, 4))

    async def _say_end(self, said: Said) -> None:
        # The number is the file's place on the card, not its name.
        await self.answer(DfFrame(df.ENDED, 1 + int(said.text) * 7 % self.files))


class EmulatedJq8900(EmulatedVoice[JqFrame]):
    """A JQ8900 (HARDWARE 3.4): it answers questions, nothing else."""

    codec = JQ8900
    device = "jq8900"

    def __init__(self, address: int = 0, unit_ms: int = 600) -> None:
        super().__init__(address, unit_ms)

    async def obey(self, frame: JqFrame) -> None:
        match frame.command:
            case jq.STATUS if not frame.data:
                await self.answer(JqFrame(jq.STATUS, bytes((self.speaking,))))
            case jq.COMBINED if len(frame.data) % 2 == 0 and frame.data.isdigit():
                files = [frame.data[at : at + 2].decode() for at in range(0, len(frame.data), 2)]
                self.sound(" ".join(files), len(files))
            case jq.STOP | jq.END_COMBINED:
                self._silence()
            case jq.VOLUME if len(frame.data) == 1:
                self.volume = frame.data[0]
            case _:
                pass
