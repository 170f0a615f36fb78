"""Closing early is said on every screen, in the hall's own words when nobody wrote any (UX D-08, RULES 34)."""

from typing import Any

import pytest

from queue_server.app.texts import words
from tests.http.conftest import Site


async def _shown(site: Site, view: str, of: str) -> dict[str, Any]:
    now = site.hub.clock.now()
    shown: dict[str, Any] = await site.hub.read(lambda hall: site.running.frame.screens.render(hall, view, of, now))
    return shown


@pytest.mark.parametrize("body", [{}, {"text": "  ", "text_en": ""}])
async def test_rules_34_closing_without_words_says_the_usual_ones(site: Site, body: dict[str, str]) -> None:
    manager = await site.as_staff("manager")
    assert (await site.ask("POST", "day/close", manager, body)).status == 200
    usual = words("closing-early")
    for view, of in (("hall", ""), ("kiosk", site.configuration.kiosk[0].id)):
        message = (await _shown(site, view, of))["hall"].message
        assert (message.kind, message.text) == ("closing", usual)
    kiosk = (await _shown(site, "kiosk", site.configuration.kiosk[0].id))["kiosk"]
    assert not kiosk.issuing
    assert kiosk.closed_reason == words("tickets-ended")


async def test_rules_34_a_managers_own_words_stand(site: Site) -> None:
    manager = await site.as_staff("manager")
    await site.ask("POST", "day/close", manager, {"text": "停电，今天提前结束"})
    assert (await _shown(site, "hall", ""))["hall"].message.text.zh == "停电，今天提前结束"
