"""The outlet of kiosk printers: presented, taken, not taken; and what stopped a ticket (HARDWARE 4.1, UX K-11, K-12, law 7)."""

from __future__ import annotations

from typing import Any

import pytest

from devices.drivers.printer import printer_settings
from devices.framing.escpos_line import EscposCommand, command_size
from devices.profiles.printers import means
from devices.protocols.presenter import EJECT, RETRACT, Outlet, present
from devices.protocols.printer import PrinterProtocol, PrinterSettings, Write
from devices.protocols.printer_models import MODELS
from devices.protocols.printer_status import Condition, read_full
from tests.unit.devices.test_printer import TICKET, Bench

COMMAND = {"presenter": "command", "full_status": True, "take_ms": 10_000}


class Kiosk(Bench):
    """A bench whose printer also answers full status, from four bytes by hand."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**(COMMAND | settings))
        self.full = bytearray(4)
        self.outlets: list[bool] = []
        self.ejector: list[bytes] = []

    def do(self, outputs: list[Any]) -> None:
        for output in outputs:
            match output:
                case Outlet(taken):
                    self.outlets.append(taken)
                case Write(b"\x10\x04\x14"):
                    self.hear(b"\x10\x0f" + bytes(self.full))
                case Write(data, False) if data[:2] == b"\x1de":
                    self.ejector.append(data)
                case Write(data, True):
                    self.paper += data
                    self.do(self.protocol.written(self.now))
                    if self.confirms and TICKET in data:
                        self.hear(b"\x00")
                case _:
                    super().do([output])

    def waits(self, there: bool) -> None:
        """A ticket at the outlet: p bit 5."""
        self.full[0] = 0x20 * there


def test_hardware_4_1_ejector_bytes() -> None:
    assert (RETRACT.hex(" "), EJECT.hex(" "), present(12).hex(" ")) == ("1d 65 02", "1d 65 05", "1d 65 03 0c")
    assert [command_size(bytes.fromhex(hex_), 0) for hex_ in ("1D6502", "1D65030C", "1D6520050A", "1D65")] == [
        3,
        4,
        5,
        None,
    ]
    assert means(EscposCommand(RETRACT)) == "draw the ticket back"


def test_hardware_4_1_full_status_knows_the_outlet() -> None:
    assert read_full(Condition(), b"\x20\x00\x00\x00").at_output
    assert not read_full(Condition(at_output=True), b"\x00\x00\x00\x00").at_output
    assert read_full(Condition(), b"\x25\x03\x40\x01").state == "jam"
    # u bit 3 is the motor that runs, r bits 0, 1 and 3 are faults that no hand mends.
    assert read_full(Condition(), b"\x00\x08\x00\x00").state == "ok"
    assert {str(read_full(Condition(), bytes((0, 0, bit, 0))).state) for bit in (0x01, 0x02, 0x08)} == {"offline"}


def test_a_ticket_is_presented_after_it_was_printed_and_counts_as_taken() -> None:
    bench = Kiosk().up()
    bench.submit()
    assert bench.paper == TICKET + present(12)
    assert bench.outcomes == [("1", "printed", "")], "the page says so at once, whoever takes it"
    bench.waits(True)
    bench.run(3_000)
    assert bench.outlets == []
    bench.waits(False)
    bench.run(1_500)
    assert (bench.outlets, bench.ejector) == ([True], [])
    bench.run(60_000)
    assert bench.outlets == [True], "told once"


@pytest.mark.parametrize(("not_taken", "command"), [("retract", [RETRACT]), ("eject", [EJECT]), ("leave", [])])
def test_a_ticket_that_nobody_takes_is_drawn_back_after_its_time(not_taken: str, command: list[bytes]) -> None:
    bench = Kiosk(not_taken=not_taken).up()
    bench.submit()
    bench.waits(True)
    bench.run(9_000)
    assert (bench.outlets, bench.ejector) == ([], [])
    bench.run(2_500)
    assert (bench.outlets, bench.ejector) == ([False], command)
    bench.run(30_000)
    assert bench.ejector == command, "once"


def test_law_7_the_next_ticket_waits_until_the_one_at_the_outlet_is_taken() -> None:
    """Its citizen is reaching for it: nobody's number is drawn back because somebody else tapped."""
    bench = Kiosk().up()
    bench.submit("1")
    bench.waits(True)
    bench.run(2_000)
    bench.submit("2")
    bench.run(3_000)
    assert (bench.outlets, bench.ejector, bench.outcomes) == ([], [], [("1", "printed", "")])
    assert bench.paper == TICKET + present(12)
    bench.waits(False)
    bench.run(1_100)
    assert (bench.outlets, bench.ejector) == ([True], [])
    assert bench.outcomes[1:] == [("2", "printed", "")]


def test_law_7_the_next_ticket_waits_for_one_that_is_only_just_being_presented() -> None:
    bench = Kiosk().up()
    bench.submit("1")
    bench.submit("2")
    bench.waits(True)
    bench.run(5_000)
    assert (bench.outlets, bench.ejector, bench.outcomes) == ([], [], [("1", "printed", "")])


def test_a_ticket_that_nobody_takes_makes_room_for_the_next_one_after_its_time() -> None:
    """The next person is not handed somebody else's number."""
    bench = Kiosk().up()
    bench.submit("1")
    bench.waits(True)
    bench.run(4_000)
    bench.submit("2")
    bench.run(5_000)
    assert (bench.outlets, bench.ejector) == ([], [])
    bench.run(2_000)
    assert (bench.outlets, bench.ejector) == ([False], [RETRACT])
    assert bench.outcomes == [("1", "printed", ""), ("2", "printed", "")]


