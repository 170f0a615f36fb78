"""Every stop of a ticket is a service of its own that its citizen may rate from the phone (RULES 36, 46; UX P-01)."""

from typing import Any

from msgspec import structs

from queue_server.domain import commands as c
from tests.http.conftest import Site


async def _two_stops(site: Site) -> tuple[dict[str, Any], list[str], list[dict[str, str]]]:
    """A ticket for two matters that no window serves both; its windows and their clerks in the order of its stops."""
    first, second = site.configuration.window[:2]
    a, b = [m for m in site.configuration.matter if m.offered][:2]
    split = (
        structs.replace(first, domains=(), matters=(a.id,), home=(), bundles=False),
        structs.replace(second, domains=(), matters=(b.id,), home=(), bundles=False),
    )
    changed = structs.replace(site.configuration, window=split, bundle=())
    await site.hub.tell(c.ApplyConfiguration(configuration=changed, source="test"), "test")
    clerks = [await site.sit(window.id) for window in split]
    taken = (await site.take(a.id, b.id, paper=False)).body
    assert len(taken["ticket"]["stations"]) == 2
    return taken, [window.id for window in split], clerks


async def _view(site: Site, token: str) -> dict[str, Any]:
    answer = await site.ask("GET", f"phone/{token}")
    assert answer.status == 200, answer
    view: dict[str, Any] = answer.body
    return view


async def test_rules_36_a_finished_stop_is_rated_while_the_next_one_waits(site: Site) -> None:
    taken, windows, clerks = await _two_stops(site)
    token = taken["token"]
    one = await site.serve(windows[0], clerks[0])
    view = await _view(site, token)
    assert (view["ticket"]["state"], view["rate_service"], view["rate_plate"]) == ("waiting", one, "1")
    assert view["rate_matters"] == [taken["ticket"]["matters"][0]]
    body = {"token": token, "service": one, "level": 4}
    assert (await site.ask("POST", "ratings", None, body)).status == 200
    again = await site.ask("POST", "ratings", None, body)
    assert (again.status, again.body["code"]) == (409, "already-rated")
    assert (await _view(site, token))["rate_service"] == ""


async def test_rules_46_each_stop_is_rated_once_whichever_way_came_first(site: Site) -> None:
    taken, windows, clerks = await _two_stops(site)
    token = taken["token"]
    one = await site.serve(windows[0], clerks[0])
    two = await site.serve(windows[1], clerks[1])
    assert (await _view(site, token))["rate_service"] == two, "the last one first"
    pressed = c.PressRating(id="press", window=windows[1], level=5, pressed_at=site.hub.clock.now(), device="pad-2")
    await site.hub.tell(pressed, "pad-2")
    assert (await _view(site, token))["rate_service"] == one, "the pad had the other"
    late = await site.ask("POST", "ratings", None, {"token": token, "service": two, "level": 5})
    assert late.body["code"] == "already-rated"
    await site.new_day()
    assert (await _view(site, token))["rate_service"] == one
    assert (await site.ask("POST", "ratings", None, {"token": token, "service": one, "level": 5})).status == 200
    assert (await _view(site, token))["rate_service"] == ""


async def test_law_11_a_stop_whose_end_was_undone_is_not_rated(site: Site) -> None:
    taken, windows, clerks = await _two_stops(site)
    await site.serve(windows[0], clerks[0])
    assert (await site.ask("POST", f"windows/{windows[0]}/undo", clerks[0])).status == 200
    assert (await _view(site, taken["token"]))["rate_service"] == ""


async def _snapshot(site: Site, token: str) -> dict[str, Any]:
    """What the websocket of a phone shows first: a snapshot, or why not."""
    async with site.session.ws_connect(site.running.url + "/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        of = (await socket.receive_json())["of"]
        await socket.send_json({"type": "subscribe", "view": "ticket", "of": of})
        while True:
            message: dict[str, Any] = await socket.receive_json(timeout=5)
            if message["type"] in ("snapshot", "refused"):
                return message


async def test_ux_p_01_the_websocket_shows_an_earlier_day_as_http_does_while_it_may_be_rated(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    taken = (await site.take(paper=False)).body
    service = await site.serve(window, clerk)
    until = (await _view(site, taken["token"]))["rate_until"]
    await site.new_day()
    shown = await _snapshot(site, taken["token"])
    assert shown["type"] == "snapshot", shown
    assert shown["documents"]["ticket"]["rate_service"] == service
    asked = await _view(site, taken["token"])
    for view in (asked, shown["documents"]["ticket"]):
        del view["ticket"]["updated_at"]
    assert shown["documents"]["ticket"] == asked
    assert shown["documents"]["hall"]["name"]["zh"] == site.configuration.hall.name
    site.hub.clock.at_least(until + 1)
    assert (await _snapshot(site, taken["token"]))["code"] == "not-found"
