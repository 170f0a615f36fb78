"""What the guide and the manager see counted: unmet demand, invitations by window, calls of given numbers."""

from typing import Any

from queue_server.domain.model import Hall
from queue_server.domain.serving import Serving
from queue_server.wire.common import Words
from tests.http.conftest import Site


async def _shown(site: Site, view: str) -> dict[str, Any]:
    screens = site.running.frame.screens

    def look(hall: Hall) -> dict[str, Any]:
        return dict(screens.render(hall, view, "", site.hub.clock.now()))

    return dict(await site.hub.read(look))


def _demand(shown: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(line.id, line.kind, line.times) for line in shown["demand"].lines]


async def test_rules_17_guide_and_manager_see_what_nobody_served(site: Site) -> None:
    """Which, how often, when last; a retry with the same key and an impatient citizen count once (DESIGN law 6)."""
    wanted = site.offered()
    kiosk = await site.as_device("kiosk", site.configuration.kiosk[0].id)
    body = {"matters": [wanted]}
    for key in ("one", "one", "two"):
        refused = await site.ask("POST", "tickets", kiosk, body, key)
        assert (refused.status, refused.body["code"]) == (409, "nobody-serves")
    assert _demand(await _shown(site, "guide")) == [(wanted, "matter", 1)]
    site.hub.clock.at_least(site.hub.clock.now() + 61_000)
    assert (await site.ask("POST", "tickets", kiosk, body, "one")).status == 409, "the key was counted a minute ago"
    assert (await site.ask("POST", "tickets", kiosk, body, "three")).status == 409
    bundle = site.configuration.bundle[0]
    assert (await site.ask("POST", "tickets", kiosk, {"bundle": bundle.id})).status == 409
    shown = await _shown(site, "manager")
    assert _demand(shown)[0] == (wanted, "matter", 2)
    assert shown["demand"].lines[0].name.zh == next(m.name for m in site.configuration.matter if m.id == wanted)
    assert bundle.name_en
    assert (bundle.id, "bundle", Words(zh=bundle.name, en=bundle.name_en)) in [
        (line.id, line.kind, line.name) for line in shown["demand"].lines
    ]
    assert shown["demand"].lines[0].last_at <= site.hub.clock.now()
    assert shown["figures"].unmet == sum(line.times for line in shown["demand"].lines)
    await site.sit(site.configuration.window[0].id)
    assert (await site.ask("POST", "tickets", kiosk, body)).status == 201


async def test_rules_36_the_manager_sees_the_invitations_of_each_window(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    await site.take()
    await site.serve(window, clerk)
    await site.ask("POST", f"windows/{window}/serve-direct", clerk)
    await site.ask("POST", f"windows/{window}/finish", clerk)
    figures = (await _shown(site, "manager"))["figures"]
    assert [(each.window, each.served, each.invited) for each in figures.windows] == [(window, 2, 2)]
    assert (figures.served, figures.served_direct, figures.invited) == (2, 1, 2)
    await site.ask("POST", f"windows/{window}/undo", clerk)
    figures = (await _shown(site, "manager"))["figures"]
    assert [(each.served, each.invited) for each in figures.windows] == [(1, 1)]


async def test_rules_23_calls_of_given_numbers_are_reported_by_clerk_window_and_reason(site: Site) -> None:
    served, windows = Serving(site.configuration), [window.id for window in site.configuration.window]
    wanted = next(m.id for m in site.configuration.matter if m.offered and len(served.windows_for([m.id])) > 1)
    first, second = [name for name in windows if name in served.windows_for([wanted])][:2]
    clerks = {name: await site.sit(name) for name in (first, second)}
    desk = await site.as_staff("manager")
    for window, reason in ((first, "priority"), (first, "行动不便"), (first, "材料补齐"), (second, "returned")):
        number = (await site.take(wanted)).body["ticket"]["number"]
        called = await site.ask("POST", f"windows/{window}/call", desk, {"number": number, "reason": reason})
        assert called.status == 200, called
        await site.ask("POST", f"windows/{window}/arrive", clerks[window])
        await site.ask("POST", f"windows/{window}/finish", clerks[window])
    figures = (await _shown(site, "manager"))["figures"]
    told = [
        (line.window, line.times, [(each.reason.zh, each.times) for each in line.reasons]) for line in figures.given
    ]
    assert told == [(first, 3, [("自己写的原因", 2), ("依法优先", 1)]), (second, 1, [("补材料回来", 1)])]
    assert figures.given[0].staff_name
    assert figures.called_given == 4
