"""What a citizen may still do when the day has changed: see the ticket and rate the service (UX P-01, P-10; RULES 46)."""

import asyncio
from typing import Any

import msgspec
import pytest

from queue_server.app import past
from tests.http.conftest import Site


async def _served(site: Site) -> tuple[dict[str, Any], str, str]:
    """A ticket served at window 1: the answer to taking it, its service, and its token."""
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    taken = await site.take()
    service = await site.serve(window, clerk)
    return taken.body, service, taken.body["token"]


def _rating(token: str, service: str, level: int = 5, **more: object) -> dict[str, object]:
    return {"token": token, "service": service, "level": level, **more}


async def _ratings(site: Site) -> list[dict[str, Any]]:
    rows = [row async for row in site.running.frame.store.read(site.hub.name) if row.kind == "ServiceRated"]
    return [{"subject": row.subject, **msgspec.json.decode(row.data)} for row in rows]


async def test_ux_p_01_the_phone_still_shows_the_ticket_the_next_day(site: Site) -> None:
    taken, service, token = await _served(site)
    before = (await site.ask("GET", f"phone/{token}")).body
    assert before["rate_service"] == service
    assert before["rate_until"] > site.hub.clock.now()
    await site.new_day()
    after = await site.ask("GET", f"phone/{token}")
    assert after.status == 200
    assert (after.body["ticket"]["number"], after.body["ticket"]["state"]) == (taken["ticket"]["number"], "done")
    assert (after.body["rate_service"], after.body["rate_until"]) == (service, before["rate_until"])
    assert (await site.ask("POST", f"phone/{token}/cancel")).body["code"] == "ticket-unknown"


async def test_rules_46_a_service_of_an_earlier_day_is_rated_once(site: Site) -> None:
    _, service, token = await _served(site)
    await site.new_day()
    many = await asyncio.gather(*(site.ask("POST", "ratings", None, _rating(token, service)) for _ in range(5)))
    assert sorted(each.status for each in many) == [200, 409, 409, 409, 409]
    assert {each.body["code"] for each in many if each.status == 409} == {"already-rated"}
    [stored] = await _ratings(site)
    assert (stored["subject"], stored["service"], stored["level"]) == ("ratings", service, 5)
    await site.new_day()
    again = await site.ask("POST", "ratings", None, _rating(token, service))
    assert (again.status, again.body["code"]) == (409, "already-rated")
    assert (await site.ask("GET", f"phone/{token}")).body["rate_service"] == ""
    assert len(await _ratings(site)) == 1


async def test_rules_46_what_was_rated_on_its_day_is_not_rated_later(site: Site) -> None:
    _, service, token = await _served(site)
    assert (await site.ask("POST", "ratings", None, _rating(token, service))).status == 200
    await site.new_day()
    again = await site.ask("POST", "ratings", None, _rating(token, service))
    assert (again.status, again.body["code"]) == (409, "already-rated")


async def test_rules_46_the_windows_qr_rates_a_direct_service_later(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    started = await site.ask("POST", f"windows/{window}/serve-direct", clerk)
    service = started.body["desk"]["service"]
    await site.ask("POST", f"windows/{window}/finish", clerk)
    token = site.running.frame.screens.around.tokens.make("s", service)
    await site.new_day()
    other = await site.ask("POST", "ratings", None, _rating(token, "0" * 16))
    assert (other.status, other.body["code"]) == (409, "service-unknown")
    assert (await site.ask("POST", "ratings", None, _rating(token, service, 4))).status == 200


async def test_rules_45_a_bad_rating_needs_a_reason_on_later_days_too(site: Site) -> None:
    _, service, token = await _served(site)
    await site.new_day()
    bare = await site.ask("POST", "ratings", None, _rating(token, service, 1))
    assert bare.body["code"] == "rating-needs-reason"
    assert (await site.ask("POST", "ratings", None, _rating(token, service, 1, tags=["113"]))).status == 200


@pytest.mark.parametrize("site", [{"rating_days": 2}], indirect=True)
async def test_ux_p_10_the_rating_period_ends(site: Site) -> None:
    _, service, token = await _served(site)
    until = (await site.ask("GET", f"phone/{token}")).body["rate_until"]
    await site.new_day()
    site.hub.clock.at_least(until + 1)
    late = await site.ask("POST", "ratings", None, _rating(token, service))
    assert (late.status, late.body["code"]) == (409, "rating-closed")
    assert (await site.ask("GET", f"phone/{token}")).status == 404


async def test_a_ticket_of_another_cannot_be_rated_with_mine(site: Site) -> None:
    _, service, _ = await _served(site)
    mine = (await site.take()).body["token"]
    assert (await site.ask("POST", "ratings", None, _rating(mine, service))).body["code"] == "service-unknown"
    await site.new_day()
    assert (await site.ask("POST", "ratings", None, _rating(mine, service))).body["code"] == "service-unknown"


async def test_a_ticket_with_a_full_life_is_told_again_as_it_was(site: Site) -> None:
    """Every way through a day that a ticket can take must be retold from its own rows alone."""
    window = site.configuration.window[0].id
    clerk, guide = await site.sit(window), await site.as_staff("guide", "manager")
    second = await site.sit(site.configuration.window[1].id)
    taken = (await site.take()).body
    name = taken["ticket"]["id"]
    at = f"windows/{window}"
    for step, body in (
        ("call-next", {}),
        ("no-show", {"reason": "没来"}),
        ("undo", {}),
        ("arrive", {}),
        ("park", {"reason": "缺材料"}),
        ("unpark", {"ticket": name}),
        ("finish", {}),
        ("undo", {}),
        ("transfer", {"window": site.configuration.window[1].id, "reason": "转"}),
    ):
        answer = await site.ask("POST", f"{at}/{step}", clerk, body)
        assert answer.status == 200, (step, answer)
    await site.serve(site.configuration.window[1].id, second)
    before = await site.ask("GET", f"tickets/{name}/life", guide)
    assert before.status == 200
    await site.new_day()
    after = await site.ask("GET", f"tickets/{name}/life", guide)
    assert after.body["lines"] == before.body["lines"]
    assert after.body["ticket"]["state"] == before.body["ticket"]["state"] == "done"
    said = [line["text"]["zh"] for line in after.body["lines"]]
    assert "办结（已办）" in said
    assert not any("done" in text or "printed" in text for text in said)


async def test_nothing_is_told_of_what_never_was(site: Site) -> None:
    store, configuration = site.running.frame.store, site.configuration
    for kind in ("t", "s"):
        assert await past.retell(store, site.hub.name, configuration, kind, "0" * 16) is None
    assert (await site.ask("GET", f"tickets/{'0' * 16}/life", await site.as_staff("manager"))).status == 404


async def test_a_rating_of_an_earlier_day_survives_a_restart(site: Site) -> None:
    _, service, token = await _served(site)
    await site.new_day()
    assert (await site.ask("POST", "ratings", None, _rating(token, service))).status == 200
    await site.hub._rebuild()
    again = await site.ask("POST", "ratings", None, _rating(token, service))
    assert (again.status, again.body["code"]) == (409, "already-rated")
    assert await site.hub.read(lambda hall: (hall.rated, hall.rated_earlier)) == (0, {service})
