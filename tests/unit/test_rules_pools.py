"""UX K-03, K-14: numbers that are limited by the day, what a tile says of it before the tap, and what else people may do."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from queue_server.app import hallfile
from queue_server.app.clock import Clock
from queue_server.app.views.opening import next_opening
from queue_server.app.views.screens import Screens, Surroundings
from queue_server.domain import commands as c
from queue_server.domain.checks import check
from queue_server.domain.configuration import Configuration, Elsewhere, Hours, Kiosk
from queue_server.domain.model import empty_hall
from queue_server.wire.common import Words
from queue_server.wire.documents import KioskDocument, MenuDocument, MenuEntry
from tests.halls import NINE_MS, Play, configuration, plain, replayed

NOTHING: Any = None
CLOCK = Clock("Asia/Shanghai")
SCREENS = Screens(Surroundings(CLOCK, NOTHING, NOTHING, "http://hall"))
HOUR_MS = 3_600_000


def limited(matter: int = 0, domain: int = 0, bundle: int = 0, **more: Any) -> Configuration:
    """The small hall with so many numbers a day for pensions, for social security, and for births."""
    hall = configuration()
    matters = tuple(structs.replace(m, daily_limit=matter) if m.id == "pension" else m for m in hall.matter)
    domains = tuple(structs.replace(d, daily_limit=domain) if d.id == "social" else d for d in hall.domain)
    bundles = tuple(structs.replace(each, daily_limit=bundle) for each in hall.bundle)
    kiosk = (Kiosk(id="k"),)
    return structs.replace(hall, matter=matters, domain=domains, bundle=bundles, kiosk=kiosk, **more)


def refused(play: Play, *matters: str, **more: Any) -> str:
    return play.code(c.TakeTicket(id=play.name("x"), matters=matters, **more))


def test_ux_k_14_when_the_days_numbers_of_a_matter_are_gone_no_more_are_given() -> None:
    play = Play(limited(matter=2))
    first = play.take("pension")
    play.take("pension", "card")
    assert refused(play, "pension") == "numbers-gone"
    assert refused(play, "card", "pension") == "numbers-gone", "nor together with something else"
    play.do(c.CancelTicket(ticket=first.id))
    assert refused(play, "pension") == "numbers-gone", "a number that was given out stays given out"
    assert play.take("card").number == "A003"
    play.do(c.EndDay())
    play.do(c.OpenDay(day="2026-01-06"))
    play.sit("1")
    assert play.take("pension").number == "A001"


def test_ux_k_14_a_domain_counts_the_numbers_with_its_letters_and_a_bundle_its_own() -> None:
    play = Play(limited(domain=2, bundle=1), sit="135")
    play.take("pension")
    play.take("card", "tax")
    assert refused(play, "pension") == refused(play, "tax", "card") == "numbers-gone"
    assert play.take("tax").number == "B001"
    play.take(bundle="birth")
    assert refused(play, bundle="birth") == "numbers-gone"


def test_ux_k_14_who_has_a_standing_ticket_or_a_slip_of_yesterday_is_not_turned_away() -> None:
    """RULES 16, 34: what was promised is kept."""
    play = Play(limited(matter=1))
    mine = play.take("pension", person="p1")
    assert play.take("pension", person="p1").id == mine.id
    assert refused(play, "pension", person="p2") == "numbers-gone"
    assert play.take("pension", slip="slip-1").number == "A002"


def test_ux_k_14_a_limit_may_change_while_numbers_are_out() -> None:
    play = Play(limited(matter=1))
    play.take("pension")
    for limit, code in ((1, "numbers-gone"), (2, ""), (2, "numbers-gone"), (0, "")):
        play.do(c.ApplyConfiguration(configuration=limited(matter=limit), source=""))
        assert refused(play, "pension") == code


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 4), st.integers(0, 6), st.integers(0, 3),
    st.lists(st.sampled_from([("pension",), ("card",), ("pension", "card"), ("tax",), ("tax", "pension"), ()]), max_size=25),
)  # fmt: skip
def test_ux_k_14_never_one_number_more_than_the_limit_and_none_refused_below_it(
    matter: int, domain: int, bundle: int, wishes: list[tuple[str, ...]]
) -> None:
    """Counted by hand beside the hall; and the journal's events alone give the same counts."""
    play = Play(limited(matter, domain, bundle), sit="135")
    pensions = social = births = 0
    for wish in wishes:
        gone = (
            bool(bundle) and births >= bundle
            if not wish
            else (bool(matter) and "pension" in wish and pensions >= matter)
            or (bool(domain) and {"pension", "card"} & {*wish} and social >= domain)
        )
        code = refused(play, *wish, bundle="" if wish else "birth")
        assert code == ("numbers-gone" if gone else "")
        if not gone:
            births += not wish
            pensions += "pension" in wish
            social += bool({"pension", "card"} & {*wish})
    assert plain(replayed(play.initial, play.log)) == plain(play.hall)


