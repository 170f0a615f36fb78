"""One device tried by hand: its line opened, every frame told with its meaning, a test pattern sent, all of it recorded."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from devices.bus import Bus
from devices.decode import Decoder, Piece, Side, decode
from devices.devicemap import complete_url, line_settings
from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.linefile import LineFile
from devices.patterns import TEXT, show_pattern
from devices.profiles import PROFILES
from devices.profiles.profile import Calls, Device, Printer, Profile
from devices.protocols.base import Send
from devices.protocols.keypad import KeyAction
from devices.transport import transport
from devices.transport.tap import TappedTransport
from queue_server.wire.agent import DeviceEntry

RECORDED: Final = 1
"""The version of a recording's first line."""

Say = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to try. `settings` are those of a device map; `text` is what a strip or voice is given."""

    url: str
    profile: Profile
    address: int = 1
    kind: str = ""
    text: str = TEXT
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 10.0

    @property
    def entry(self) -> DeviceEntry:
        """As a device map would have it; every key of a rating device is taken, to see which there are."""
        return DeviceEntry(
            id="try",
            kind=self.kind or ("strip" if "strip" in self.profile.kinds else sorted(self.profile.kinds)[0]),
            url=self.url,
            address=self.address,
            profile=self.profile.name,
            window="",
            levels={str(key): 5 for key in range(256)},
            settings=dict(self.settings),
        )


class Recording:
    """A session as JSON lines: what it was, then every piece of the line in its order. Never one of personal data.

    A disk that takes no more ends the recording, not the session: `say` is told so once.
    """

    def __init__(self, path: Path, trial: Trial, say: Say) -> None:
        if trial.profile.personal:
            raise ValueError(f"{trial.profile.name} carries personal data: its sessions are not recorded")
        self._lines = LineFile(path, lambda reason: say({"event": "record-failed", "reason": reason}))
        head = {"recorded": RECORDED, "profile": trial.profile.name, "kind": trial.entry.kind, "address": trial.address}
        self._write(head)

    def _write(self, values: Mapping[str, object]) -> None:
        self._lines.write(json.dumps(values, ensure_ascii=False) + "\n")

    def piece(self, at_ms: int, side: Side, piece: Piece) -> None:
        """Something on the line."""
        self._write({"at_ms": at_ms, "side": side, **piece.values})

    def close(self) -> None:
        """Nothing more comes."""
        self._lines.close()


def check_recording(path: Path) -> list[str]:
    """Whether its bytes still mean what they meant; what differs, by line, empty when nothing does."""
    head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    profile = PROFILES.get(str(head.get("profile")))
    if head.get("recorded") != RECORDED or profile is None:
        return [f"{path.name}: not a recording of a profile that is known: {head}"]
    differ = []
    for number, said in enumerate(lines, 2):
        raw = bytes.fromhex(said.get("hex", said.get("garbage", "")))
        now = [piece.values for piece in decode(profile, raw, said["side"])]
        then = {name: value for name, value in said.items() if name not in ("at_ms", "side")}
        if now != [then]:
            differ.append(f"{path.name}:{number}: was {then}, is {now}")
    return differ


async def try_device(
    trial: Trial, say: Say, *, recording: Recording | None = None, sends: Sequence[Mapping[str, object]] = ()
) -> bool:
    """Talk for `trial.seconds`; whether the device was heard, or all was sent to one that never says anything."""
    heard: dict[str, Decoder] = {"rx": Decoder(trial.profile, "device"), "tx": Decoder(trial.profile, "host")}
    loop = asyncio.get_running_loop()
    began = loop.time()

    def tell(direction: str, pieces: list[Piece]) -> None:
        side: Side = "device" if direction == "rx" else "host"
        for piece in pieces:
            at_ms = int((loop.time() - began) * 1000)
            say({"event": "frame", "at_ms": at_ms, "side": side, "line": piece.line, **piece.values})
            if recording is not None:
                recording.piece(at_ms, side, piece)

    def tap(direction: str, data: bytes) -> None:
        # What is sent is whole frames; what comes may come in pieces, and half a frame is told when the session ends.
        tell(direction, heard[direction].feed(data))

    entry = trial.entry
    line = transport(complete_url(trial.url, trial.profile.serial))
    bus = Bus(TappedTransport(line, tap), line_settings((entry,), trial.profile.serial))
    own = {name: value for name, value in trial.settings.items() if not name.startswith("line.")}
    driver = trial.profile.make(entry, own, _calls(say))
    bus.attach(driver)
    task = asyncio.create_task(bus.run())
    try:
        await _talk(trial, bus, driver, say, sends)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for direction, decoder in heard.items():
            tell(direction, decoder.flush())
        if recording is not None:
            recording.close()  # what it says belongs to the session
    state, error = str(driver.health.state), driver.health.last_error
    say({"event": "ended", "state": state, "error": error, "counters": dict(bus.counters)})
    return _was_heard(trial, bus, driver)


def _was_heard(trial: Trial, bus: Bus, driver: AnyDriver) -> bool:
    silent_by_nature = not trial.profile.codec.from_device
    return bool(bus.counters["opened"]) and (
        bool(driver.health.last_seen_ms) or (silent_by_nature and bus.counters["frames_out"] > 0)
    )


async def _talk(trial: Trial, bus: Bus, driver: AnyDriver, say: Say, sends: Sequence[Mapping[str, object]]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(trial.seconds):
            while not bus.up:
                if bus.counters["failures"]:
                    say({"event": "unavailable", "url": trial.url, "reason": driver.health.last_error})
                    return
                await asyncio.sleep(0.02)
            say({"event": "open", "url": trial.url})
            show_pattern(trial.profile, driver, trial.text)
            for values in sends:
                _send(trial.profile, driver, values, say)
            await asyncio.sleep(trial.seconds)


def _send(profile: Profile, driver: AnyDriver, values: Mapping[str, object], say: Say) -> None:
    try:
        frame = profile.wording.frame(values)
        profile.codec.encode(frame)
    except ValueError as error:
        say({"event": "wrong", "reason": str(error)})
    else:
        driver.put([Send(frame, in_turn=True)])


def _calls(say: Say) -> Calls:
    def pressed(keypad: Keypad, action: KeyAction) -> None:
        say({"event": "pressed", "action": str(action.action), "digits": action.digits})
        keypad.answer(action.token, ok=True)

    async def rated(pad: RatingPad, level: int, age_ms: int) -> None:
        say({"event": "rated"})  # which key is in the frame; which level it means is the hall's to say

    def changed(device: Device) -> None:
        say({"event": "state", "state": str(device.health.state), "error": device.health.last_error})

    def no_printer(entry: DeviceEntry, changed: object) -> Printer:
        raise ValueError("a printer is tried from the manager's page")

    return Calls(pressed, rated, changed, no_printer)
