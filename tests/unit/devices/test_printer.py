"""The ticket printer's replies, states and jobs (HARDWARE 4.1, UX K-11, K-12, law 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.framing.escpos import Asb, Flow, FullStatus, Noise, Plain, Realtime, Reply, StatusReader, ask_status
from devices.protocols.base import Ignored
from devices.protocols.printer import (
    QUEUE_LIMIT,
    Ended,
    Job,
    PrinterOutput,
    PrinterProtocol,
    PrinterSettings,
    StateChanged,
    Write,
)
from devices.protocols.printer_status import Condition, read_asb, read_full, read_status
from queue_server.wire.common import PrinterState

HEALTHY = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
TICKET = b"A017\n\x1dr\x01"


class Bench:
    """A protocol with a clock and a printer that answers from a table of bytes by hand."""

    def __init__(self, **settings: object) -> None:
        self.protocol = PrinterProtocol(PrinterSettings(**settings))  # type: ignore[arg-type]
        self.now = 0
        self.replies: dict[int, int] = dict(HEALTHY)
        self.paper = b""
        self.ended: list[Ended] = []
        self.states: list[PrinterState] = []
        self.asked: list[int] = []
        self.confirms = True
        self.early = False
        self.ignored = 0
        self.stop_after = 0
        self.cleared = False

    def do(self, outputs: list[PrinterOutput]) -> None:
        for output in outputs:
            match output:
                case Write(data, True):
                    self.paper += data
                    if self.stop_after and len(self.paper) >= self.stop_after:
                        self.stop_after = 0
                        self.hear(b"\x13")
                    whole = self.confirms and self.paper.endswith(b"\x1dr\x01")
                    if whole and self.early:
                        self.hear(b"\x00")
                    self.do(self.protocol.written(self.now))
                    if whole and not self.early:
                        self.hear(b"\x00")
                case Write(b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"):
                    self.cleared = True
                case Write(data):
                    if data[:2] == b"\x10\x04" and data[2] in self.replies:
                        self.asked.append(data[2])
                        self.hear(bytes((self.replies[data[2]],)))
                case StateChanged(state):
                    self.states.append(state)
                case Ended():
                    self.ended.append(output)
                case Ignored():
                    self.ignored += 1

    def hear(self, data: bytes) -> None:
        self.do(self.protocol.receive(data, self.now))

    def up(self) -> Bench:
        self.do(self.protocol.line_up(self.now))
        return self

    def submit(self, job: str = "1", data: bytes = TICKET, expires_ms: int | None = None) -> None:
        self.do(self.protocol.submit(Job(job, data, self.now + 10_000 if expires_ms is None else expires_ms), self.now))

    def run(self, ms: int) -> None:
        end = self.now + ms
        while (at := self.protocol.wake_at_ms) is not None and at <= end:
            self.now = max(at, self.now)
            self.do(self.protocol.wake(self.now))
        self.now = end

    @property
    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(end.job, end.outcome, end.reason) for end in self.ended]


def test_hardware_4_1_replies_are_told_apart_by_their_masks() -> None:
    reader = StatusReader()
    assert reader.feed(b"\x12\x16\x72\x1e") == [Realtime(0x12), Realtime(0x16), Realtime(0x72), Realtime(0x1E)]
    assert reader.feed(b"\x14\x00\x0f\x00") == [Asb(b"\x14\x00\x0f\x00")]
    assert reader.feed(b"\x11\x13") == [Flow(True), Flow(False)]
    assert reader.feed(b"\x00\x0c\x6c") == [Plain(0), Plain(0x0C), Plain(0x6C)]
    assert reader.feed(b"\xff") == [Noise(b"\xff")]
    assert StatusReader(full_status=True).feed(bytes.fromhex("10 0F 01 00 40 00")) == [FullStatus(b"\x01\x00\x40\x00")]


@given(
    st.lists(st.sampled_from([b"\x12", b"\x1e", b"\x18\x00\x0c\x00", b"\x11", b"\x13", b"\x00"]), max_size=20),
    st.data(),
)
def test_replies_survive_any_chunking(replies: list[bytes], data: st.DataObject) -> None:
    line = b"".join(replies)
    whole = StatusReader().feed(line)
    assert len(whole) == len(replies)
    cut = data.draw(st.integers(0, len(line)))
    reader = StatusReader()
    assert reader.feed(line[:cut]) + reader.feed(line[cut:]) == whole


@given(st.binary(max_size=200))
def test_noise_is_bounded_counted_and_never_raises(noise: bytes) -> None:
    reader = StatusReader(full_status=True)
    replies: list[Reply] = reader.feed(noise)
    assert len(reader._held) < 6
    reader.reset()
    assert reader.feed(b"\x12") == [Realtime(0x12)]
    assert len(replies) <= len(noise)
    protocol = PrinterProtocol(PrinterSettings(full_status=True))
    protocol.line_up(0)
    protocol.receive(noise, 1)


def test_hardware_4_1_ask_status_bytes() -> None:
    assert [ask_status(n).hex(" ") for n in (1, 2, 3, 4)] == ["10 04 01", "10 04 02", "10 04 03", "10 04 04"]
    with pytest.raises(ValueError, match="1…4"):
        ask_status(5)


@pytest.mark.parametrize(
    ("part", "value", "state"),
    [
        (1, 0x12, "ok"), (1, 0x16, "ok"), (1, 0x1A, "offline"),
        (2, 0x12, "ok"), (2, 0x16, "cover"), (2, 0x32, "out"), (2, 0x52, "offline"),
        (3, 0x1A, "jam"), (3, 0x16, "jam"), (3, 0x32, "offline"), (3, 0x52, "offline"),
        (4, 0x12, "ok"), (4, 0x1E, "near_end"), (4, 0x72, "out"), (4, 0x7E, "out"),
        (4, 0x6C, "out"), (4, 0x0C, "near_end"),
    ],
)  # fmt: skip
def test_ux_k_11_every_status_byte_of_hardware_4_1_has_its_state(part: int, value: int, state: str) -> None:
    """6C and 0C are the Reliance's own bytes, without the fixed bits."""
    assert read_status(Condition(), part, value).state == state


