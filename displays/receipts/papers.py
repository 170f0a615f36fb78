"""The papers of a hall as printer bytes: ticket, slip for the uncalled, test page; pure."""

from __future__ import annotations

from typing import Any, assert_never

from displays.receipts.catalogue import en, zh
from displays.receipts.model import Paper, PrinterProfile, TestPaper, TicketPaper, UncalledPaper
from displays.receipts.sheet import BIG, PLAIN, TALL, Sheet


def paper_bytes(paper: Paper, profile: PrinterProfile) -> bytes:
    """ESC/POS bytes of any paper, ending with GS r 1; `Unavailable` when a character has no glyph anywhere."""
    match paper:
        case TicketPaper():
            return ticket_bytes(paper, profile)
        case UncalledPaper():
            return uncalled_bytes(paper, profile)
        case TestPaper():
            return test_bytes(paper, profile)
        case _:
            assert_never(paper)


def ticket_bytes(ticket: TicketPaper, profile: PrinterProfile) -> bytes:
    """A ticket with all that RULES 18 wants on it, no name, no identity number."""
    sheet = Sheet(profile)
    _head(sheet, ticket.hall, ticket.zone, reprint=ticket.reprint, english=ticket.english)
    for matter in ticket.matters:
        sheet.fit(matter, [(BIG, 2), (TALL, 2), (PLAIN, 9)], bold=True)
    sheet.number(ticket.number)
    sheet.rule(4)
    _queue(sheet, ticket)
    sheet.rule()
    _passing(sheet, ticket)
    sheet.rule()
    sheet.together(zh("taken", taken=ticket.taken_at), ticket.kiosk)
    if ticket.grievance_window:
        _both(sheet, "grievance", english=ticket.english, window=ticket.grievance_window)
    return sheet.finish()


def _head(sheet: Sheet, hall: str, zone: str, *, reprint: bool, english: bool) -> None:
    if reprint:
        sheet.line(f" {zh('reprint')} ", BIG, bold=True, reverse=True)
        _both(sheet, "reprint_note", english=english)
    sheet.fit(hall, [(TALL, 1), (PLAIN, 9)], bold=True)
    if zone:
        sheet.text(zone)
    sheet.rule(4)


def _both(sheet: Sheet, key: str, *, english: bool, bold: bool = False, **values: object) -> None:
    """A plain line in Chinese and, where wanted, its English."""
    sheet.text(zh(key, **values), bold=bold)
    if english and (text := en(key, **values)):
        sheet.text(text)


def _queue(sheet: Sheet, ticket: TicketPaper) -> None:
    """How long, where, and why this place in the queue."""
    ahead = "ahead" if ticket.ahead else "ahead_none"
    sheet.fit(zh(ahead, ahead=ticket.ahead), [(BIG, 1), (TALL, 2)], bold=True)
    english = [en(ahead, ahead=ticket.ahead)]
    if span := _wait(ticket):
        wait = "wait" if span[0] < span[1] else "wait_exact"
        values = {"low": span[0], "high": span[1]}
        sheet.fit(zh(wait, **values), [(BIG, 1), (TALL, 2)])
        english.append(en(wait, **values))
    if ticket.english:
        sheet.text(". ".join(english))
    where = _where(ticket)
    if where:
        sheet.fit(where, [(TALL, 2), (PLAIN, 9)], bold=True)
    if ticket.priority:
        key = "priority" if ticket.credit_min else "priority_only"
        reasons: dict[str, Any] = {
            "taken": ticket.taken_at[-5:],
            "priority": ticket.priority,
            "credit": ticket.credit_min,
            "effective": ticket.effective_at,
        }
        _both(sheet, key, english=ticket.english, **reasons)


def _wait(ticket: TicketPaper) -> tuple[int, int] | None:
    """Minutes as the kiosk has just said them, never less than one; none: people ahead must do (UX P-02)."""
    if ticket.wait_low_min is None or ticket.wait_high_min is None:
        return None
    low = max(1, ticket.wait_low_min)
    return low, max(low, ticket.wait_high_min)


def _where(ticket: TicketPaper) -> str:
    match bool(ticket.place), bool(ticket.windows):
        case True, True:
            return zh("place", place=ticket.place, windows=ticket.windows)
        case True, False:
            return zh("place_only", place=ticket.place)
        case False, True:
            return zh("windows_only", windows=ticket.windows)
        case _:
            return ""


def _passing(sheet: Sheet, ticket: TicketPaper) -> None:
    """The code, and the pass rule exactly as it is configured (RULES 27)."""
    hint = "scan" if ticket.url else "no_code"
    if ticket.url:
        sheet.code(ticket.url, zh(hint), *([en(hint)] if ticket.english else []))
    else:
        _both(sheet, hint, english=ticket.english)
    values: dict[str, Any] = {
        "calls": ticket.pass_calls,
        "places": ticket.pass_places,
        "limit": ticket.pass_limit,
    }
    _both(sheet, f"pass_{ticket.pass_policy}", english=ticket.english, bold=True, **values)
    if ticket.code and ticket.pass_policy == "resume":
        _both(sheet, "pass_code", english=ticket.english, code=ticket.code)


def uncalled_bytes(slip: UncalledPaper, profile: PrinterProfile) -> bytes:
    """The slip that gives an uncalled ticket priority on the next working day."""
    sheet = Sheet(profile)
    _head(sheet, slip.hall, "", reprint=slip.reprint, english=slip.english)
    sheet.line(zh("uncalled"), BIG, bold=True)
    if slip.english:
        sheet.text(en("uncalled"))
    sheet.number(slip.number)
    sheet.rule(4)
    for matter in slip.matters:
        sheet.fit(matter, [(TALL, 2), (PLAIN, 9)], bold=True)
    _both(sheet, "uncalled_sorry", english=slip.english)
    sheet.fit(zh("uncalled_valid", day=slip.valid_on), [(TALL, 2)], bold=True)
    if slip.english:
        sheet.text(en("uncalled_valid", day=slip.valid_on))
    how = "uncalled_how" if slip.opens else "uncalled_how_plain"
    _both(sheet, how, english=slip.english, opens=slip.opens)
    if slip.place:
        sheet.text(zh("uncalled_where", place=slip.place))
    if slip.phone:
        sheet.text(zh("uncalled_phone", phone=slip.phone))
    sheet.rule()
    if slip.url:
        sheet.code(slip.url, zh("scan"))
        sheet.rule()
    sheet.text(zh("uncalled_origin", number=slip.number, day=slip.day))
    return sheet.finish()


def test_bytes(page: TestPaper, profile: PrinterProfile) -> bytes:
    """Sizes, punctuation, rare characters, both kinds of code and the paper's edges, to look at."""
    sheet = Sheet(profile)
    _head(sheet, page.hall, page.device, reprint=False, english=False)
    sheet.line(zh("test"), BIG, bold=True)
    sheet.text(zh("test_sizes") + " A0123456789")
    sheet.text(zh("test_sizes") + " A012", TALL)
    sheet.text(zh("test_sizes") + " A012", BIG)
    sheet.number("A012")
    sheet.text(zh("test_punctuation"))
    sheet.text(zh("test_rare"))
    sheet.text(zh("test_ruler"))
    sheet.line("|" + "-" * (profile.columns - 2) + "|")
    if page.url:
        sheet.text(zh("test_native"))
        sheet.native_code(page.url)
        sheet.text(zh("test_raster"))
        sheet.drawn_code(page.url)
        sheet.gap(10)
        sheet.text(zh("test_choose"))
    sheet.rule()
    sheet.text(page.printed_at)
    return sheet.finish()
