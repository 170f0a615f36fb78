"""The voice modules of the agents as players of their sound zones, asked before any page (UX V-02)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from displays.speech.queue import Announcement
from queue_server.app.hub import Hub
from queue_server.domain.configuration import Configuration, Device
from queue_server.domain.model import Hall
from queue_server.wire.agent import Speak, Spoke
from queue_server.wire.common import DeviceState

KIND = "speaker"
BEGINS_MS = 10_000
"""A module that cannot begin by then (it says something else) says nothing of it."""
SYLLABLE_MS = 500
"""Twice what a module needs: only one that has died is given up."""

Send = Callable[[Hall, str, Speak], bool]
"""To the agent of a module; False when nobody is there to take it."""


def zone_of(device: Device) -> str:
    """The sound zone that a voice module speaks for, "" for none."""
    return device.settings.get("zone", "") if device.kind == KIND else ""


def zones_with_module(configuration: Configuration) -> frozenset[str]:
    """The sound zones that may be spoken for without a voice pack."""
    return frozenset(map(zone_of, configuration.device)) - {""}


def longest_ms(announcement: Announcement) -> int:
    """What a module may need to begin and to end it."""
    return BEGINS_MS + speaking_ms(announcement)


def speaking_ms(announcement: Announcement) -> int:
    """What a module may need from the first sound to the end."""
    return SYLLABLE_MS * sum(map(len, announcement.tokens)) + 3_000


@dataclass(eq=False, slots=True)
class VoiceModule:
    """One module, as a player of `zone`; the same object for as long as it speaks for that zone."""

    hub: Hub
    send: Send
    device: str
    zone: str

    async def say(self, announcement: Announcement, volume: int) -> bool:
        """Ask for this once; False when its agent is not there."""
        message = Speak(
            epoch=self.hub.lease.epoch,
            job=announcement.id,
            device=self.device,
            tokens=list(announcement.tokens),
            follows=announcement.follows,
            volume=volume,
            expires_in_ms=BEGINS_MS,
        )
        return await self.hub.read(lambda hall: self.send(hall, self.device, message))


class Heard(Protocol):
    """What is done with the modules' signs of life and words."""

    def player(self, zone: str, page: VoiceModule, ready: bool) -> None: ...

    def began(self, page: VoiceModule, name: str) -> None: ...

    async def played(self, page: VoiceModule, name: str, outcome: str, reason: str) -> None: ...


class Speakers:
    """Which modules can speak now; `send` hands a phrase to a module's agent, `voice` is told what they say."""

    def __init__(self, hub: Hub, voice: Heard, send: Send) -> None:
        self._hub = hub
        self._voice = voice
        self._send = send
        self._modules: dict[str, VoiceModule] = {}

    def set_up(self, configuration: Configuration) -> None:
        """A module that is gone from the configuration, or has moved, no longer speaks for its zone."""
        zones = {device.id: zone_of(device) for device in configuration.device}
        for device, module in list(self._modules.items()):
            if zones.get(device) != module.zone:
                del self._modules[device]
                self._voice.player(module.zone, module, False)

    def met(self, device: Device, state: DeviceState) -> None:
        """A module's health: while it answers it can speak."""
        if not (zone := zone_of(device)):
            return
        module = self._modules.get(device.id)
        if module is None or module.zone != zone:
            module = self._modules[device.id] = VoiceModule(self._hub, self._send, device.id, zone)
        self._voice.player(zone, module, state in (DeviceState.ONLINE, DeviceState.DEGRADED))

    async def told(self, spoke: Spoke) -> None:
        """What a module's agent says of a phrase."""
        module = self._modules.get(spoke.device)
        if module is None:
            return
        if spoke.state == "started":
            self._voice.began(module, spoke.job)
        else:
            outcome = {"spoken": "done", "failed": "failed"}.get(spoke.state, "unknown")
            await self._voice.played(module, spoke.job, outcome, spoke.reason)