def test_ux_k_11_asb_and_full_status_know_the_same_states() -> None:
    assert read_asb(b"\x10\x00\x00\x00").state == "ok"
    assert read_asb(b"\x14\x00\x00\x00").state == "ok"  # the drawer's pin
    assert read_asb(b"\x18\x00\x00\x00").state == "offline"
    assert read_asb(b"\x38\x00\x00\x00").state == "cover"
    assert read_asb(b"\x18\x08\x00\x00").state == "jam"
    assert read_asb(b"\x18\x00\x0c\x00").state == "out"
    assert read_asb(b"\x10\x00\x03\x00").state == "near_end"
    assert read_full(Condition(), b"\x00\x00\x00\x00").state == "ok"
    assert read_full(Condition(), b"\x01\x00\x00\x00").state == "out"
    assert read_full(Condition(), b"\x04\x00\x00\x00").state == "near_end"
    assert read_full(Condition(), b"\x20\x00\x00\x00").state == "ok"  # a ticket waits at the output
    assert read_full(Condition(), b"\x00\x02\x00\x00").state == "cover"
    assert read_full(Condition(), b"\x00\x00\x40\x00").state == "jam"


def test_ux_k_11_the_state_is_asked_at_most_every_5_s_and_before_each_ticket() -> None:
    bench = Bench().up()
    assert bench.states == ["ok"]
    bench.asked.clear()
    bench.run(5_000)
    assert bench.asked == [1, 2, 3, 4]
    bench.submit()
    assert bench.asked == [1, 2, 3, 4] * 2
    assert bench.outcomes == [("1", "printed", "")]
    with pytest.raises(ValueError, match="K-11"):
        PrinterSettings(poll_ms=6_000)


