"""A citizen whose call was missed brings the ticket back at a kiosk (RULES 27, 28): the code of the slip, and every refusal."""

from typing import Any

import pytest

from queue_server.app.accounts import LOCKED_MS
from queue_server.domain import commands as c
from queue_server.domain.configuration import NoShowPolicy
from queue_server.domain.errors import Rejected
from tests.http.conftest import Site

SAME_WINDOW = pytest.mark.parametrize("site", [{"no_show": NoShowPolicy.SAME_WINDOW}], indirect=True)


async def _missed(site: Site, window: str, clerk: dict[str, str]) -> None:
    assert (await site.ask("POST", f"windows/{window}/call-next", clerk)).status == 200
    gone = await site.ask("POST", f"windows/{window}/no-show", clerk, {"reason": "没来"})
    assert gone.status == 200, gone


def _slip(site: Site, taken: dict[str, Any]) -> dict[str, str]:
    code = site.running.frame.screens.around.tokens.code(taken["ticket"]["id"])
    return {"number": taken["ticket"]["number"], "code": code}


@SAME_WINDOW
async def test_rules_28_a_passed_ticket_waits_again_by_its_qr_code_or_number_and_code(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk, kiosk = await site.sit(window), await site.as_device("kiosk", "kiosk-1")
    first, second = (await site.take()).body, (await site.take()).body
    third = (await site.take()).body
    figures = {**_slip(site, third), "number": third["ticket"]["number"].lstrip("ABCDEFGHJKLMNPRSTUVWXY").lstrip("0")}
    for taken, slip in ((first, {"token": first["token"]}), (second, _slip(site, second)), (third, figures)):
        await _missed(site, window, clerk)
        back = await site.ask("POST", "kiosk/reactivate", kiosk, slip)
        assert back.status == 200, back
        assert back.body["ticket"]["state"] == "waiting"
        assert back.body["ticket"]["number"] == taken["ticket"]["number"], "no new number"
        assert not back.body["created"]
        await site.ask("POST", f"tickets/{taken['ticket']['id']}/cancel", await site.as_staff("guide"))


@SAME_WINDOW
async def test_rules_28_each_refusal_says_where_to_go(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk, kiosk, guide = await site.sit(window), await site.as_device("kiosk", "kiosk-1"), await site.as_staff("guide")

    async def shown(taken: dict[str, Any]) -> tuple[str, str]:
        answer = await site.ask("POST", "kiosk/reactivate", kiosk, {"token": taken["token"]})
        assert answer.status == 409, answer
        assert answer.body["title_en"]
        return answer.body["code"], answer.body["title"]

    taken, behind = (await site.take()).body, (await site.take()).body
    number = taken["ticket"]["number"]
    assert await shown(behind) == (
        "slip-waiting",
        f"{behind['ticket']['number']} 正在排队，前面还有 1 位，不用恢复，请留意叫号。",
    )
    await site.ask("POST", f"windows/{window}/call-next", clerk)
    assert await shown(taken) == ("slip-called", f"正在叫 {number}，请马上到 1 号窗口。")
    await site.ask("POST", f"windows/{window}/arrive", clerk)
    assert (await shown(taken))[0] == "slip-serving"
    await site.ask("POST", f"windows/{window}/park", clerk, {"reason": "缺材料"})
    assert await shown(taken) == ("slip-parked", f"窗口为您保留着 {number}，准备好了直接到 1 号窗口，不用排队。")
    await site.ask("POST", f"windows/{window}/unpark", clerk, {"ticket": taken["ticket"]["id"]})
    await site.ask("POST", f"windows/{window}/finish", clerk)
    assert (await shown(taken))[0] == "slip-over"
    for _ in range(2):
        await _missed(site, window, clerk)
        state = (await site.ask("GET", f"tickets/{behind['ticket']['id']}", guide)).body["ticket"]["state"]
        if state == "passed":
            await site.ask("POST", "kiosk/reactivate", kiosk, {"token": behind["token"]})
    assert (await shown(behind))[0] == "slip-void"
    last = (await site.take()).body
    await site.hub.tell(c.CloseDay(), "test")
    await site.hub.tell(c.EndDay(), "test")
    assert (await shown(last))[0] == "slip-uncalled"
    site.days = 1
    await site.hub.tell(c.OpenDay(day="2099-01-05"), "test")
    assert (await shown(last))[0] == "slip-not-today"


@SAME_WINDOW
async def test_rules_28_nobody_guesses_the_ticket_of_another(site: Site) -> None:
    """Wrong codes and unknown numbers get the same answer, and the fifth locks the kiosk's page for a while.

    One's own slip between two guesses buys no further ones: a code has four figures.
    """
    window = site.configuration.window[0].id
    clerk, kiosk = await site.sit(window), await site.as_device("kiosk", "kiosk-1")
    taken = (await site.take()).body
    await _missed(site, window, clerk)
    good = _slip(site, taken)
    wrong = f"{(int(good['code']) + 1) % 10_000:04d}"
    tries = [
        {**good, "code": wrong},
        {"number": "Z999", "code": "0000"},
        {"number": "", "code": "码"},
        {"token": "tx.y"},
    ]
    for slip in tries:
        answer = await site.ask("POST", "kiosk/reactivate", kiosk, slip)
        assert (answer.status, answer.body["code"]) == (409, "slip-wrong"), slip
    assert (await site.ask("POST", "kiosk/reactivate", kiosk, good)).status == 200, "a right one is still heard"
    own = await site.ask("POST", "kiosk/reactivate", kiosk, {"token": taken["token"]})
    assert own.body["code"] == "slip-waiting"
    assert (await site.ask("POST", "kiosk/reactivate", kiosk, tries[0])).body["code"] == "slip-wrong"
    assert (await site.ask("POST", "kiosk/reactivate", kiosk, good)).body["code"] == "locked-out"
    other = await site.as_device("kiosk", "kiosk-2")
    assert (await site.ask("POST", "kiosk/reactivate", other, good)).body["code"] == "slip-waiting"
    assert (await site.ask("POST", "kiosk/reactivate", await site.as_staff("clerk"), good)).status == 403


async def test_rules_28_wrong_codes_are_forgotten_with_time(site: Site) -> None:
    """Mistyped codes spread over a busy day lock nobody out, and a lock ends by itself after ten minutes."""
    accounts, clock = site.running.frame.accounts, site.hub.clock

    def wrong(times: int) -> None:
        for _ in range(times):
            with pytest.raises(Rejected, match="slip-wrong"):
                accounts.check_slip("kiosk-1", right=False)

    wrong(4)
    clock.at_least(clock.now() + LOCKED_MS)
    wrong(4)
    accounts.check_slip("kiosk-1", right=True)
    wrong(1)
    clock.at_least(clock.now() + LOCKED_MS - 60_000)
    with pytest.raises(Rejected, match="locked-out"):
        accounts.check_slip("kiosk-1", right=True)
    clock.at_least(clock.now() + 60_000)
    accounts.check_slip("kiosk-1", right=True)
    wrong(4)


@SAME_WINDOW
async def test_rules_28_the_same_key_brings_back_once(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk, kiosk = await site.sit(window), await site.as_device("kiosk", "kiosk-1")
    taken = (await site.take()).body
    await _missed(site, window, clerk)
    for _ in range(3):
        answer = await site.ask("POST", "kiosk/reactivate", kiosk, {"token": taken["token"]}, key="tap-1")
        assert (answer.status, answer.body["ticket"]["state"]) == (200, "waiting")
    rows = [row.kind async for row in site.running.frame.store.read(site.hub.name)]
    assert rows.count("TicketReactivated") == 1
