"""RULES 7, 12, 32, 36, 38, 43-49, UX C-06, C-10, C-11 and law 11: windows, services, ratings, alarms."""

import pytest

from queue_server.app.views.strips import strip_of
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Device, WindowKind
from queue_server.domain.ratings import LEVELS, TAGS
from queue_server.wire.common import DeviceState, PrinterState, TicketState, WindowState
from tests.halls import MINUTE_MS, PAD, Play, configuration, kinds, only, window


def alarms(play: Play) -> dict[str, int]:
    """Code → figure of the alarms that hold now."""
    play.do(c.Tick())
    return {alarm.code: alarm.figure for alarm in play.hall.alarms.values()}


def test_rules_12_a_window_goes_through_its_states() -> None:
    play = Play(sit="")
    here = "1"
    seen = [play.hall.windows[here].state]
    play.sit(here)
    play.take()
    for command in (
        c.PauseWindow(window=here, reason="lunch"),
        c.ResumeWindow(window=here),
        c.CallNext(window=here, service="v"),
        c.Arrive(window=here),
        c.Finish(window=here),
        c.CloseWindow(window=here),
    ):
        seen.append(play.hall.windows[here].state)
        play.do(command)
    seen.append(play.hall.windows[here].state)
    states = ["closed", "idle", "paused", "idle", "called", "serving", "idle", "closed"]
    assert seen == [WindowState(state) for state in states]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.PauseWindow(window="1", reason="tired"), "pause-reason-unknown"),
        (c.ResumeWindow(window="1"), "not-paused"),
        (c.Arrive(window="1"), "nothing-in-hand"),
        (c.Finish(window="1"), "nothing-in-hand"),
        (c.Finish(window="1", outcome="refused"), "outcome-unknown"),
        (c.MarkNoShow(window="1", reason="x"), "nothing-in-hand"),
        (c.Park(window="1", reason="x"), "nothing-in-hand"),
        (c.Transfer(window="1", to_window="2"), "nothing-in-hand"),
        (c.CallNext(window="1", service="v"), "nobody-waiting"),
        (c.CallNext(window="2", service="v"), "window-closed"),
        (c.CallNext(window="99", service="v"), "window-unknown"),
        (c.Undo(window="1"), "nothing-to-undo"),
        (c.Invite(window="1"), "nothing-to-rate"),
        (c.AcknowledgeAlarm(alarm="x"), "alarm-unknown"),
        (c.CancelTicket(ticket="x"), "ticket-unknown"),
    ],
)
def test_rules_12_what_an_idle_window_cannot_do(command: c.Command, code: str) -> None:
    assert Play().code(command) == code


@pytest.mark.parametrize("arrived", [False, True])
def test_rules_12_what_a_window_with_somebody_cannot_do(arrived: bool) -> None:
    play = Play()
    play.take()
    play.next()
    if arrived:
        play.do(c.Arrive(window="1"))
    for command in (
        c.PauseWindow(window="1", reason="lunch"),
        c.CloseWindow(window="1"),
        c.ServeDirect(window="1", service="v"),
    ):
        assert play.code(command) == "finish-first"


def test_ux_c11_pausing_the_last_window_says_how_many_it_strands() -> None:
    play = Play(sit="12")
    for _ in range(3):
        play.take()
    assert only(play.do(c.PauseWindow(window="2", reason="lunch")), e.WindowPaused).stranded == 0
    paused = only(play.do(c.PauseWindow(window="1", reason="lunch", resumes_at="13:00")), e.WindowPaused)
    assert (paused.stranded, paused.resumes_at) == (3, "13:00")
    assert play.code(c.PauseWindow(window="1", reason="lunch")) == "already-paused"
    assert only(play.do(c.CloseWindow(window="1")), e.WindowClosed).stranded == 3


def test_ux_c10_one_window_one_clerk_and_a_takeover_says_who() -> None:
    play = Play(sit="12")
    here = {"staff": "s9", "staff_name": "员9"}
    assert play.code(c.OpenWindow(window="1", **here)) == "window-taken"
    play.take()
    play.next()
    taken = only(play.do(c.OpenWindow(window="1", take_over=True, **here)), e.WindowTakenOver)
    assert (taken.previous_staff, taken.staff) == ("s1", "s9")
    assert play.hall.windows["1"].state is WindowState.CALLED
    assert play.code(c.OpenWindow(window="2", take_over=True, **here)) == "staff-at-other-window"
    assert play.do(c.OpenWindow(window="1", **here)) == []


