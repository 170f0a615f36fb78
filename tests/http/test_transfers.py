"""Passing a ticket on to a domain or a person (UX C-12), and the alarm of a bad rating (RULES 54, UX M-02), through HTTP."""

import aiohttp

from queue_server.app.views.tickets import plate_of, ticket_document
from queue_server.domain import commands as c
from queue_server.domain.model import Hall
from queue_server.wire.documents import AlarmDocument, AlarmsDocument
from tests.http.conftest import Site


async def _shown(site: Site, view: str, code: str) -> list[AlarmDocument]:
    """The alarms of this code on the guide's or the manager's page."""
    screens, now = site.running.frame.screens, site.hub.clock.now()

    def look(hall: Hall) -> list[AlarmDocument]:
        document = screens.render(hall, view, "", now)["alarms"]
        assert isinstance(document, AlarmsDocument)
        return [alarm for alarm in document.alarms if alarm.code == code]

    return await site.hub.read(look)


async def test_ux_c12_to_a_domain_or_a_person_with_the_people_ahead_before_it_is_done(site: Site) -> None:
    """Where it may go, what it would mean, that somebody is away; the note arrives, and the life tells it in words."""
    first, second = (each.id for each in site.configuration.window[:2])
    clerk, manager = await site.sit(first), await site.as_staff("manager")
    await site.as_staff("clerk", window="away")
    waiting = (await site.take(paper=False)).body["ticket"]
    called = (await site.ask("POST", f"windows/{first}/call-next", clerk)).body["desk"]
    held = called["ticket"]
    assert held["number"] == waiting["number"]
    allowed = {each["name"]: each["allowed"] for each in called["actions"]}
    assert allowed["transfer"], "also while every other window is closed"
    other = await site.sit(second)
    targets = (await site.ask("GET", f"windows/{first}/transfer", clerk)).body
    people = {each["staff"]: each for each in targets["staff"]}
    me, colleague = await site.hub.read(lambda hall: [hall.windows[each].staff for each in (first, second)])
    assert me not in people
    assert (people[colleague]["window"], people[colleague]["state"]) == (second, "idle")
    assert (people["clerkaway"]["window"], people["clerkaway"]["state"]) == ("", None)
    assert next(each["staff"] for each in targets["staff"]) == colleague, "who is at work first"
    domain = next(each for each in targets["domains"] if each["windows_open"])
    refused = await site.ask("POST", f"windows/{first}/transfer/preview", clerk, {"staff": "clerkaway"})
    assert (refused.status, refused.body["code"]) == (409, "staff-not-at-window")
    for body in ({"domain": domain["id"]}, {"staff": colleague}):
        seen = (await site.ask("POST", f"windows/{first}/transfer/preview", clerk, body)).body
        assert (seen["ahead"], seen["windows_open"] > 0) == (0, True)
    sent = await site.ask("POST", f"windows/{first}/transfer", clerk, {"staff": colleague, "reason": "她办过前半截"})
    assert sent.status == 200, sent
    assert (await site.ask("POST", f"windows/{first}/call-next", clerk)).body["code"] == "nobody-waiting"
    life = (await site.ask("GET", f"tickets/{held['id']}/life", manager)).body
    [told] = [line["text"]["zh"] for line in life["lines"] if line["kind"] == "TicketTransferred"]
    assert told == f"转到 {people[colleague]['name']}（{colleague}）：她办过前半截"
    desk = (await site.ask("POST", f"windows/{second}/call-next", other)).body["desk"]
    note = (await site.ask("GET", f"said/{desk['passed_on']}", other)).body["text"]
    assert (desk["ticket"]["number"], note) == (held["number"], "她办过前半截")


async def test_ux_c12_m02_who_waits_for_somebody_gone_is_told_with_name_and_number(site: Site) -> None:
    first, second = (each.id for each in site.configuration.window[:2])
    clerk, other = await site.sit(first), await site.sit(second)
    colleague = await site.hub.read(lambda hall: hall.windows[second].staff)
    number = (await site.take(paper=False)).body["ticket"]["number"]
    await site.ask("POST", f"windows/{first}/call-next", clerk)
    await site.ask("POST", f"windows/{first}/transfer", clerk, {"staff": colleague})
    assert (await site.ask("GET", f"windows/{second}/leaving", other)).body["stranded"] == 1
    assert (await site.ask("POST", f"windows/{second}/close", other)).body["stranded"] == 1
    await site.hub.tell(c.Tick(), "clock")
    [alarm] = await _shown(site, "guide", "queue-stranded")
    assert alarm.text.zh.startswith(f"{number} 在等 ")
    assert colleague in alarm.text.zh
    document = await site.hub.read(
        lambda hall: ticket_document(hall, next(iter(hall.tickets.values())), site.hub.clock, site.hub.clock.now())
    )
    assert document.watch.zh == "请留意叫号：您要找的工作人员暂时不在窗口", "the phone names no window"