def test_ux_k_11_paper_out_is_known_within_5_s() -> None:
    bench = Bench().up()
    bench.replies[4] = 0x72
    bench.run(5_000)
    assert bench.states == ["ok", "out"]
    bench.replies[4] = 0x12
    bench.run(5_000)
    assert bench.states == ["ok", "out", "ok"]


@pytest.mark.parametrize(
    ("part", "value", "reason"), [(4, 0x72, "out"), (2, 0x16, "cover"), (3, 0x1A, "jam"), (1, 0x1A, "offline")]
)
def test_ux_k_12_a_ticket_that_cannot_print_fails_with_the_reason_and_sends_nothing(
    part: int, value: int, reason: str
) -> None:
    bench = Bench().up()
    bench.replies[part] = value
    bench.submit()
    assert bench.outcomes == [("1", "failed", reason)]
    assert bench.paper == b""


def test_paper_near_its_end_prints_and_is_seen() -> None:
    bench = Bench().up()
    bench.replies[4] = 0x1E
    bench.submit()
    assert bench.outcomes == [("1", "printed", "")]
    assert "near_end" in bench.states


def test_a_silent_printer_is_unreadable_and_prints_nothing() -> None:
    bench = Bench().up()
    bench.replies.clear()
    bench.submit()
    bench.run(2_000)
    assert bench.states[-1] == "unreadable"
    assert bench.outcomes == [("1", "failed", "unreadable")]
    assert bench.paper == b""


def test_one_lost_answer_changes_no_state() -> None:
    bench = Bench().up()
    lost = bench.replies.pop(2)
    bench.run(3_000)
    bench.replies[2] = lost
    bench.run(1_000)
    assert bench.states == ["ok"]


def test_ux_k_12_without_a_back_channel_every_print_is_unknown() -> None:
    bench = Bench(status="none").up()
    bench.replies.clear()
    assert bench.states == ["unreadable"]
    bench.submit()
    assert bench.outcomes == [("1", "unknown", "no status")]
    assert bench.paper == TICKET


def test_law_7_a_job_that_has_expired_is_never_printed() -> None:
    bench = Bench().up()
    bench.confirms = False
    bench.submit("1")
    bench.submit("2", expires_ms=9_000)
    bench.run(10_500)
    assert bench.outcomes == [("1", "unknown", "not confirmed"), ("2", "failed", "expired")]
    assert bench.paper == TICKET


def test_law_7_a_line_that_breaks_makes_written_jobs_unknown_and_waiting_ones_failed() -> None:
    bench = Bench().up()
    bench.confirms = False
    bench.submit("1")
    bench.submit("2")
    bench.do(bench.protocol.line_down())
    assert bench.outcomes == [("1", "unknown", "disconnected"), ("2", "failed", "offline")]
    bench.up()
    bench.run(20_000)
    assert bench.paper == TICKET, "a restart repeats nothing"
    assert bench.states[-2:] == ["offline", "ok"]


def test_paper_that_ends_in_a_ticket_fails_it_without_waiting_for_the_limit() -> None:
    """HARDWARE 4.1: at paper end the printer is offline and does not answer GS r."""
    bench = Bench().up()
    bench.confirms = False
    bench.submit()
    bench.replies[4] = 0x72
    bench.run(1_500)
    assert bench.outcomes == [("1", "failed", "out")]


def test_a_late_answer_to_an_earlier_ticket_confirms_no_other() -> None:
    bench = Bench().up()
    bench.confirms = False
    bench.submit("1")
    bench.run(10_500)
    bench.submit("2")
    bench.hear(b"\x00")
    assert bench.outcomes == [("1", "unknown", "not confirmed")]
    bench.hear(b"\x00")
    assert bench.outcomes[1:] == [("2", "printed", "")]
    bench.submit("3")
    bench.hear(b"\x00")
    assert bench.outcomes[2:] == [("3", "printed", "")]


