"""The LED strip above a window and the summary board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.a090 import A090
from devices.framing.codec import AnyCodec
from devices.protocols.base import Ignored, Send
from devices.protocols.paged import Acknowledged, Page, PagedText, Silent, Steady, StripOutput
from devices.protocols.strip import StripProtocol, StripSettings
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState

OFFLINE_AFTER = 3
"""Texts in a row that a strip did not acknowledge before it counts as offline; one makes it degraded."""


class Strip(BusDriver[Any]):
    """Shows pages of coloured text; the newest text wins and is re-sent every 30 s (UX W-02).

    Speaks A0 90 unless given another `codec` and `protocol`.
    """

    kind = "strip"
    codec = A090

    def __init__(
        self,
        device: str,
        address: int,
        health_changed: HealthChanged,
        settings: StripSettings | None = None,
        *,
        codec: AnyCodec = A090,
        protocol: PagedText[Any] | None = None,
    ) -> None:
        super().__init__(device, address, health_changed)
        self.codec = codec
        self._protocol = protocol or StripProtocol(address, settings)
        self._unheard = 0

    def laid_out(self, entry: DeviceEntry) -> DeviceEntry:
        """Its entry, with the cells of a row where its panel knows them."""
        if self._protocol.cells is None:
            return entry
        return structs.replace(entry, settings={**entry.settings, "cells": str(self._protocol.cells)})

    def understand(self, frame: Any, now_ms: int) -> str:
        return self._carry_out(self._protocol.receive(frame, now_ms))

    def show(self, pages: Sequence[Page], *, flash: bool = False) -> None:
        """Show these pages in turn until told otherwise: runs of (text, red|green|yellow); the first flashes for a new call."""
        self._carry_out(self._protocol.set_pages(pages, self.line.now_ms()))
        if flash and self.line_is_up:
            self._carry_out(self._protocol.flash(self.line.now_ms()))
            self.line.reschedule()

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self._protocol.sent(now_ms, send.slot)

    def dropped(self, send: Send[Any], now_ms: int) -> None:
        if send.follows is None:
            super().dropped(send, now_ms)
        else:
            self._carry_out(self._protocol.stay_lit())

    @property
    def wake_at_ms(self) -> int | None:
        return self._protocol.wake_at_ms

    def wake(self, now_ms: int) -> None:
        self._carry_out(self._protocol.wake(now_ms))

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self._unheard = 0
        self._carry_out(self._protocol.line_up(now_ms))

    def _carry_out(self, outputs: list[StripOutput[Any]]) -> str:
        trouble = ""
        for output in outputs:
            match output:
                case Send():
                    self.put([output])
                case Acknowledged():
                    self._unheard = 0
                case Silent() if not self.line_is_up:
                    pass  # its line is gone, and it is offline for that
                case Silent():
                    self._unheard += 1
                    self.health.counters["unacknowledged"] += 1
                    offline = self._unheard >= OFFLINE_AFTER
                    self.health.become(
                        DeviceState.OFFLINE if offline else DeviceState.DEGRADED, "does not acknowledge its text"
                    )
                case Steady():
                    self.health.counters["flashes_dropped"] += 1
                case Ignored():
                    trouble = self.ignore(output)
        return trouble


class Board(Strip):
    """A summary board: the same protocol, several windows' lines as pages."""

    kind = "board"