async def test_rules_50_54_ux_m02_a_bad_rating_is_told_to_the_manager_by_its_window_only(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    assert (await site.ask("POST", f"windows/{window}/serve-direct", clerk, {})).status == 200
    assert (await site.ask("POST", f"windows/{window}/finish", clerk, {})).status == 200
    service = await site.hub.read(lambda hall: hall.windows[window].last_service)
    token = site.running.frame.screens.around.tokens.make("s", service)
    rating = {"token": token, "service": service, "level": 1, "tags": ["108"], "text": ""}
    assert (await site.ask("POST", "ratings", {}, rating)).status == 200
    [alarm] = await _shown(site, "manager", "bad-rating")
    plate = await site.hub.read(lambda hall: plate_of(hall, window))
    assert (alarm.level, alarm.subject) == ("alert", window)
    assert alarm.text.zh == f"{plate} 号窗口收到差评，请尽快了解情况"
    assert await _shown(site, "guide", "bad-rating") == []
    guessed = await site.ask("POST", f"alarms/{alarm.id}/acknowledge", await site.as_staff("guide"))
    assert guessed.body["code"] == "alarm-unknown", "what is not shown to somebody is not taken away by them either"
    assert (await site.ask("POST", f"alarms/{alarm.id}/acknowledge", await site.as_staff("manager"))).status == 200
    await site.hub.tell(c.Tick(), "clock")
    assert await _shown(site, "manager", "bad-rating") == []


async def test_rules_58_a_manager_neither_sees_nor_puts_away_the_bad_rating_about_themselves(site: Site) -> None:
    """RULES 58: "Handler of a 差评 may not be the rated staff member"; of today's service or of an earlier day's."""
    window = site.configuration.window[0].id
    own, other = await site.as_staff("clerk", "manager", window=window), await site.as_staff("manager")
    assert (await site.ask("POST", f"windows/{window}/open", own)).status == 200
    services = []
    for _ in range(2):
        assert (await site.ask("POST", f"windows/{window}/serve-direct", own, {})).status == 200
        assert (await site.ask("POST", f"windows/{window}/finish", own, {})).status == 200
        services.append(await site.hub.read(lambda hall: hall.windows[window].last_service))

    async def rate(service: str) -> None:
        token = site.running.frame.screens.around.tokens.make("s", service)
        rating = {"token": token, "service": service, "level": 1, "tags": ["108"], "text": ""}
        assert (await site.ask("POST", "ratings", {}, rating)).status == 200

    url, wanted = f"{site.running.url}/api/v1/live", {"type": "subscribe", "view": "manager", "of": ""}
    session = site.session
    async with session.ws_connect(url, headers=own) as mine, session.ws_connect(url, headers=other) as theirs:
        for page in (mine, theirs):
            await page.send_json({"type": "hello", "token": ""})
            await page.send_json(wanted)

        async def bad(page: aiohttp.ClientWebSocketResponse, kind: str) -> list[str]:
            """The bad ratings of the next snapshot, or of the next change that has some; none is in what comes before."""
            while True:
                said = await page.receive_json(timeout=30)
                shown = (said.get("documents", {}).get("alarms") or {}).get("alarms", [])
                found = [alarm["id"] for alarm in shown if alarm["code"] == "bad-rating"]
                if said["type"] == kind and (found or kind == "snapshot"):
                    return found
                assert found == []

        assert await bad(mine, "snapshot") == await bad(theirs, "snapshot") == []
        await rate(services[0])
        [today] = await bad(theirs, "change")
        await mine.send_json(wanted)
        assert await bad(mine, "snapshot") == []

        assert (await site.ask("POST", f"windows/{window}/close", own)).status == 200
        await site.new_day()
        await rate(services[1])
        while len(both := await bad(theirs, "change")) < 2:
            pass
        await mine.send_json(wanted)
        assert await bad(mine, "snapshot") == []
    for alarm in both:
        refused = await site.ask("POST", f"alarms/{alarm}/acknowledge", own)
        assert refused.body["code"] == "alarm-unknown"
        assert (await site.ask("POST", f"alarms/{alarm}/acknowledge", other)).status == 200
    assert today in both