def test_xoff_holds_the_ticket_and_xon_lets_it_go_on() -> None:
    bench = Bench().up()
    bench.hear(b"\x13")
    bench.submit(data=b"x" * 600 + TICKET)
    assert bench.paper == b""
    bench.hear(b"\x11")
    assert bench.paper == b"x" * 600 + TICKET
    assert bench.outcomes == [("1", "printed", "")]


def test_a_printer_that_stops_the_line_and_is_out_of_paper_fails_the_ticket() -> None:
    bench = Bench().up()
    bench.hear(b"\x13")
    bench.submit()
    bench.replies[4] = 0x72
    bench.run(1_500)
    assert bench.outcomes == [("1", "failed", "out")]


@pytest.mark.parametrize("clear", [False, True])
def test_the_rest_of_a_torn_ticket_goes_before_the_next_one(clear: bool) -> None:
    """The printer may stand in the middle of a picture: what is missing of it must come first, or be cleared."""
    bench = Bench(clear=clear).up()
    bench.stop_after = 256
    torn = b"x" * 256 + b"y" * 256 + TICKET
    bench.submit("1", torn)
    assert bench.paper == b"x" * 256
    bench.replies[2] = 0x16
    bench.run(1_500)
    assert bench.outcomes == [("1", "failed", "cover")]
    assert bench.cleared == clear
    bench.replies[2] = 0x12
    bench.hear(b"\x11")
    bench.run(5_000)
    bench.confirms = True
    bench.submit("2", b"B" + TICKET)
    assert bench.paper == (b"x" * 256 if clear else torn) + b"B" + TICKET
    if not clear:
        bench.hear(b"\x00")  # the torn ticket's own question is answered too
    assert bench.outcomes[1:] == [("2", "printed", "")]


def test_bounded_jobs_that_wait() -> None:
    bench = Bench().up()
    bench.confirms = False
    for number in range(QUEUE_LIMIT + 2):
        bench.submit(str(number))
    assert bench.outcomes == [(str(QUEUE_LIMIT + 1), "failed", "busy")]


def test_jobs_print_in_turn_and_once() -> None:
    bench = Bench().up()
    for number in range(5):
        bench.submit(str(number), data=b"%d" % number + TICKET)
    assert [job for job, outcome, _ in bench.outcomes if outcome == "printed"] == ["0", "1", "2", "3", "4"]
    assert bench.paper == b"".join(b"%d" % number + TICKET for number in range(5))


def test_a_printer_without_fixed_bits_is_read_by_what_was_asked() -> None:
    """HARDWARE 4.1: Pyramid Reliance, 6C = out, 0C = low."""
    bench = Bench(fixed_bits=False)
    bench.replies = {1: 0x00, 2: 0x00, 3: 0x00, 4: 0x0C}
    bench.up()
    assert bench.states == ["near_end"]
    bench.submit()
    assert bench.outcomes == [("1", "printed", "")]


def test_asb_tells_at_once_and_fails_the_ticket_under_way() -> None:
    bench = Bench(asb=True).up()
    bench.confirms = False
    bench.submit()
    bench.hear(b"\x38\x00\x00\x00")
    assert bench.outcomes == [("1", "failed", "cover")]
    assert bench.states[-1] == "cover"


def test_without_a_line_everything_fails_at_once() -> None:
    bench = Bench()
    bench.submit()
    assert bench.outcomes == [("1", "failed", "offline")]
    assert bench.protocol.wake_at_ms is None


def test_hardware_4_1_an_answer_that_is_read_before_the_write_is_known_to_have_ended_counts() -> None:
    """Over USB reading and writing are two threads: the printer's answer may be the first of the two to be heard."""
    bench = Bench().up()
    bench.early = True
    for job, data in (("1", TICKET), ("2", b"x" * 700 + TICKET), ("3", TICKET)):
        bench.submit(job, data)
    assert [(ended.job, ended.outcome) for ended in bench.ended] == [
        ("1", "printed"),
        ("2", "printed"),
        ("3", "printed"),
    ]
    assert bench.paper == TICKET + b"x" * 700 + TICKET + TICKET