def test_a_clerk_acts_only_at_the_own_window() -> None:
    play = Play(sit="12")
    play.take()
    assert play.code(c.CallNext(window="1", service="v"), clerk="s2") == "not-your-window"
    assert play.code(c.PauseWindow(window="1", reason="lunch"), clerk="s2") == "not-your-window"
    assert play.code(c.CallNext(window="1", service="v"), clerk="s1") == ""
    assert play.code(c.OpenWindow(window="3", staff="s3", staff_name=""), clerk="s3") == ""


def test_serve_direct_is_a_service_an_invitation_and_a_workload_without_a_slip() -> None:
    play = Play()
    name = "direct"
    play.do(c.ServeDirect(window="1", service=name, matters=("pension",), quantity=2))
    ended = play.do(c.Finish(window="1"))
    assert kinds(ended) == ["ServiceFinished", "RatingInvited"]
    service = play.hall.services[name]
    assert (service.ticket, service.matters, service.quantity, service.staff) == ("", ("pension",), 2, "s1")
    assert (play.hall.served, play.hall.served_direct, play.hall.issued) == (1, 1, 0)
    assert play.hall.windows["1"].served == 1


def test_serve_direct_is_finished_by_the_next_key_and_asks_for_known_matters() -> None:
    play = Play()
    assert play.code(c.ServeDirect(window="1", service="v", matters=("x",))) == "matter-unknown"
    assert play.code(c.ServeDirect(window="1", service="v", quantity=0)) == "quantity-out-of-range"
    play.do(c.PauseWindow(window="1", reason="away"))
    assert kinds(play.do(c.ServeDirect(window="1", service="v"))) == ["WindowResumed", "DirectServiceStarted"]
    play.take()
    assert kinds(play.do(c.CallNext(window="1", service="w")))[-1] == "TicketCalled"


# --- ratings ---


def press(play: Play, level: int = 5, *, seconds_ago: float = 0, at: str = "1") -> c.PressRating:
    return c.PressRating(
        id=play.name("r"), window=at, device="pad1", level=level, pressed_at=play.now - int(seconds_ago * 1000)
    )


def test_rules_36_every_finished_service_invites_at_its_own_device() -> None:
    play = Play(configuration(devices=(PAD,)))
    play.do(c.ReportDevice(device="pad1", state=DeviceState.ONLINE))
    for _ in range(3):
        play.take()
        play.serve()
    play.direct()
    invited = [event for event in play.log if isinstance(event, e.RatingInvited)]
    assert [(event.window, event.device, event.for_ms) for event in invited] == [("1", "pad1", 30_000)] * 4
    assert play.hall.invited == play.hall.served == 4


def test_rules_38_without_a_usable_device_the_qr_is_offered() -> None:
    play = Play(configuration(devices=(PAD,)))
    play.do(c.ReportDevice(device="pad1", state=DeviceState.OFFLINE))
    play.take()
    play.serve()
    assert only(play.log, e.RatingInvited).device == ""


def test_rules_36_the_evaluate_key_finishes_and_invites_and_invites_again() -> None:
    play = Play()
    play.take()
    play.next()
    play.do(c.Arrive(window="1"))
    assert kinds(play.do(c.Invite(window="1"))) == ["ServiceFinished", "RatingInvited"]
    assert kinds(play.do(c.Invite(window="1"))) == ["RatingInvited"]
    assert play.hall.invited == 1
    play.do(press(play))
    assert play.code(c.Invite(window="1")) == "already-rated"


def test_rules_43_five_levels_with_the_official_names_and_no_other() -> None:
    assert [LEVELS[level] for level in (5, 4, 3, 2, 1)] == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    play = Play()
    for level in (5, 4, 3, 2, 1):
        name = play.direct()
        assert only(play.do(press(play, level)), e.ServiceRated).level == level
        assert play.hall.services[name].rating
    for level in (0, 6, -1):
        play.direct()
        assert play.code(press(play, level)) == "level-unknown"


