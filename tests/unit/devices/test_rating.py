"""The FF68 rating device's rules: both acknowledgements, level maps, repetition, law 8 (HARDWARE 1.1, RULES 43)."""

from __future__ import annotations

import pytest

from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.protocols.base import Ignored, Send
from devices.protocols.rating import (
    HALL_QUEUE_FRONT_LEVELS,
    AckVariant,
    Press,
    RatingOutput,
    RatingProtocol,
    RatingSettings,
)

# Five keys whose bytes run the other way round: the map decides, never the byte (RULES 43).
REVERSED = {0: 5, 1: 4, 2: 3, 3: 2, 4: 1}


def pad(
    ack: AckVariant = AckVariant.A, address: int = 0x07, levels: dict[int, int] | None = None, starts: bool = True
) -> RatingProtocol:
    return RatingProtocol(address, RatingSettings(levels or dict(HALL_QUEUE_FRONT_LEVELS), ack, starts))


def pressed(level: int, address: int = 0x07) -> Ff68Frame:
    return Ff68Frame(address, 0x11, bytes((level,)))


def token(outputs: list[RatingOutput]) -> int:
    (press,) = [o for o in outputs if isinstance(o, Press)]
    return press.token


def on_line(outputs: list[RatingOutput] | list[Send[Ff68Frame]]) -> list[str]:
    return [encode_ff68(o.frame).hex(" ").upper() for o in outputs if isinstance(o, Send)]


@pytest.mark.parametrize(("key", "level"), HALL_QUEUE_FRONT_LEVELS.items())
def test_rules_43_all_five_keys_of_the_published_map(key: int, level: int) -> None:
    assert [o.level for o in pad().receive(pressed(key), 0) if isinstance(o, Press)] == [level]


@pytest.mark.parametrize(("key", "level"), REVERSED.items())
def test_rules_43_all_five_keys_of_another_map(key: int, level: int) -> None:
    assert [o.level for o in pad(levels=REVERSED).receive(pressed(key), 0) if isinstance(o, Press)] == [level]


def test_rules_43_a_map_is_stated_and_stays_within_1_to_5() -> None:
    for levels in ({}, {0: 0}, {0: 6}):
        with pytest.raises(ValueError, match="1…5"):
            RatingSettings(levels)


def test_law_8_no_acknowledgement_before_the_press_is_stored() -> None:
    device = pad()
    outputs = device.receive(pressed(3), 0)
    assert on_line(outputs) == []
    assert on_line(device.stored(token(outputs))) == ["FF 68 03 03 68 07 01 03 0B 16"]
    assert device.stored(token(outputs)) == []


def test_hardware_1_1_acknowledgement_literals_of_variant_a() -> None:
    for level, literal in ((0, "FF 68 03 03 68 07 01 00 08 16"), (1, "FF 68 03 03 68 07 01 01 09 16")):
        device = pad()
        assert on_line(device.stored(token(device.receive(pressed(level), 0)))) == [literal]
    far = pad(address=0x87)
    assert on_line(far.stored(token(far.receive(pressed(3, 0x87), 0)))) == ["FF 68 03 03 68 87 01 03 8B 16"]


def test_hardware_1_1_acknowledgement_literal_of_variant_b_has_no_lead() -> None:
    device = pad(AckVariant.B, 0x87)
    assert on_line(device.stored(token(device.receive(pressed(3, 0x87), 0)))) == ["68 02 02 68 87 01 88 16"]


def test_a_repetition_is_acknowledged_again_only_once_stored_and_is_no_second_press() -> None:
    device = pad()
    first = token(device.receive(pressed(4), 0))
    assert device.receive(pressed(4), 300) == []
    device.stored(first)
    assert on_line(device.receive(pressed(4), 1_200)) == ["FF 68 03 03 68 07 01 04 0C 16"]
    assert isinstance(device.receive(pressed(4), 2_300)[0], Press)
    assert isinstance(device.receive(pressed(3), 2_400)[0], Press)


def test_a_new_invitation_makes_the_same_level_a_new_press() -> None:
    device = pad()
    device.stored(token(device.receive(pressed(4), 0)))
    assert on_line(device.invite(30_000)) == ["FF 68 03 03 68 07 01 0B 13 16"]
    assert isinstance(device.receive(pressed(4), 100)[0], Press)


def test_an_invitation_that_still_stands_is_sent_again_when_the_line_is_back() -> None:
    device = pad()
    assert device.line_up(0) == []
    device.invite(30_000)
    assert on_line(device.line_up(29_999)) == ["FF 68 03 03 68 07 01 0B 13 16"]
    assert device.line_up(30_000) == []
    device.invite(60_000)
    device.receive(pressed(4), 31_000)
    assert device.line_up(31_100) == []


def test_hardware_7_5_a_device_at_its_keypads_address_is_not_started_by_us() -> None:
    assert pad(starts=False).invite(30_000) == []


def test_law_8_a_press_that_was_not_stored_counts_when_it_is_repeated() -> None:
    device = pad()
    device.lost(token(device.receive(pressed(2), 0)))
    again = device.receive(pressed(2), 200)
    assert on_line(device.stored(token(again))) == ["FF 68 03 03 68 07 01 02 0A 16"]


def test_a_level_outside_the_map_is_acknowledged_and_reported_never_guessed() -> None:
    outputs = pad(levels={0: 1}).receive(pressed(7), 0)
    assert [type(o) for o in outputs] == [Send, Ignored]


def test_hardware_1_1_stars() -> None:
    assert on_line(pad().show_stars(5)) == ["FF 68 03 03 68 07 02 05 0E 16"]
    with pytest.raises(ValueError, match="0…5"):
        pad().show_stars(6)


def test_frames_of_other_functions_are_ignored() -> None:
    assert isinstance(pad().receive(Ff68Frame(7, 0x33, b"\x01"), 0)[0], Ignored)
    assert isinstance(pad().receive(Ff68Frame(7, 0x11, b""), 0)[0], Ignored)
