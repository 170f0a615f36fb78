"""What a clerk's keypad asks of the hall, and what its six cells then say (HARDWARE 2.1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from queue_server.app.hub import Cause, Hub, KeyReused
from queue_server.domain import commands as c
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall
from queue_server.wire.agent import KeypadAnswered, KeypadPressed
from queue_server.wire.common import WindowState

TOO_OLD_MS = 3_000
"""Law 8: a keypad command is never stored; older than this it fails."""

QUESTION_MS = 10_000
"""So long the next-key answers the question on a keypad's cells; then they show again what is in hand."""

CELLS = 6
HELP = ("call_guard", "call_manager", "call_adviser")
"""Three keys, one call for help: it reaches the guide and the manager, who know whom to send (UX C-15)."""

StaffName = Callable[[str], Awaitable[str | None]]
"""The name of an active clerk by staff number, None for nobody."""


@dataclass(frozen=True, slots=True)
class _Question:
    """The number that stands on the cells for `digits` of several that wait; over at `until`, ms of the hall's clock."""

    digits: str
    number: str
    until: int


class Keypads:
    """Presses become commands; of several waiting numbers with the same digits the keypad shows one at a time.

    Digits and call again show the next one, call alone calls the one shown, every other key leaves the question.
    """

    def __init__(self, hub: Hub, staff_name: StaffName) -> None:
        self._hub = hub
        self._staff_name = staff_name
        self._questions: dict[str, _Question] = {}

    def end_late(self) -> list[str]:
        """Forget the questions that nobody answered; the keypads that still show them."""
        now = self._hub.clock.now()
        late = [device for device, question in self._questions.items() if question.until <= now]
        for device in late:
            del self._questions[device]
        return late

    async def answer(self, agent: str, window: str | None, pressed: KeypadPressed) -> KeypadAnswered:
        """Do what the key asks at the keypad's window, None for a keypad that this hall has not."""
        if window is None or pressed.age_ms > TOO_OLD_MS:
            return self._refused(pressed, "unknown-device" if window is None else "too-old")
        question = self._questions.pop(pressed.device, None)
        try:
            command = await self._command(window, pressed, question)
            cause = Cause(
                actor=f"keypad:{pressed.device}",
                principal=f"agent:{agent}",
                key=pressed.id,
                fingerprint=f"{pressed.action}:{pressed.digits}",
            )
            answer = await self._hub.ask(command, cause, lambda hall, _decision: (200, in_hand(hall, window).encode()))
        except Rejected as rejection:
            return self._refused(pressed, rejection.code, await self._ask_back(pressed, question, rejection))
        except (Unavailable, KeyReused) as error:
            return self._refused(pressed, type(error).__name__)
        # A number would hide the sign: who calls for help wants to see that it was heard.
        show = "" if pressed.action in HELP else answer.body.decode()
        return KeypadAnswered(epoch=self._hub.lease.epoch, id=pressed.id, ok=True, code="", show=show)

    def _refused(self, pressed: KeypadPressed, code: str, show: str = "") -> KeypadAnswered:
        return KeypadAnswered(epoch=self._hub.lease.epoch, id=pressed.id, ok=False, code=code, show=show)

    async def _ask_back(self, pressed: KeypadPressed, before: _Question | None, rejection: Rejected) -> str:
        """What a refusal that is a question shows; "" for a plain failure."""
        until = self._hub.clock.now() + QUESTION_MS
        if rejection.code == "arrived-or-not":
            if before is not None and pressed.action == "next":  # the answer to this question answers the other too
                self._questions[pressed.device] = _Question(before.digits, before.number, until)
            return str(rejection.figures.get("number", ""))
        if rejection.code != "number-ambiguous":
            return ""
        choices: list[str] = rejection.figures["choices"]  # type: ignore[assignment]
        waiting = await self._hub.read(lambda hall: _by_time(hall, choices))
        digits = pressed.digits.lstrip("0")
        again = before is not None and before.digits == digits and before.number in waiting
        at = waiting.index(before.number) + 1 if before is not None and again else 0
        self._questions[pressed.device] = question = _Question(digits, waiting[at % len(waiting)], until)
        return cells_of(question.number)

    async def _command(self, window: str, pressed: KeypadPressed, question: _Question | None) -> c.Command:
        """What a key means (HARDWARE 2.1); raises Rejected for what this hall does not know."""
        service = f"k{pressed.id}"
        digits = pressed.digits
        match pressed.action:
            case "next" if question is not None:
                return c.CallNumber(window=window, number=question.number, reason="keypad", service=service)
            case "next":
                return c.CallNext(window=window, service=service)
            case "call":
                return c.CallNumber(window=window, number=digits, reason="keypad", service=service)
            case "recall":
                return c.Recall(window=window)
            case "evaluate":
                return c.Invite(window=window)
            case "pause" if await self._hub.read(lambda hall: hall.windows[window].state) is WindowState.PAUSED:
                return c.ResumeWindow(window=window)
            case "pause":
                return c.PauseWindow(window=window, reason="other")
            case "resume":
                return c.ResumeWindow(window=window)
            case "no_show":
                return c.MarkNoShow(window=window, reason="keypad")
            case "hold":
                return c.Park(window=window, reason="keypad")
            case "transfer":
                return c.Transfer(window=window, to_window=digits, reason="keypad")
            case "call_back":
                return c.Unpark(window=window, ticket=await self._parked_at(window, digits), service=service)
            case "sign_in":
                name = await self._staff_name(digits)
                if name is None:
                    raise Rejected("wrong-password")
                return c.OpenWindow(window=window, staff=digits, staff_name=name, take_over=True)
            case "sign_out":
                return c.CloseWindow(window=window)
            case key if key in HELP:
                return c.WindowHelp(window=window, wanted=True)
            case _:
                raise Rejected("malformed", field="action")

    async def _parked_at(self, window: str, digits: str) -> str:
        def look(hall: Hall) -> str:
            parked = [hall.tickets[name] for name in hall.parked if hall.tickets[name].window == window]
            fitting = [t for t in parked if not digits or t.number.endswith(digits)]
            return max(fitting, key=lambda t: t.parked_until).id if fitting else ""

        return await self._hub.read(look)


def in_hand(hall: Hall, window: str) -> str:
    """The number in hand at a window, "" for none."""
    ticket = hall.tickets.get(hall.windows[window].ticket)
    return ticket.number if ticket else ""


def cells_of(number: str) -> str:
    """A number on cells that know no letters: the letter's place in the alphabet, a blank when it fits, the digits."""
    letters = number.rstrip("0123456789")
    digits = number[len(letters) :]
    places = "".join(str(ord(letter) - ord("A") + 1) for letter in letters if "A" <= letter <= "Z")
    blank = " " if len(places) + len(digits) < CELLS else ""
    return places + blank + digits


def _by_time(hall: Hall, numbers: list[str]) -> list[str]:
    """Who would come first, first (QUEUES 2.2)."""
    return sorted(numbers, key=lambda number: hall.tickets[hall.numbers[number]].key)