def test_rules_44_tags_belong_to_their_level() -> None:
    play = Play()
    name = play.direct()
    for level, tags in TAGS.items():
        for tag in (str(tags.start - 1), str(tags.stop), "x", "²"):
            assert play.code(c.Rate(id="r", service=name, level=level, tags=(tag,))) == "tag-unknown"
    play.do(c.Rate(id="r", service=name, level=1, tags=("108", "115")))
    assert only(play.log, e.ServiceRated).tags == ("108", "115")


@pytest.mark.parametrize("level", [1, 2])
def test_rules_45_bad_levels_on_a_page_need_a_tag_or_text(level: int) -> None:
    play = Play()
    first, second = play.direct(), play.direct()
    assert play.code(c.Rate(id="r", service=first, level=level)) == "rating-needs-reason"
    play.do(c.Rate(id="r", service=first, level=level, has_text=True))
    play.do(c.Rate(id="q", service=second, level=level, tags=(str(TAGS[level].start),)))
    assert play.hall.rated == 2


def test_rules_45_a_press_alone_is_a_rating_whatever_its_level() -> None:
    play = Play()
    play.direct()
    assert kinds(play.do(press(play, 1)))[0] == "ServiceRated"


def test_rules_46_one_rating_a_service_whatever_the_channel() -> None:
    play = Play()
    name = play.direct()
    play.do(press(play, 5))
    assert play.code(press(play, 1)) == "already-rated"
    assert play.code(c.Rate(id="r", service=name, level=5)) == "already-rated"
    other = play.direct()
    play.do(c.Rate(id="q", service=other, level=4))
    assert play.code(press(play, 1)) == "already-rated"
    assert play.hall.rated == 2


def test_rules_46_a_press_belongs_to_whom_it_was_pressed_by() -> None:
    """The invitation goes out together with the next call: a press before the next citizen came is the last one's."""
    play = Play()
    play.take()
    play.take()
    play.next()
    play.do(c.Arrive(window="1"))
    first = play.hall.windows["1"].service
    play.wait(300)
    play.next()
    play.wait(4)
    rated = play.do(press(play, 5))
    assert kinds(rated) == ["ServiceRated"]
    assert only(rated, e.ServiceRated).service == first
    play.wait(2)
    assert play.code(press(play, 5)) == "already-rated", "a second press of the same citizen rates nobody else"
    play.do(c.Arrive(window="1"))
    assert only(play.do(press(play, 3)), e.ServiceRated).service == play.hall.windows["1"].service


def test_rules_46_an_invitation_stands_while_the_next_citizen_sits_down() -> None:
    """Found by the demonstration's checker: a citizen who walks up at once must not get the last one's rating."""
    play = Play()
    first = play.direct()
    play.wait(2)
    play.do(c.ServeDirect(window="1", service="second"))
    play.wait(3)
    assert only(play.do(press(play, 4)), e.ServiceRated).service == first
    play.wait(2)
    assert only(play.do(press(play, 2)), e.ServiceRated).service == "second"


def test_rules_46_a_press_that_arrives_late_goes_to_the_service_of_its_time() -> None:
    play = Play()
    first = play.direct()
    play.wait(20)
    play.take()
    play.next()
    play.do(c.Arrive(window="1"))
    play.wait(5)
    assert only(play.do(press(play, seconds_ago=10)), e.ServiceRated).service == first


def test_rules_46_after_the_invitation_a_press_shows_that_the_called_citizen_came() -> None:
    play = Play()
    play.direct()
    play.take()
    play.next()
    play.wait(31)
    rated = play.do(press(play))
    assert kinds(rated) == ["CitizenArrived", "ServiceRated"]


def test_rules_47_a_press_without_a_service_rates_nothing() -> None:
    play = Play()
    assert play.code(press(play)) == "nothing-to-rate"
    play.take()
    play.next()
    play.miss()
    assert play.code(press(play)) == "nothing-to-rate"
    assert play.code(c.Rate(id="r", service="nothing", level=5)) == "service-unknown"
    assert play.code(c.Rate(id="r", service=next(iter(play.hall.services)), level=5)) == "service-unknown"


