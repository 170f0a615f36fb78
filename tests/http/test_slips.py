"""Whom the day does not reach goes home with a slip that has priority on the next working day (RULES 34 as applied)."""

from typing import Any

import msgspec
from msgspec import structs

from queue_server.domain import commands as c
from queue_server.domain.configuration import Device, Kiosk
from queue_server.domain.model import Hall
from queue_server.wire.common import DeviceState, PrinterState, PrintState
from tests.http.conftest import Site


class Printer:
    """An agent that has one printer and takes every job."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def offer(self, message: Any) -> bool:
        if type(message).__name__ == "PrintJob":
            self.jobs.append(message)
        return True


async def _with_printer(site: Site) -> Printer:
    printer, agent = Printer(), "desk-pc"
    device = Device(id="slips", agent=agent, kind="printer", url="memory:slips")
    kiosk = Kiosk(id="k", printer="slips")
    changed = structs.replace(site.configuration, device=(device,), kiosk=(kiosk,))
    await site.hub.tell(c.ApplyConfiguration(configuration=changed, source="test"), "test")
    await site.running.frame.agents.connect(agent, printer)
    ready = c.ReportDevice(device="slips", state=DeviceState.ONLINE, printer=PrinterState.OK)
    await site.hub.tell(ready, "test")
    return printer


async def test_rules_34_a_closing_hall_gives_a_slip_that_has_priority_the_next_day(site: Site) -> None:
    printer = await _with_printer(site)
    guide, manager = await site.as_staff("guide"), await site.as_staff("manager")
    await site.sit(site.configuration.window[0].id)
    taken = (await site.take(paper=False)).body
    name, number, token = taken["ticket"]["id"], taken["ticket"]["number"], taken["token"]
    early = await site.ask("POST", f"tickets/{name}/slip", guide)
    assert (early.status, early.body["code"]) == (409, "slip-too-early")
    closing = await site.ask("POST", "day/close", manager, {"text": "今天提前闭厅"})
    assert closing.status == 200
    given = await site.ask("POST", f"tickets/{name}/slip", guide)
    assert (given.status, given.body["ticket"]["state"]) == (200, "uncalled")
    [job] = printer.jobs
    paper = msgspec.json.decode(job.paper)
    assert (paper["paper"], paper["number"]) == ("uncalled", number)
    assert paper["valid_on"] > paper["day"]
    assert token in paper["url"]
    assert given.body["print_job"] == job.job
    busy = await site.ask("POST", f"tickets/{name}/slip", guide)
    assert busy.body["code"] == "print-in-progress"

    assert (await site.take(slip=token)).body["code"] == "slip-unknown", "good on the next working day only"
    day = await site.new_day()
    assert day == paper["valid_on"], "the test hall works every day"
    await site.sit(site.configuration.window[1].id)
    await site.sit(site.configuration.window[0].id)
    first, second = (await site.take(paper=False)).body, (await site.take(slip=token, paper=False)).body
    assert second["ticket"]["effective_at"] < first["ticket"]["effective_at"]
    assert second["ticket"]["ahead"] == 0
    assert "未叫到" in second["ticket"]["explanation"]["zh"]
    assert (await site.take(slip=token)).body["code"] == "slip-used"
    assert (await site.take(slip=second["token"])).body["code"] == "slip-unknown"


async def test_ux_k_12_a_slip_that_was_not_printed_is_on_the_guides_page(site: Site) -> None:
    await _with_printer(site)
    guide = await site.as_staff("guide", "manager")
    await site.sit(site.configuration.window[0].id)
    name = (await site.take(paper=False)).body["ticket"]["id"]
    await site.ask("POST", "day/close", guide)
    await site.ask("POST", f"tickets/{name}/slip", guide)
    await site.hub.tell(c.RecordPrint(ticket=name, state=PrintState.FAILED, reason="缺纸"), "printer")
    screens = site.running.frame.screens

    def look(hall: Hall) -> list[tuple[str, str]]:
        alarms = screens.render(hall, "guide", "", site.hub.clock.now())["alarms"].alarms  # type: ignore[union-attr]
        return [(alarm.action, alarm.subject) for alarm in alarms if alarm.code == "print"]

    assert await site.hub.read(look) == [("slip", name)]
    again = await site.ask("POST", f"tickets/{name}/slip", guide)
    assert again.status == 200
    assert await site.hub.read(look) == []


async def test_rules_34_after_the_day_a_slip_is_still_printed_and_without_a_printer_the_phone_is_it(site: Site) -> None:
    guide = await site.as_staff("guide")
    await site.sit(site.configuration.window[0].id)
    taken = (await site.take(paper=False)).body
    await site.hub.tell(c.EndDay(), "test")
    answer = await site.ask("POST", f"tickets/{taken['ticket']['id']}/slip", guide)
    assert (answer.status, answer.body["print_job"]) == (200, "")
    assert (await site.ask("GET", f"phone/{taken['token']}")).body["ticket"]["state"] == "uncalled"


async def _uncalled(site: Site, **wanted: object) -> dict[str, Any]:
    """A ticket that the day did not reach, and the next day's windows."""
    await site.sit(site.configuration.window[0].id)
    taken: dict[str, Any] = (await site.take(paper=False, **wanted)).body
    await site.new_day()
    await site.sit(site.configuration.window[0].id)
    return taken


