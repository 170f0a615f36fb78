"""One live voice module on a line of its own: phrases in, what became of them out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, assert_never

from devices.drivers.base import HealthChanged, TalkingDriver
from devices.framing.codec import AnyCodec
from devices.protocols.base import Send
from devices.protocols.speech import SpeechProtocol
from devices.protocols.voice import Dialect, Ended, Phrase, SpeechSettings, Started


class Speaker(TalkingDriver[Any]):
    """Says phrases one after the other, each to its end and at most once (UX V-05)."""

    kind = "speaker"
    gap_ms = 20
    """HARDWARE 3: more than 8 ms between frames, 10 ms for the players; twice that, for the clocks are not ours."""
    turnaround_ms = 2
    """HARDWARE 3.1: about 1 ms after an idle report."""
    babble_burst = 200
    babble_per_s = 100
    """Replies are single bytes, and noise holds many that look like one; they are cheap."""

    def __init__(
        self,
        device: str,
        codec: AnyCodec,
        dialect: Dialect[Any],
        health_changed: HealthChanged,
        settings: SpeechSettings | None = None,
    ) -> None:
        super().__init__(device, 0, health_changed)
        self.codec = codec
        self.talk: SpeechProtocol[Any] = SpeechProtocol(dialect, settings)
        self._numbers = itertools.count(1)
        self._waiting: dict[str, tuple[Callable[[], object], asyncio.Future[Ended]]] = {}

    async def say(
        self,
        tokens: Sequence[str],
        volume: int,
        expires_in_ms: int,
        *,
        follows: bool = False,
        started: Callable[[], object] = lambda: None,
    ) -> tuple[str, str]:
        """Say the tokens if they can begin in time: spoken, failed (nothing sounded) or unknown, and the reason.

        `volume` is percent; `follows` says that it repeats what sounded last; `started` is called at the first sound.
        """
        now_ms, name = self.line.now_ms(), str(next(self._numbers))
        done: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._waiting[name] = started, done
        try:
            phrase = Phrase(name, tuple(tokens), volume, now_ms + expires_in_ms, follows)
            self.carry_out(self.talk.say(phrase, now_ms))
            ended = await done
        finally:
            del self._waiting[name]
        self.health.counters[ended.outcome] += 1
        return ended.outcome, ended.reason

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self.talk.sent(send.slot, now_ms)

    def line_down(self, error: str) -> None:
        self.carry_out(self.talk.line_down())
        super().line_down(error)

    def stopped(self) -> None:
        self.carry_out(self.talk.line_down())

    def heard(self, output: Started | Ended) -> None:
        match output:
            case Started(name):
                if name in self._waiting:
                    self._waiting[name][0]()
            case Ended(name):
                if name in self._waiting and not (done := self._waiting[name][1]).done():
                    done.set_result(output)
            case _:
                assert_never(output)
