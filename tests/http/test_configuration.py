"""The hall's configuration over HTTP: a version applied at run time, now or tonight, with a preview, and rolled back."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from queue_server.app import hallfile
from queue_server.app.search import MatterIndex
from queue_server.app.timers import Timers
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration, Device
from tests.http.conftest import Answer, Site


def renamed(configuration: Configuration, name: str) -> str:
    """The file with another name for the hall."""
    return hallfile.dump(structs.replace(configuration, hall=structs.replace(configuration.hall, name=name)))


def only(configuration: Configuration, *windows: str) -> str:
    """The file with these windows alone, and their devices."""
    kept = tuple(each for each in configuration.window if each.id in windows)
    devices = tuple(each for each in configuration.device if each.window in ("", *windows))
    return hallfile.dump(structs.replace(configuration, window=kept, device=devices))


async def post(site: Site, step: str, **body: Any) -> Answer:
    return await site.ask("POST", f"configuration/{step}", await site.as_staff("manager"), body)


async def name(site: Site) -> str:
    return str(await site.hub.read(lambda hall: hall.configuration.hall.name))


async def test_design_5_a_file_is_applied_without_a_restart_and_rolled_back_in_one_step(site: Site) -> None:
    before, version = await name(site), await site.hub.read(lambda hall: hall.version)
    applied = await post(site, "apply", text=renamed(site.configuration, "新名称"))
    assert (applied.status, applied.body["applied"]) == (200, version + 1)
    assert await name(site) == "新名称"
    back = await post(site, "rollback")
    assert (back.status, back.body["applied"]) == (200, version + 2), "a version of its own"
    assert await name(site) == before
    await site.hub._rebuild()
    assert await name(site) == before
    rows = [row async for row in site.running.frame.store.read(site.hub.name, subject="configuration")]
    assert {row.kind for row in rows} == {"ConfigurationApplied"}, "a subject of its own"


async def test_design_5_tonight_is_not_now_and_holds_through_a_restart(site: Site) -> None:
    before = await name(site)
    assert (await post(site, "apply", text=renamed(site.configuration, "明天的名称"), at="tonight")).status == 200
    assert await name(site) == before
    await site.hub._rebuild()
    assert await name(site) == before
    await site.hub.tell(c.EndDay(), "test")
    await Timers(site.hub, site.running.frame.store, site.running.frame.screens.around).once()
    assert await name(site) == "明天的名称"


async def test_design_5_rolling_back_passes_over_what_was_only_planned(site: Site) -> None:
    """A plan for tonight was never in force: neither before it is carried out, nor after, is it what was before."""
    before = await name(site)
    planned = {"text": renamed(site.configuration, "今晚的名称"), "at": "tonight"}
    await post(site, "apply", **planned)
    assert (await post(site, "rollback")).body["code"] == "no-earlier-configuration"
    await site.hub.tell(c.EndDay(), "test")
    await Timers(site.hub, site.running.frame.store, site.running.frame.screens.around).once()
    assert await name(site) == "今晚的名称"
    assert (await post(site, "rollback")).status == 200
    assert await name(site) == before


async def test_design_5_the_preview_says_what_it_does_to_waiting_tickets_and_changes_nothing(site: Site) -> None:
    window = site.configuration.window[0].id
    await site.sit(window)
    await site.take()
    version = await site.hub.read(lambda hall: hall.version)
    seen = await post(site, "preview", text=only(site.configuration, window))
    assert seen.status == 200
    assert [each for each in seen.body["findings"] if each["level"] == "error"] == []
    assert (seen.body["moved"], seen.body["stranded"]) == (1, 0)
    assert await site.hub.read(lambda hall: hall.version) == version


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"text": "not = [toml"}, 409, "configuration-invalid"),
        ({"text": ""}, 409, "configuration-invalid"),
        ({"at": "never"}, 400, "malformed"),
    ],
)
async def test_a_file_that_is_none_changes_nothing(site: Site, body: dict[str, str], status: int, says: str) -> None:
    version = await site.hub.read(lambda hall: hall.version)
    answer = await post(site, "apply", **{"text": renamed(site.configuration, "x"), **body})
    assert (answer.status, answer.body["code"]) == (status, says)
    assert await site.hub.read(lambda hall: hall.version) == version


async def test_there_is_nothing_before_the_first(site: Site) -> None:
    answer = await post(site, "rollback")
    assert (answer.status, answer.body["code"]) == (409, "no-earlier-configuration")


async def test_law_8_a_keypads_command_that_is_too_old_is_refused_and_never_kept(site: Site) -> None:
    """After 3 s the keypad has shown failure: what arrives later must not call anybody."""
    window = site.configuration.window[0].id
    keypad = Device(
        id="k-1", agent="agent-1", kind="keypad", url="tcp://127.0.0.1:9", address=1, profile="jackqchen", window=window
    )
    wired = structs.replace(site.configuration, device=(*site.configuration.device, keypad))
    assert (await post(site, "apply", text=hallfile.dump(wired))).status == 200
    await site.sit(window)
    number = (await site.take()).body["ticket"]["number"]
    headers = await site.as_device("agent", keypad.agent)
    async with site.session.ws_connect(f"{site.running.url}/api/v1/agent", headers=headers) as socket:
        await socket.send_json({"type": "hello", "agent": keypad.agent, "build": "t"})
        answers = []
        for age_ms in (3_001, 2_999):
            press = {"id": f"p{age_ms}", "device": keypad.id, "action": "next", "digits": "", "age_ms": age_ms}
            await socket.send_json({"type": "keypad", **press})
            while (heard := await socket.receive_json())["type"] != "answer":
                pass
            answers.append((heard["ok"], heard["code"], heard["show"]))
    assert answers == [(False, "too-old", ""), (True, "", number)]
    calls = [row async for row in site.running.frame.store.read(site.hub.name) if row.kind == "TicketCalled"]
    assert len(calls) == 1


async def test_ux_1_a_matter_with_a_new_word_is_found_at_once_and_the_index_is_made_once_a_version(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX 1: searches that arrive together wait for one index; the start made none, and a change of the catalogue the next."""
    made: list[Configuration] = []

    def counted(configuration: Configuration) -> MatterIndex:
        made.append(configuration)
        return MatterIndex(configuration)

    assert site.running.frame.lookup._index is None, "the start made none"
    monkeypatch.setattr("queue_server.app.lookup.MatterIndex", counted)
    kiosk = await site.as_device("kiosk", "kiosk-1")
    answers = await asyncio.gather(*(site.ask("GET", "matters?q=SHENFENZHENG&limit=5", kiosk) for _ in range(3)))
    assert all(answer.body["hits"] and set("abgz") <= set(answer.body["letters"]) for answer in answers)
    assert len(made) == 1
    first, *others = site.configuration.matter
    named = structs.replace(first, everyday=(*first.everyday, "齉鼻糗事"))
    text = hallfile.dump(structs.replace(site.configuration, matter=(named, *others)))
    assert (await post(site, "apply", text=text)).status == 200
    found = await site.ask("GET", "matters?q=NANGBIQIUSHI&limit=5", kiosk)
    assert found.body["hits"][0]["id"] == first.id
    assert len(made) == 2