def test_rules_48_an_unrated_service_stays_unrated() -> None:
    play = Play()
    name = play.direct()
    play.wait(3600)
    play.do(c.Tick())
    play.do(c.EndDay())
    assert play.hall.services[name].rating == ""
    assert not [event for event in play.log if isinstance(event, e.ServiceRated)]


def test_rules_49_server_time_counts_and_lateness_is_judged_at_the_press() -> None:
    play = Play()
    play.direct()
    play.wait(20 * 60)
    rated = only(play.do(press(play, seconds_ago=15 * 60)), e.ServiceRated)
    assert (rated.at, rated.pressed_at, rated.late) == (play.now, play.now - 15 * 60_000, False)
    play.direct()
    play.wait(10 * 60 + 1)
    assert only(play.do(press(play)), e.ServiceRated).late
    name = play.direct()
    assert only(play.do(c.Rate(id="p", service=name, level=5)), e.ServiceRated).at == play.now


# --- taking back ---


def test_ux_c06_undo_of_a_finish_within_five_seconds() -> None:
    play = Play()
    ticket = play.take()
    play.serve()
    play.wait(5)
    assert kinds(play.do(c.Undo(window="1"))) == ["FinishUndone"]
    window_ = play.hall.windows["1"]
    assert (window_.state, window_.ticket, play.state(ticket)) == (WindowState.SERVING, ticket.id, TicketState.SERVING)
    assert (play.hall.served, play.hall.invited, window_.served) == (0, 0, 0)
    assert kinds(play.do(c.Finish(window="1"))) == ["ServiceFinished", "RatingInvited"]
    play.wait(5.001)
    assert play.code(c.Undo(window="1")) == "undo-too-late"


def test_ux_c06_undo_of_a_direct_service() -> None:
    play = Play()
    name = play.direct()
    play.do(c.Undo(window="1"))
    assert (play.hall.windows["1"].service, play.hall.served_direct) == (name, 0)


@pytest.mark.parametrize("policy", ["requeue", "same-window", "void"])
def test_ux_c06_undo_of_a_no_show_restores_everything(policy: str) -> None:
    play = Play(no_show=policy)
    ticket = play.take(person="p")
    others = [play.take() for _ in range(4)]
    play.next()
    key = ticket.key
    play.miss()
    play.do(c.Undo(window="1"))
    back = play.hall.tickets[ticket.id]
    assert (back.state, back.key, back.passes, back.ended_at) == (TicketState.CALLED, key, 0, 0)
    assert (play.hall.no_shows, play.hall.waiting) == (0, len(others))
    assert play.take(person="p").id == ticket.id
    assert play.code(c.Undo(window="1")) == "nothing-to-undo"


def test_law_11_no_undo_after_a_rating() -> None:
    play = Play()
    play.direct()
    play.do(press(play))
    assert play.code(c.Undo(window="1")) == "undo-after-rating"


def test_law_11_no_undo_after_the_next_call() -> None:
    play = Play()
    play.take()
    play.take()
    play.serve()
    play.next()
    assert play.code(c.Undo(window="1")) == "nothing-to-undo"


@pytest.mark.parametrize("how", ["cancelled", "called", "served", "missed"])
def test_law_11_no_undo_of_a_no_show_once_the_ticket_has_moved_on(how: str) -> None:
    play = Play(sit="12")
    ticket = play.take()
    play.next("1")
    play.miss("1")
    if how == "cancelled":
        play.do(c.CancelTicket(ticket=ticket.id))
    else:
        play.next("2")
    if how == "served":
        play.do(c.Finish(window="2"))
    if how == "missed":
        play.miss("2")
    assert play.code(c.Undo(window="1")) == ("ticket-at-window" if how == "called" else "nothing-to-undo")


def test_law_11_no_undo_of_a_stop_whose_ticket_has_moved_on() -> None:
    play = Play(sit="16")
    ticket = play.take("pension", "complaint")
    play.serve("1")
    play.do(c.CancelTicket(ticket=ticket.id))
    assert play.code(c.Undo(window="1")) == "nothing-to-undo"