def test_law_7_a_ticket_that_waits_for_the_outlet_fails_when_its_own_time_is_over() -> None:
    """Not a byte of it is printed, and the kiosk offers the number by its code (UX K-11)."""
    bench = Kiosk(take_ms=20_000).up()
    bench.submit("1")
    bench.waits(True)
    bench.run(1_000)
    bench.submit("2")
    bench.submit("3")
    bench.run(9_900)
    assert bench.outcomes == [("1", "printed", "")]
    bench.run(100)
    assert bench.outcomes[1:] == [("2", "failed", "outlet"), ("3", "failed", "outlet")]
    assert (bench.outlets, bench.ejector, bench.paper) == ([], [], TICKET + present(12))
    bench.waits(False)
    bench.run(1_100)
    bench.submit("4")
    assert bench.outcomes[3:] == [("4", "printed", "")]


def test_a_ticket_taken_between_two_questions_is_taken() -> None:
    bench = Kiosk().up()
    bench.submit("1")
    bench.run(6_500)
    assert (bench.outlets, bench.ejector) == ([True], [])


def test_while_a_ticket_waits_the_outlet_is_asked_each_second_and_otherwise_it_is_left_alone() -> None:
    bench = Kiosk().up()
    bench.submit()
    bench.waits(True)
    bench.asked.clear()
    bench.run(3_500)
    assert len(bench.asked) >= 3 * 4
    bench.waits(False)
    bench.run(1_000)
    bench.asked.clear()
    bench.run(4_000)
    assert len(bench.asked) == 4


def test_a_line_that_breaks_forgets_the_outlet() -> None:
    bench = Kiosk().up()
    bench.submit()
    bench.waits(True)
    bench.run(1_500)
    bench.do(bench.protocol.line_down())
    bench.up()
    bench.run(60_000)
    assert (bench.outlets, bench.ejector) == ([], []), "nobody knows whose ticket lies there"


def test_a_torn_ticket_is_nobodys() -> None:
    """Its rest is drawn back before the next one is printed, and so is a whole one that the printer went on with by itself."""
    bench = Kiosk().up()
    bench.stop_after = 256
    bench.do(bench.protocol.receive(b"\x13", 0))
    bench.submit("1", b"x" * 600 + TICKET)
    bench.full[2] = 0x40
    bench.run(1_500)
    assert bench.outcomes == [("1", "failed", "jam")]
    bench.full[2] = 0
    bench.hear(b"\x11")
    bench.run(5_000)
    bench.submit("2")
    bench.hear(b"\x00")
    assert bench.paper == b"x" * 600 + TICKET + present(12) + RETRACT + TICKET + present(12)
    bench.run(60_000)
    bench.ejector.clear()
    bench.waits(True)
    bench.submit("3")
    assert bench.ejector == [RETRACT]


def test_a_presenter_that_cannot_be_watched_is_refused() -> None:
    with pytest.raises(ValueError, match="full_status"):
        PrinterSettings(presenter="auto")
    with pytest.raises(ValueError, match="full_status"):
        PrinterSettings(presenter="auto", full_status=True, status="none")
    with pytest.raises(ValueError, match="1…255"):
        PrinterSettings(present_steps=300)
    with pytest.raises(ValueError, match="take_ms"):
        PrinterSettings(take_ms=10)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"escpos"}))  # which is no kiosk printer
def test_every_kiosk_models_settings_make_a_printer(name: str) -> None:
    own = {key: value for key, value in MODELS[name].settings.items() if not key.startswith("paper.")}
    settings = printer_settings(own)
    assert settings.full_status
    assert settings.presenter != "none"
    assert PrinterProtocol(settings).wake_at_ms is None


@pytest.mark.parametrize(
    ("part", "value", "reason"), [(4, 0x72, "out"), (2, 0x16, "cover"), (3, 0x1A, "jam"), (1, 0x1A, "offline")]
)
def test_ux_k_12_the_outcome_of_a_ticket_under_way_names_the_state_that_stopped_it(
    part: int, value: int, reason: str
) -> None:
    bench = Bench().up()
    bench.confirms = False
    bench.submit()
    bench.replies[part] = value
    bench.run(11_000)
    (ended,) = bench.outcomes
    assert ended == ("1", "unknown" if reason == "offline" else "failed", reason)


def test_law_7_a_jam_in_the_middle_prints_nothing_twice() -> None:
    """The torn ticket's bytes go out once, whatever is printed after the jam was cleared."""
    bench = Bench().up()
    bench.stop_after = 256
    torn = b"x" * 600 + TICKET
    bench.submit("1", torn)
    bench.replies[3] = 0x1A
    bench.run(1_500)
    assert bench.outcomes == [("1", "failed", "jam")]
    bench.replies[3] = 0x12
    bench.hear(b"\x11")
    for job in ("2", "3"):
        bench.run(5_000)
        bench.submit(job, b"B" + TICKET)
        bench.hear(b"\x00")
    assert bench.paper == torn + b"B" + TICKET + b"B" + TICKET
    assert [job for job, outcome, _ in bench.outcomes if outcome == "printed"] == ["2", "3"]