async def test_rules_34_a_slip_alone_brings_back_what_it_was_for(site: Site) -> None:
    """A scanner types the whole address and a kiosk knows no matter: matters, quantity and class are the slip's own."""
    priority = site.configuration.priority[0].id
    taken = await _uncalled(site, quantity=3, priority=priority)
    kiosk = await site.as_device("kiosk", site.configuration.kiosk[0].id)
    body = {"slip": taken["url"], "paper": False}
    again = await site.ask("POST", "tickets", kiosk, body, "scan")
    assert again.status == 201
    old, new = taken["ticket"], again.body["ticket"]
    assert (new["matters"], new["quantity"], new["priority"]) == (old["matters"], 3, priority)
    assert "未叫到" in new["explanation"]["zh"]
    assert (await site.ask("POST", "tickets", kiosk, body, "scan")).body["ticket"]["id"] == new["id"], "DESIGN law 6"
    assert (await site.ask("POST", "tickets", kiosk, body)).body["code"] == "slip-used"


async def test_rules_16_the_ticket_for_a_slip_is_the_persons_own(site: Site) -> None:
    """Yesterday's ticket had a person, so today's has: taking another for the same matter answers with it."""
    identity = {"kind": "id_card", "number": "110101199003070011", "name": "某某"}
    taken = await _uncalled(site, identity=identity)
    again = (await site.take(slip=taken["token"], paper=False)).body
    assert again["created"]
    asked = await site.take(identity=identity, paper=False)
    assert (asked.status, asked.body["ticket"]["id"]) == (200, again["ticket"]["id"])
    other = await site.take(identity={**identity, "number": "110101199003070012"}, paper=False)
    assert other.status == 201, "nobody else's"


async def test_rules_34_a_guide_may_type_the_number_on_the_slip_and_a_kiosk_may_not(site: Site) -> None:
    taken = await _uncalled(site)
    kiosk = await site.as_device("kiosk", site.configuration.kiosk[0].id)
    guide, number = await site.as_staff("guide"), taken["ticket"]["number"]
    assert (await site.ask("POST", "tickets", kiosk, {"slip": number})).body["code"] == "slip-unknown"
    assert (await site.ask("POST", "tickets", guide, {"slip": "Z999"})).body["code"] == "slip-unknown"
    again = await site.ask("POST", "tickets", guide, {"slip": f" {number.lower()} ", "paper": False})
    assert (again.status, again.body["ticket"]["matters"]) == (201, taken["ticket"]["matters"])


async def test_rules_34_a_slip_of_a_bundle_is_for_the_bundle(site: Site) -> None:
    for window in site.configuration.window:
        await site.sit(window.id)
    guide = await site.as_staff("guide")
    bundle = site.configuration.bundle[0].id
    taken = (await site.ask("POST", "tickets", guide, {"bundle": bundle, "paper": False})).body
    await site.new_day()
    for window in site.configuration.window:
        await site.sit(window.id)
    again = await site.ask("POST", "tickets", guide, {"slip": taken["token"], "paper": False})
    assert (again.status, again.body["ticket"]["matters"]) == (201, taken["ticket"]["matters"])


async def test_rules_34_the_day_page_lists_whom_the_day_does_not_reach_and_their_slips(site: Site) -> None:
    """The manager sees each slip's outcome: none yet, being printed, printed, not printed."""
    await _with_printer(site)
    manager = await site.as_staff("manager")
    window = await site.sit(site.configuration.window[0].id)
    names = [(await site.take(paper=False)).body["ticket"]["id"] for _ in range(3)]
    await site.ask("POST", f"windows/{site.configuration.window[0].id}/pause", window, {"reason": "lunch"})
    await site.ask("POST", "day/close", manager, {"text": "今天提前闭厅", "text_en": "We close early today"})

    async def told() -> list[tuple[str, str, int, str]]:
        late = (await site.ask("GET", "day/closing", manager)).body["unreachable"]
        return [(each["id"], each["state"], each["slips"], each["print_state"]) for each in late]

    assert await told() == [(name, "waiting", 0, "none") for name in names]
    await site.ask("POST", f"tickets/{names[0]}/slip", manager)
    waiting = [(name, "waiting", 0, "none") for name in names[1:]]
    assert await told() == [*waiting, (names[0], "uncalled", 1, "claimed")]
    await site.hub.tell(c.RecordPrint(ticket=names[0], state=PrintState.PRINTED), "printer")
    assert (await told())[-1][3] == "printed"
    await site.hub.tell(c.EndDay(), "test")
    assert [line[1:3] for line in await told()] == [("uncalled", 1), ("uncalled", 0), ("uncalled", 0)]