def test_law_11_undo_of_a_stop_that_has_not_moved_on() -> None:
    play = Play(sit="16")
    ticket = play.take("pension", "complaint")
    play.serve("1")
    play.do(c.Undo(window="1"))
    back = play.hall.tickets[ticket.id]
    assert (back.state, back.stop, back.stops[0].done, play.hall.waiting) == (TicketState.SERVING, 0, False, 0)


# --- alarms ---


def test_rules_7_a_grievance_and_a_bundle_window_must_be_open_in_business_hours() -> None:
    play = Play(sit="1", start=False)
    assert alarms(play) == {}
    play.do(c.StartDay())
    assert set(alarms(play)) == {"no-grievance-window", "no-bundle-window"}
    play.sit("5")
    play.sit("6")
    assert alarms(play) == {}
    play.do(c.PauseWindow(window="6", reason="lunch"))
    assert set(alarms(play)) == {"no-grievance-window"}
    play.do(c.CloseDay())
    assert alarms(play) == {}


def quiet(**policy: int) -> Play:
    """One window and nothing else that could alarm."""
    return Play(configuration(windows=(window("1", "social"), window("2", "social")), idle_alarm_min=999, **policy))


def test_rules_32_more_than_ten_waiting_a_window() -> None:
    play = quiet()
    for _ in range(10):
        play.take()
    assert alarms(play) == {}
    play.take()
    assert alarms(play) == {"queue-long": 11}
    play.sit("2")
    assert alarms(play) == {}


def test_rules_32_a_single_wait_over_thirty_minutes() -> None:
    play = quiet()
    ticket = play.take()
    play.now = ticket.issued_at + 30 * 60_000
    assert alarms(play) == {}
    play.now += 1
    assert alarms(play) == {"single-wait": 30}
    play.next()
    assert alarms(play) == {}


def test_rules_32_an_average_over_fifteen_minutes() -> None:
    play = quiet(service_alarm_min=999)
    for _ in range(5):
        play.take()
    play.wait(16 * 60)
    for _ in range(5):
        assert "average-wait" not in alarms(play)
        play.next()
        play.wait(1)
        play.do(c.Finish(window="1"))
    assert alarms(play).get("average-wait") == 16
    play.wait(31 * 60)
    assert alarms(play) == {}


def test_a_queue_without_a_working_window_alarms() -> None:
    play = quiet()
    play.take()
    play.do(c.PauseWindow(window="1", reason="lunch"))
    assert alarms(play) == {"queue-stranded": 1}


def test_ux_c11_a_forgotten_pause_a_long_service_and_an_idle_window_alarm() -> None:
    play = Play(configuration(windows=(window("1", "social"), window("2", "social"))), sit="12")
    play.do(c.PauseWindow(window="1", reason="lunch"))
    play.do(c.ServeDirect(window="2", service="v"))
    play.wait(15 * 60)
    assert alarms(play) == {"pause-long": 15}
    play.wait(5 * 60)
    assert set(alarms(play)) == {"pause-long", "service-long"}
    play.do(c.Finish(window="2"))
    play.do(c.ResumeWindow(window="1"))
    play.wait(10 * 60)
    assert alarms(play) == {}, "nobody waits"
    play.take()
    assert alarms(play) == {"window-idle": 10}


def test_alarms_are_raised_once_acknowledged_once_and_cleared() -> None:
    play = quiet()
    ticket = play.take()
    play.do(c.AskHelp(ticket=ticket.id))
    assert kinds(play.do(c.Tick())) == ["AlarmRaised"]
    assert play.do(c.Tick()) == []
    name = f"help:{ticket.id}"
    assert kinds(play.do(c.AcknowledgeAlarm(alarm=name))) == ["AlarmAcknowledged"]
    assert play.do(c.AcknowledgeAlarm(alarm=name)) == []
    assert play.hall.alarms[name].acknowledged_by == "test"
    play.do(c.CancelTicket(ticket=ticket.id))
    assert kinds(play.do(c.Tick())) == ["AlarmCleared"]
    assert play.code(c.AskHelp(ticket=ticket.id)) == "ticket-over"


