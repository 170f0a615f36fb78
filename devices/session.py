"""One device tried by hand: its line opened, every frame told with its meaning, a test pattern sent, all of it recorded."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from devices.bus import Bus
from devices.decode import Decoder, Piece, Side, decode
from devices.devicemap import complete_url, line_settings
from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.printer import LayOut, TicketPrinter, printer_maker
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
from queue_server.wire.common import DeviceState, PrinterState

RECORDED: Final = 1
"""The version of a recording's first line."""

PRINT_MS: Final = 10_000
"""A paper that the printer has not begun by then is not printed (law 7)."""
PRINTED_YET: Final = b"\x1dr\x01"
"""After frames of one's own: its answer proves that the printer came so far."""
NO_STATUS: Final = "no status"
"""Why the outcome is not known of a printer whose settings say that it never answers."""

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


@dataclass(frozen=True, slots=True)
class Papers:
    """What printers are tried with: how papers are laid out for an entry, and the test page (JSON) for one."""

    layout_of: Callable[[DeviceEntry], LayOut]
    test_page: Callable[[DeviceEntry], bytes]


def check_recording(path: Path) -> list[str]:
    """Whether its bytes still mean what they meant; what differs first, by side and line, empty when nothing does."""
    head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    profile = PROFILES.get(str(head.get("profile")))
    if head.get("recorded") != RECORDED or profile is None:
        return [f"{path.name}: not a recording of a profile that is known: {head}"]
    differ = []
    sides: tuple[Side, ...] = ("device", "host")
    for side in sides:
        # A side's bytes together, as they came: a run of text ends only where something follows it.
        then = list(_joined(lines, side))
        now = [piece.values for piece in decode(profile, b"".join(_raw(said) for _, said in then), side)]
        for index in range(max(len(then), len(now))):
            number, said = then[index] if index < len(then) else (len(lines) + 1, {})
            is_now = now[index] if index < len(now) else {}
            cut_off = index == len(then) - 1 and is_now.get("garbage") == said.get("hex")  # the disk was full there
            if is_now != said and not cut_off:
                differ.append(f"{path.name}:{number}: was {said}, is {is_now}")
                break
    return differ


def _raw(said: Mapping[str, Any]) -> bytes:
    return bytes.fromhex(said.get("hex", said.get("garbage", "")))


def _joined(lines: list[dict[str, Any]], side: Side) -> Iterator[tuple[int, dict[str, Any]]]:
    """A side's pieces and their lines; neighbouring garbage is one piece, however it came."""
    garbage: tuple[int, dict[str, Any]] | None = None
    for number, line in enumerate(lines, 2):
        if line["side"] != side:
            continue
        said = {name: value for name, value in line.items() if name not in ("at_ms", "side")}
        if "garbage" in said:
            if garbage is None:
                garbage = number, said
            else:
                before = garbage[1]
                together = f"{before['garbage']} {said['garbage']}", before["checksums"] + said["checksums"]
                garbage = garbage[0], dict(zip(("garbage", "checksums"), together, strict=True))
            continue
        if garbage is not None:
            yield garbage
            garbage = None
        yield number, said
    if garbage is not None:
        yield garbage


class _Witness:
    """Both sides of a tapped line, told and recorded frame by frame as the bytes pass."""

    def __init__(self, trial: Trial, say: Say, recording: Recording | None) -> None:
        self._heard: dict[str, Decoder] = {"rx": Decoder(trial.profile, "device"), "tx": Decoder(trial.profile, "host")}
        self._say, self._recording = say, recording
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def tap(self, direction: str, data: bytes) -> None:
        """What comes may come in pieces, and half a frame is told when the session ends."""
        self._tell(direction, self._heard[direction].feed(data))

    def _tell(self, direction: str, pieces: list[Piece]) -> None:
        side: Side = "device" if direction == "rx" else "host"
        for piece in pieces:
            at_ms = int((self._loop.time() - self._began) * 1000)
            self._say({"event": "frame", "at_ms": at_ms, "side": side, "line": piece.line, **piece.values})
            if self._recording is not None:
                self._recording.piece(at_ms, side, piece)

    def end(self, state: DeviceState, error: str, counters: Mapping[str, int]) -> None:
        """The line is closed: what was held back, the recording's end, and how the device was."""
        for direction, decoder in self._heard.items():
            self._tell(direction, decoder.flush())
        if self._recording is not None:
            self._recording.close()  # what it says belongs to the session
        self._say({"event": "ended", "state": str(state), "error": error, "counters": dict(counters)})


