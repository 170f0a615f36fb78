"""The BX card's conversation: answers within 1 s, three tries, the newest text, signs of life (HARDWARE 2.5, 7.2, 7.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from devices.framing.bx import BxFrame
from devices.protocols import bxdata
from devices.protocols.base import Ignored, Send
from devices.protocols.bx import BxProtocol, BxSettings
from devices.protocols.bxdata import BxUpdate, decode_update
from devices.protocols.paged import Acknowledged, Silent

ACK = BxFrame(1, *bxdata.TAKEN, b"\0\0\0", to_host=True)
NAK = BxFrame(1, *bxdata.REFUSED, b"\x01\0\0", to_host=True)
CALL = [[("请A042号", "red")]]


class Card:
    """A protocol with a line that sends at once."""

    def __init__(self, **settings: Any) -> None:
        self.talk = BxProtocol(1, BxSettings(**settings))
        self.sends: list[Send[BxFrame]] = []
        self.silences = 0

    def do(self, outputs: list[Any], now_ms: int, *, answer: BxFrame | None = None) -> list[Any]:
        for output in outputs:
            if isinstance(output, Send):
                self.sends.append(output)
                self.talk.sent(now_ms, output.slot)
                if answer is not None:
                    self.do(self.talk.receive(answer, now_ms + 50), now_ms + 50, answer=answer)
            self.silences += isinstance(output, Silent)
        return outputs

    def wake(self, now_ms: int) -> None:
        assert self.talk.wake_at_ms is not None
        self.do(self.talk.wake(now_ms), now_ms)

    @property
    def slots(self) -> list[str]:
        return [send.slot for send in self.sends]

    @property
    def updates(self) -> list[BxUpdate]:
        return [decode_update(bxdata.data_of(send.frame)) for send in self.sends if send.slot == "text"]


def texts(update: BxUpdate) -> list[str]:
    return [area.text.decode("gb2312") for area in update.areas]


def test_hardware_7_2_one_second_and_three_tries_then_it_is_silent() -> None:
    card = Card(watch="nothing")
    card.do(card.talk.set_pages(CALL, 0), 0)
    assert card.sends[0].reply_ms == 1000
    assert card.talk.wake_at_ms == 1000
    card.wake(999)
    assert len(card.sends) == 1
    for now_ms in (1000, 2000, 3000):
        card.wake(now_ms)
    assert (len(card.sends), card.silences) == (3, 1)
    card.wake(30_000)  # sent anew every 30 s (UX W-02), once to one that is known to be silent
    card.wake(31_000)
    assert (len(card.sends), card.silences) == (4, 2)


@pytest.mark.parametrize("slot", ["brightness", "power", "time", "status", "ping"])
def test_hardware_7_2_every_order_is_tried_three_times_too(slot: str) -> None:
    card = Card(watch="nothing")
    when = datetime(2026, 1, 31, 8, 30)  # noqa: DTZ001 - a card has local time
    orders = {
        "brightness": lambda: card.talk.set_brightness(3),
        "power": lambda: card.talk.set_power(False),
        "time": lambda: card.talk.set_time(when),
        "status": card.talk.ask_status,
        "ping": card.talk.ping,
    }
    card.do(orders[slot](), 0)
    for now_ms in (1000, 2000, 3000):
        card.wake(now_ms)
    assert (card.slots, card.silences) == ([slot] * 3, 1)
    assert card.talk.wake_at_ms is None
    card.do(orders[slot](), 5000, answer=ACK)
    assert card.talk.wake_at_ms is None


def test_hardware_2_5_an_answer_ends_the_tries_and_the_same_text_is_not_sent_again() -> None:
    card = Card(watch="nothing")
    assert Acknowledged() in card.talk.receive(ACK, 0)
    card.do(card.talk.set_pages(CALL, 0), 0, answer=ACK)
    assert card.talk.set_pages(CALL, 100) == []
    assert card.talk.wake_at_ms == 30_000


def test_the_newest_text_takes_the_place_of_one_that_waits_and_is_what_is_tried_again() -> None:
    card = Card(watch="nothing")
    card.do(card.talk.set_pages(CALL, 0), 0)
    newer = card.do(card.talk.set_pages([[("请A043号", "red")]], 100), 100)
    assert [send.slot for send in newer] == ["text"]  # the bus keeps one of a slot
    card.wake(1100)
    assert [texts(update) for update in card.updates] == [["请A042号"], ["请A043号"], ["请A043号"]]


def test_what_else_is_shown_goes_with_the_first_text_only_until_it_is_taken() -> None:
    card = Card(watch="nothing")
    card.do(card.talk.set_pages(CALL, 0), 0, answer=ACK)
    card.do(card.talk.line_up(10), 10)
    card.wake(1010)
    card.do(card.talk.receive(ACK, 1100), 1100)
    card.wake(40_000)
    assert [update.delete for update in card.updates] == [(), None, None, ()]
    gentle = Card(clear=False)
    gentle.talk.set_pages(CALL, 0)
    gentle.do(gentle.talk.line_up(10), 10)
    assert gentle.updates[0].delete == ()


def test_ux_w_05_rows_are_filled_from_the_top_then_paged_and_what_is_empty_goes() -> None:
    card = Card(rows=3, first_area=4, height=24, y=8, width=256, watch="nothing")
    lines = [[(f"请A{n:03}号到{n}号", "red")] for n in range(1, 5)]
    notice = [("17:00提前下班", "yellow")]
    card.do(card.talk.set_pages([page for line in lines for page in (line, notice)], 0), 0, answer=ACK)
    card.do(card.talk.wake(2500), 2500, answer=ACK)
    first, then = card.updates
    assert texts(first) == ["请A001号到1号", "17:00提前下班", "请A002号到2号"]
    assert [(area.id, area.y, area.width, area.height) for area in first.areas] == [
        (4, 8, 32, 24),
        (5, 32, 32, 24),
        (6, 56, 32, 24),
    ]
    assert (texts(then), then.delete) == (["请A003号到3号", "请A004号到4号"], (6,))
    card.do(card.talk.set_pages([], 3000), 3000)
    assert card.updates[-1] == BxUpdate((4, 5, 6))


def test_hardware_7_5_doubtful_values_are_settings() -> None:
    def sent(**settings: Any) -> BxFrame:
        card = Card(**settings)
        return card.do(card.talk.set_pages(CALL, 0), 0)[0].frame  # type: ignore[no-any-return]

    def area(frame: BxFrame) -> bxdata.BxArea:
        return decode_update(bxdata.data_of(frame)).areas[0]

    assert (area(sent(x=64, width=128)).x, area(sent(x=64, width=128)).width) == (8, 16)
    assert (area(sent(x=5, width=130, unit="px")).x, area(sent(x=5, width=130, unit="px")).width) == (5, 130)
    assert (area(sent(x=5, width=130, unit="flag")).x) == 0x8005
    assert sent().rest[:3] == b"\x01\0\0"
    assert sent(counted=True).rest[:3] == b"\x01" + (len(sent().rest) - 3).to_bytes(2, "little")
    assert sent(acks=False).rest[:1] == b"\x02"
    assert sent(acks=False, no_reply=0).rest[:1] == b"\x00"
    header = sent(host=0x8001, verify=1, display=2, device_type=0x51)
    assert (header.host, header.verify, header.display, header.device_type) == (0x8001, 1, 2, 0x51)
    assert area(sent(font=r"\FO001", coloured=True)).text == rb"\FO001\C1" + "请A042号".encode("gb2312")
    shown = area(sent(run_mode=3, timeout_s=60, effect=2, speed=4, stay=9, line_gap=1, single_line=2, wrap=2))
    assert (shown.run_mode, shown.timeout_s, shown.effect, shown.speed, shown.stay) == (3, 60, 2, 4, 9)
    assert (shown.line_gap, shown.single_line, shown.wrap) == (1, 2, 2)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rows": 9}, "rows are 1 to 8"),
        ({"rows": 2, "first_area": 253}, "areas are 0 to 254"),
        ({"width": 100}, "multiples of 8"),
        ({"width": 0}, "at least 8 dots"),
        ({"brightness": 16}, "brightness is 0 to 15"),
        ({"y": 70_000}, "below 65536"),
        ({"speed": 300}, "range"),
        ({"host": 1}, "no BX frame"),
        ({"ack_ms": 0}, "at least 1"),
        ({"longest_text": 200}, "8 to 120"),
        ({"font": "宋"}, "a tag such as"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_words(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        BxSettings(**wrong)


def test_a_text_is_never_a_tag_and_never_half_a_character() -> None:
    card = Card(longest_text=9, font=r"\FO000", watch="nothing")
    card.do(card.talk.set_pages([[(r"\C3号" + "𪚥窗口窗", "red")]], 0), 0)
    assert texts(card.updates[0]) == [r"\FO000＼C3号〓"]


def test_without_answers_it_is_sent_once_and_never_missed() -> None:
    card = Card(acks=False, brightness=3)
    card.do(card.talk.set_pages(CALL, 0), 0)
    card.do(card.talk.line_up(0), 0)
    assert card.slots == ["text", "brightness", "text"]
    card.wake(30_000)
    assert (card.slots[3:], card.silences) == (["text"], 0)
    assert [update.delete for update in card.updates] == [(), None, ()]


def test_hardware_7_4_a_refused_text_is_a_reason_not_a_silence() -> None:
    card = Card(watch="nothing")
    card.do(card.talk.set_pages(CALL, 0), 0)
    for now_ms in (1000, 2000, 3000):
        (told,) = card.talk.receive(NAK, now_ms - 900)
        assert isinstance(told, Ignored)
        card.wake(now_ms)
    assert (len(card.sends), card.silences) == (3, 0)
    assert card.talk.refused == "refuses its text: no such group of commands"
    card.do(card.talk.set_pages([[("A1", "red")]], 4000), 4000, answer=ACK)
    assert card.talk.refused == ""


def test_a_sign_of_life_is_asked_for_and_one_that_comes_back_is_told_everything() -> None:
    card = Card(brightness=7)
    card.do(card.talk.line_up(0), 0, answer=ACK)
    assert card.slots == ["brightness"]
    card.do(card.talk.set_power(True), 10, answer=ACK)
    card.do(card.talk.set_pages(CALL, 20), 20, answer=ACK)
    card.wake(10_070)
    assert card.slots[3:] == ["ping"]
    for now_ms in (11_070, 12_070, 13_070):
        card.wake(now_ms)
    assert (card.slots[3:], card.silences) == (["ping"] * 3, 1)
    card.wake(20_070)
    card.wake(21_070)
    assert (card.slots[6:], card.silences) == (["ping"], 2)  # once now
    card.do(card.talk.receive(ACK, 21_200), 21_200, answer=ACK)
    assert card.slots[7:] == ["brightness", "power", "text"]
    assert card.updates[-1].delete is None


def test_a_text_that_waits_for_its_answer_is_the_sign_of_life() -> None:
    card = Card(watch_ms=500)
    card.do(card.talk.line_up(0), 0, answer=ACK)
    card.do(card.talk.set_pages(CALL, 400), 400)
    card.wake(550)
    assert card.slots == ["ping", "text"]


def test_a_status_is_an_answer_and_may_be_the_sign_of_life() -> None:
    card = Card(watch="status")
    status = BxFrame(1, *bxdata.STATUS, b"\0\0\0", to_host=True)
    card.do(card.talk.line_up(0), 0)
    assert card.slots == ["ping"]  # nothing else to say
    card.do(card.talk.receive(ACK, 10), 10)
    card.wake(10_010)
    assert card.slots == ["ping", "status"]
    assert card.talk.receive(status, 10_100) == [Acknowledged()]
    assert card.talk.wake_at_ms == 20_100


def test_what_is_no_answer_means_nothing() -> None:
    card = Card()
    assert isinstance(card.talk.receive(replace(ACK, group=0xA7), 0)[0], Ignored)


@pytest.mark.parametrize("level", [-1, 16])
def test_brightness_has_sixteen_steps(level: int) -> None:
    with pytest.raises(ValueError, match="0 to 15"):
        Card().talk.set_brightness(level)