@pytest.mark.parametrize("printer", list(PrinterState))
def test_law_9_a_device_is_an_event_when_it_changes_and_an_alarm_when_it_matters(printer: PrinterState) -> None:
    play = Play(configuration(windows=(window("1", "social"),), devices=(PAD,)))
    report = c.ReportDevice(device="pad1", state=DeviceState.ONLINE, printer=printer)
    assert kinds(play.do(report)) == ["DeviceChanged"]
    assert play.do(report) == []
    expected = set() if printer is PrinterState.OK else {f"printer-{printer}"}
    assert set(alarms(play)) == expected


def test_rules_37_a_device_that_is_away_for_n_minutes_is_an_alarm_and_its_loss_and_return_one_event_each() -> None:
    """RULES 37: N is the hall's."""
    play = Play(configuration(windows=(window("1", "social"),), devices=(PAD,), device_offline_alarm_min=3))
    play.do(c.ReportDevice(device="pad1", state=DeviceState.ONLINE))
    lost = c.ReportDevice(device="pad1", state=DeviceState.OFFLINE, error="unplugged")
    assert kinds(play.do(lost)) == ["DeviceChanged"]
    assert play.do(lost) == []
    play.now += 3 * MINUTE_MS - 1
    assert alarms(play) == {}
    play.now += 1
    assert set(alarms(play)) == {"device-offline"}
    back = c.ReportDevice(device="pad1", state=DeviceState.ONLINE)
    assert kinds(play.do(back)) == ["DeviceChanged"]
    assert play.do(back) == []
    assert alarms(play) == {}
    assert configuration().policy.device_offline_alarm_min == 5


def test_rules_37_a_device_that_flaps_is_counted_and_raises_nothing() -> None:
    """RULES 37: short losses do not add up to N minutes, but they are seen."""
    play = Play(configuration(windows=(window("1", "social"),), devices=(PAD,), device_offline_alarm_min=3))
    for _ in range(4):
        play.do(c.ReportDevice(device="pad1", state=DeviceState.OFFLINE))
        play.now += 2 * MINUTE_MS
        assert alarms(play) == {}
        play.do(c.ReportDevice(device="pad1", state=DeviceState.UNKNOWN))
        play.now += 2 * MINUTE_MS
    assert play.hall.devices["pad1"].losses == 4
    play.do(c.EndDay())
    play.do(c.OpenDay(day="2026-01-06"))
    assert play.hall.devices["pad1"].losses == 0, "today's"


def test_ux_k11_the_loss_of_a_ticket_printer_is_told_at_once() -> None:
    """UX K-11: nobody can take a paper ticket there meanwhile."""
    printer = Device(id="p1", agent="a", kind="printer", url="memory:y")
    play = Play(configuration(windows=(window("1", "social"),), devices=(printer,)))
    play.do(c.ReportDevice(device="p1", state=DeviceState.OFFLINE))
    assert set(alarms(play)) == {"device-offline"}


def test_rules_3_the_kinds_of_windows_are_controlled() -> None:
    assert {WindowKind.GRIEVANCE.value, WindowKind.BUNDLE.value} == {"有诉即办", "“一件事”综合受理"}


def test_ux_w_07_a_recall_is_another_call_of_the_strip_and_serving_is_none() -> None:
    play = Play()

    def call() -> str:
        return strip_of(play.hall, 1, "strip-1", "1").call

    assert call() == ""
    play.take()
    play.next()
    first = call()
    assert first.startswith("A001@")
    play.wait(20)
    assert call() == first
    play.do(c.Recall(window="1"))
    assert call() not in ("", first)
    play.do(c.Arrive(window="1"))
    assert call() == ""


def test_ux_w_01_a_window_without_a_clerk_is_off_duty_only_outside_hours() -> None:
    """Nobody sits at window 2 while the hall serves: its strip says 暂停服务, not 下班."""
    play = Play()
    assert strip_of(play.hall, 1, "strip-2", "2").state == "paused"
    play.do(c.EndDay())
    assert strip_of(play.hall, 1, "strip-2", "2").state == "closed"