async def try_device(
    trial: Trial,
    say: Say,
    *,
    recording: Recording | None = None,
    sends: Sequence[Mapping[str, object]] = (),
    papers: Callable[[], Papers] | None = None,
) -> bool:
    """Talk for `trial.seconds`; whether the device was heard, or all was sent to one that never says anything.

    A printer must have printed its test page, which takes `papers`.
    """
    witness = _Witness(trial, say, recording)
    if trial.entry.kind == "printer":
        if papers is None:
            raise ValueError("a printer is tried with a test page: yichuang devices try")
        return await _try_printer(trial, say, witness, papers(), sends)
    entry = trial.entry
    line = transport(complete_url(trial.url, trial.profile.serial))
    bus = Bus(TappedTransport(line, witness.tap), line_settings((entry,), trial.profile.serial))
    own = {name: value for name, value in trial.settings.items() if not name.startswith("line.")}
    driver = trial.profile.make(entry, own, _calls(say))
    bus.attach(driver)
    task = asyncio.create_task(bus.run())
    try:
        await _talk(trial, bus, driver, say, sends)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        witness.end(driver.health.state, driver.health.last_error, bus.counters)
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


async def _try_printer(
    trial: Trial, say: Say, witness: _Witness, papers: Papers, sends: Sequence[Mapping[str, object]]
) -> bool:
    """The agent's own driver over a tapped line: the test page, frames of one's own, then its state until the end."""
    own = {str(n).encode(): raw for n, raw in enumerate(_own_frames(trial.profile, sends, say))}
    told: tuple[object, ...] = ()

    def changed(printer: TicketPrinter) -> None:
        nonlocal told
        now = state, paper = printer.health.state, printer.printer_state
        if now != told:
            told = now
            error = printer.health.last_error if state is DeviceState.OFFLINE else ""
            say({"event": "state", "state": str(state), "printer": str(paper), "error": error})

    def layout_of(entry: DeviceEntry) -> LayOut:
        lay_out = papers.layout_of(entry)
        return lambda paper: own.get(paper) or lay_out(paper)

    make = printer_maker(layout_of, lambda url: TappedTransport(transport(url), witness.tap))
    printer = make(trial.entry, changed)
    task = asyncio.create_task(printer.run())
    try:
        return await _print(trial, printer, (papers.test_page(trial.entry), *own), say)
    finally:
        ends = printer.health.state, printer.health.last_error  # not as it is once its line is closed
        told = (DeviceState.OFFLINE, PrinterState.OFFLINE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        witness.end(*ends, printer.health.counters)


async def _print(trial: Trial, printer: TicketPrinter, papers: Sequence[bytes], say: Say) -> bool:
    """Whether all came out, or were sent to a printer that never says so. A paper has its own time, however short the
    session is; the printer's state is told until the session's end."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + trial.seconds
    while not printer.line_is_up:
        if printer.health.state is DeviceState.OFFLINE:
            say({"event": "unavailable", "url": trial.url, "reason": printer.health.last_error})
            return False
        await asyncio.sleep(0.02)
    say({"event": "open", "url": trial.url})
    good = True
    for paper in papers:
        outcome, reason = await printer.print(paper, PRINT_MS)
        say({"event": "paper", "outcome": outcome, "reason": reason})
        good = good and (outcome == "printed" or reason == NO_STATUS)
    await asyncio.sleep(ends - loop.time())
    return good


def _own_frames(profile: Profile, sends: Sequence[Mapping[str, object]], say: Say) -> Iterator[bytes]:
    for values in sends:
        try:
            yield profile.codec.encode(profile.wording.frame(values)) + PRINTED_YET
        except ValueError as error:
            say({"event": "wrong", "reason": str(error)})


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
        raise ValueError("a printer has a line of its own")

    return Calls(pressed, rated, changed, no_printer)
