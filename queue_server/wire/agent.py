"""The messages of the websocket `/api/v1/agent` between the server and the agents that own devices.

An agent opens it with `Authorization: Bearer <agent token>`, sends `hello`, and is answered by `welcome`. Every message
from the server carries the writer's epoch; a message with a lower epoch than the highest seen is refused and counted.
"""

from typing import Annotated

import msgspec

from queue_server.wire.common import DeviceState, Message, PrinterState, Words

NO_NOTICE = Words(zh="", en="")
CODE_LENGTH = 512
"""Characters of a scanned code that may be a ticket's; its address is about a quarter of that."""


class DeviceEntry(Message, frozen=True, kw_only=True):
    """One device of the agent's map.

    kind: keypad, rating_pad, strip, board, speaker, printer, id_reader or scanner; of the last two the setting `kiosk` names
    the kiosk they stand at. `url` names the line (several entries
    with one url share it); `address` is the device's on the line (0 where there is none). `profile` picks a keymap,
    acknowledgement variant or printer profile. `levels` maps the device's own key codes (decimal strings) to 5…1.
    `settings` are the profile's own.
    """

    id: str
    kind: str
    url: str
    address: int
    profile: str
    window: str
    levels: dict[str, int]
    settings: dict[str, str]


class AgentHello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    agent: str
    build: str


class KeypadPressed(msgspec.Struct, frozen=True, kw_only=True, tag="keypad"):
    """A keypad command; `id` is unique for ever. Never stored: `age_ms` over 3000 is refused.

    action: next, recall, evaluate, pause, resume, transfer, hold, call_back, no_show, call, sign_in, sign_out, call_guard,
    call_manager, call_adviser.
    digits: what was typed before the key, possibly empty.
    """

    id: str
    device: str
    action: str
    digits: str
    age_ms: int


class RatingPressed(msgspec.Struct, frozen=True, kw_only=True, tag="press"):
    """A rating press from the agent's disk; repeated until `press_stored` answers. Level 5…1."""

    id: str
    device: str
    level: int
    age_ms: int


class Printed(msgspec.Struct, frozen=True, kw_only=True, tag="printed"):
    """The end of a print job: outcome is printed, failed or unknown."""

    job: str
    outcome: str
    reason: str


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True, tag="health"):
    """Sent when it changes and every 30 s; `last_seen_ms` is the age of the last sign of life, None before the first.

    `last_sent_ms` is the age of the last bytes that went out to it (UX W-08), None before the first and from agents that do not
    tell; no message is sent because of it.
    """

    device: str
    state: DeviceState
    last_seen_ms: int | None
    last_error: str
    printer: PrinterState | None
    counters: dict[str, int]
    last_sent_ms: int | None = None


class Spoke(msgspec.Struct, frozen=True, kw_only=True, tag="spoke"):
    """What became of a `Speak`. state: started, then one of spoken, failed (nothing sounded) and unknown."""

    job: str
    device: str
    state: str
    reason: str


class CardRead(msgspec.Struct, frozen=True, kw_only=True, tag="card"):
    """A card was laid on a reader; `number` is "" when it could not be read. Never stored, and too old after 3000 ms.

    Nothing else of the card is told, and neither this nor a scanned code is ever written by its `repr` (law 10).
    """

    id: str
    device: str
    number: Annotated[str, msgspec.Meta(max_length=30)]
    age_ms: int

    def __repr__(self) -> str:
        return f"CardRead(id={self.id!r}, device={self.device!r})"


class CodeRead(msgspec.Struct, frozen=True, kw_only=True, tag="code"):
    """A code was scanned; `text` is "" for one too long to be ours. Never stored, and too old after 3000 ms."""

    id: str
    device: str
    text: Annotated[str, msgspec.Meta(max_length=CODE_LENGTH)]
    age_ms: int

    def __repr__(self) -> str:
        return f"CodeRead(id={self.id!r}, device={self.device!r})"


