"""Bad input: 400 with field and reason, and neither the hall nor anybody else's request is touched by it."""

import asyncio
import re

from queue_server.domain import commands as c
from queue_server.web.server import ROUTES
from queue_server.web.staff import STAFF
from queue_server.wire.common import DeviceState
from tests.http.conftest import Answer, Site

BAD = [
    ("windows/1/park", {"reason": "x", "minutes": 10**17}, "minutes"),
    ("windows/1/park", {"reason": "x" * 201}, "reason"),
    ("windows/1/pause", {"reason": "lunch", "resumes_at": "soon"}, "resumes_at"),
    ("windows/1/no-show", {"reason": "x" * 201}, "reason"),
    ("windows/1/transfer", {"matters": ["m"] * 21}, "matters"),
    ("windows/1/finish", {"outcom": "done"}, "outcom"),
    ("windows/1/call", {"number": "1"}, "reason"),
    ("tickets", {"matters": ["m"] * 21}, "matters"),
    ("tickets", {"matters": ["m"], "note": "长" * 201}, "note"),
    ("tickets", {"matters": ["m"], "quantity": "two"}, "quantity"),
    ("day/close", {"text": "x" * 201}, "text"),
    ("message", {"kind": "notice", "zh": "x" * 201}, "zh"),
    ("ratings", {"token": "t", "service": "s", "level": 5, "text": "x" * 151}, "text"),
]


def refused_naming(answer: Answer, field: str) -> bool:
    """400 as a problem with the field and the reason."""
    assert answer.status == 400, answer
    assert (answer.body["code"], answer.body["field"]) == ("malformed", field)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return bool(answer.body["detail"])


async def test_bad_input_names_the_field(site: Site) -> None:
    everybody = await site.as_staff("clerk", "guide", "manager", window="1")
    before = site.hub.commands
    for path, body, field in BAD:
        assert refused_naming(await site.ask("POST", path, everybody, body), field)
    assert site.hub.commands == before


async def test_no_body_of_the_interface_is_taken_unread(site: Site) -> None:
    """Issue 2: every malformed request gets 400 with field and reason, also where a body has no fields to be read."""
    staff = await site.as_staff("clerk", "guide", "desk", "manager", "admin", "auditor", window="1")
    kiosk = await site.as_device("kiosk", "kiosk-1")
    before = await site.written()
    for route in ROUTES:
        if route.body is None:
            continue
        path = re.sub(r"{\w+}", "1", route.path)
        who = kiosk if route.roles and not route.roles & STAFF else staff
        for body, field in (([], "body"), ({"nonsense_key": 1}, "nonsense_key"), ("x", "body")):
            assert refused_naming(await site.ask(route.method, path, who, body), field), (route, body)
    assert await site.written() == before


async def test_ux_s_03_a_screen_joins_only_at_a_place_that_exists(site: Site) -> None:
    admin = await site.as_staff("admin")
    for role, of, field in (
        ("kiosk", "nowhere", "of"),
        ("window", "999", "of"),
        ("hall", "Z9", "of"),
        ("agent", "", "of"),
        ("agent", "foo-nonsense", "of"),
        ("boss", "", "role"),
    ):
        code = (await site.ask("POST", "pairings")).body["code"]
        answer = await site.ask("POST", f"pairings/{code}/approve", admin, {"role": role, "of": of})
        assert refused_naming(answer, field)
        if role == "agent":
            assert "there are: agent-1" in answer.body["detail"], (
                "an agent without devices would look paired and do nothing"
            )


async def test_ux_s_03_the_form_offers_every_place_by_name(site: Site) -> None:
    admin = await site.as_staff("admin")
    places = (await site.ask("GET", "paired", admin)).body["places"]
    file = site.configuration
    assert [each["of"] for each in places if each["role"] == "hall"] == [zone.id for zone in file.zone]
    assert [each["of"] for each in places if each["role"] == "window"] == [window.id for window in file.window]
    assert [each["of"] for each in places if each["role"] == "kiosk"] == [kiosk.id for kiosk in file.kiosk]
    agents = {each["of"]: each["name"]["zh"] for each in places if each["role"] == "agent"}
    assert agents == {"agent-1": f"{len(file.device)} 台设备"}
    assert next(each for each in places if each["role"] == "hall")["name"]["zh"] == file.zone[0].name
    for place in places:
        code = (await site.ask("POST", "pairings")).body["code"]
        body = {"role": place["role"], "of": place["of"]}
        assert (await site.ask("POST", f"pairings/{code}/approve", admin, body)).status == 200


async def test_a_screen_whose_place_is_gone_does_not_stop_the_hall(site: Site) -> None:
    """A kiosk that the configuration no longer has asks for its view: it is refused, the hall goes on."""
    token = (await site.as_device("kiosk", "kiosk-gone"))["Authorization"].removeprefix("Bearer ")
    async with site.session.ws_connect(site.running.url + "/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        await socket.send_json({"type": "subscribe", "view": "kiosk", "of": "kiosk-gone"})
        async with asyncio.timeout(10):
            while (message := await socket.receive_json())["type"] in ("welcome", "heartbeat"):
                pass
    assert (message["type"], message["code"]) == ("refused", "not-found")
    await site.sit(site.configuration.window[0].id)
    assert (await site.take()).status == 201


async def test_a_command_whose_event_cannot_be_written_fails_alone(site: Site) -> None:
    """Law 1: a `decide` that raises fails its own command, and so does an event that no journal can hold."""
    await site.sit(site.configuration.window[0].id)
    unwritable = c.ReportDevice(device="d", state=DeviceState.OFFLINE, error="\ud800")
    bad, good = await asyncio.gather(site.hub.tell(unwritable, "test"), site.take(), return_exceptions=True)
    assert isinstance(bad, Exception)
    assert good.status == 201  # type: ignore[union-attr]
    assert not site.hub.stopped.is_set()


async def test_a_view_that_cannot_be_drawn_does_not_stop_the_hall(site: Site) -> None:
    def broken(hall: object, events: object) -> None:
        raise LookupError("a view")

    site.hub.on_published(broken)
    await site.sit(site.configuration.window[0].id)
    assert (await site.take()).status == 201