def test_ux_k_14_the_tile_says_so_before_the_tap_and_when_numbers_are_given_again() -> None:
    """UX K-03: a domain stays open while one of its matters has numbers; what nobody serves says that."""
    play = Play(limited(matter=1))
    before = tile(play, "pension")
    assert (before.open, before.reason.zh) == (True, "")
    play.take("pension")
    after = tile(play, "pension")
    assert (after.open, after.reason.zh) == (False, "今日号已取完，明天 08:30 起取号")
    assert after.reason.en == "None left today; again tomorrow at 08:30"
    assert tile(play, "card").open
    assert tile(play, "tax").reason.zh == "现在没有开着的窗口，请到导办台"


def tile(play: Play, name: str) -> MenuEntry:
    menu = SCREENS.render(play.hall, "kiosk", "k", play.now)["menu"]
    assert isinstance(menu, MenuDocument)
    return next(each for each in menu.tiles if each.id == name)


def test_ux_k_14_a_kiosk_without_numbers_tells_the_next_opening_and_what_else_there_is() -> None:
    others = Elsewhere(appointment="手机预约明天的号", appointment_en="book on your phone", phone="0371-0000")
    play = Play(limited(elsewhere=others))
    open_ = kiosk(play)
    assert open_.next_opening.zh == ""
    assert [each.zh for each in open_.elsewhere] == ["预约：手机预约明天的号", "电话：0371-0000"]
    assert open_.elsewhere[0].en == "Appointment: book on your phone"
    play.do(c.CloseDay())
    assert kiosk(play).next_opening == Words(zh="明天 08:30 起取号", en="Tickets again tomorrow at 08:30")
    assert kiosk(Play(limited())).elsewhere == []


def kiosk(play: Play) -> KioskDocument:
    document = SCREENS.render(play.hall, "kiosk", "k", play.now)["kiosk"]
    assert isinstance(document, KioskDocument)
    return document


@pytest.mark.parametrize(
    ("hours_later", "weekdays", "zh"),
    [(-1, (1, 2, 3, 4, 5), "今天 08:30 "), (5, (1, 2, 3, 4, 5), "明天 08:30 "), (5, (1, 4), "1月8日 08:30 ")],
)
def test_ux_k_03_the_next_opening_is_this_mornings_tomorrows_or_a_later_days(
    hours_later: int, weekdays: tuple[int, ...], zh: str
) -> None:
    hall = empty_hall(structs.replace(limited(), hours=Hours(weekdays=weekdays)))
    assert next_opening(hall, CLOCK, NINE_MS + hours_later * HOUR_MS).zh == zh


def test_ux_k_14_a_day_that_was_opened_before_its_hour_gives_no_numbers_again_at_that_hour() -> None:
    play = Play(limited(matter=1, hours=Hours(tickets_from="09:30", opens="10:00")))
    play.take("pension")
    assert tile(play, "pension").reason.zh == "今日号已取完，明天 09:30 起取号"
    play.do(c.EndDay())
    assert next_opening(play.hall, CLOCK, play.now).zh == "明天 09:30 "


def test_ux_k_14_a_hall_file_may_name_limits_and_alternatives_and_a_negative_one_is_an_error() -> None:
    told = limited(matter=20, domain=120, bundle=5, elsewhere=Elsewhere(self_service="一楼自助区"))
    read, findings = hallfile.load(hallfile.dump(told))
    assert read == told
    assert not [each for each in findings if each.code == "bad_number"]
    wrong = [each.where for each in check(limited(matter=-1, domain=-1, bundle=-1)) if each.code == "bad_number"]
    assert wrong == ["domain social", "matter pension", "bundle birth"]