class Tested(msgspec.Struct, frozen=True, kw_only=True, tag="tested"):
    """What came of a `TestDevice`: done, sent (it never answers), silent, unconnected, busy (a citizen came first), failed
    or unknown. `reason` is the device's own words, of a rating device the level that was pressed.
    """

    __test__ = False  # pytest: not a test

    id: str
    device: str
    outcome: str
    reason: str


FromAgent = AgentHello | KeypadPressed | RatingPressed | Printed | DeviceHealth | Spoke | CardRead | CodeRead | Tested


class AgentWelcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """The whole device map; sent again when the configuration changes."""

    epoch: int
    hall: str
    agent: str
    devices: list[DeviceEntry]


class KeypadAnswered(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """Outcome of a keypad command. `show` is what the keypad's six cells say (digits and blanks), empty for nothing.

    Not `ok` and something to show is a question: the number in hand (did they come?) or one of several that could be meant.
    """

    epoch: int
    id: str
    ok: bool
    code: str
    show: str


class PressStored(msgspec.Struct, frozen=True, kw_only=True, tag="press_stored"):
    epoch: int
    id: str


class ShowStrip(msgspec.Struct, frozen=True, kw_only=True, tag="show"):
    """What a strip or board means now; the agent renders it (UX W-03). Latest wins, re-sent every 30 s (W-02).

    state: call, serving, paused, waiting, closed, emergency. `lines` are a board's rows (number, plate). `notice` is the
    hall's announcement in both languages: alone in an emergency, in turn with the state at an early closing (UX D-08).
    `call` names the call that stands on a strip, a recall is another one, "" for none: one that is new flashes (W-07).
    """

    epoch: int
    device: str
    state: str
    number: str
    window: str
    text: str
    lines: list[tuple[str, str]]
    notice: Words = NO_NOTICE
    call: str = ""


class Invite(msgspec.Struct, frozen=True, kw_only=True, tag="invite"):
    """Ask the rating device of a window for a rating of one service, for at most `for_ms`."""

    epoch: int
    device: str
    service: str
    for_ms: int


class PrintJob(msgspec.Struct, frozen=True, kw_only=True, tag="print"):
    """Print once, or not at all after `expires_in_ms`. `paper` is a displays.receipts TicketPaper as JSON."""

    epoch: int
    job: str
    device: str
    expires_in_ms: int
    paper: msgspec.Raw


class Speak(msgspec.Struct, frozen=True, kw_only=True, tag="speak"):
    """Say `tokens` (displays.speech, Chinese: digits one by one) once, or not at all if not begun after `expires_in_ms`.

    `follows`: it repeats what was said just before, without a chime. `volume` is percent. A job is said at most once.
    """

    epoch: int
    job: str
    device: str
    tokens: list[str]
    follows: bool
    volume: int
    expires_in_ms: int


class TestDevice(msgspec.Struct, frozen=True, kw_only=True, tag="test"):
    """Show that a device works, once, if no citizen needs it; answered by `tested`.

    `text` is for strips, boards and voice modules, `paper` for printers (as `PrintJob.paper`, else null). A rating device asks
    for `for_ms`; the press that comes then is no rating.
    """

    __test__ = False  # pytest: not a test

    epoch: int
    id: str
    device: str
    text: str
    paper: msgspec.Raw
    for_ms: int


class KeypadShow(msgspec.Struct, frozen=True, kw_only=True, tag="keypad_show"):
    """Show the waiting count or a number on a keypad's display."""

    epoch: int
    device: str
    show: str


class ReadingEnded(msgspec.Struct, frozen=True, kw_only=True, tag="reading"):
    """What became of a card or code: used by the kiosk's page, or dropped with a reason.

    reason: unknown-device, no-kiosk, no-page (none open), no-answer (of the page, in 3 s), not-wanted (at the page's present
    step), too-old, malformed or unavailable.
    """

    epoch: int
    id: str
    used: bool
    reason: str


class AgentHeartbeat(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Every second."""

    epoch: int
    at: int


ToAgent = (
    AgentWelcome
    | KeypadAnswered
    | PressStored
    | ShowStrip
    | Invite
    | PrintJob
    | Speak
    | KeypadShow
    | ReadingEnded
    | AgentHeartbeat
    | TestDevice
)
