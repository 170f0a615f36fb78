"""The interface as others meet it: OpenAPI, problems in two languages, roles, idempotency, health, metrics."""

import re

from openapi_spec_validator import OpenAPIV31SpecValidator

from queue_server.domain.serving import Serving
from queue_server.web.server import ROUTES
from tests.http.conftest import Site


async def test_design_6_the_openapi_document_is_valid_and_complete(site: Site) -> None:
    document = (await site.ask("GET", "/api/v1/openapi.json")).body
    OpenAPIV31SpecValidator(document).validate()
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert described == {(r.method.lower(), f"/api/v1/halls/{{hall}}/{r.path}") for r in ROUTES}
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        for kind in re.findall(r"#/components/schemas/(\w+)", str(operation)):
            assert kind in document["components"]["schemas"]


OPEN = {
    ("GET", "phone/{token}"),
    ("POST", "phone/{token}/cancel"),
    ("POST", "phone/{token}/delay"),
    ("POST", "phone/{token}/help"),
    ("POST", "ratings"),
    ("GET", "matters"),
    ("POST", "session"),
    ("GET", "session"),
    ("DELETE", "session"),
    ("POST", "session/password"),
    ("POST", "pairings"),
    ("GET", "pairings/{pairing}"),
}
"""Addresses without a role: they look at the token or the session themselves, or are how one gets either."""


async def test_nothing_is_open_to_strangers_or_to_the_wrong_role(site: Site) -> None:
    devices = {role: await site.as_device(role, "x") for role in ("hall", "kiosk")}
    before = await site.written()
    assert {(route.method, route.path) for route in ROUTES if not route.roles} == OPEN
    for route in ROUTES:
        if not route.roles:
            continue
        path = re.sub(r"{\w+}", "x", route.path)
        stranger = await site.ask(route.method, path)
        assert (stranger.status, stranger.body["code"]) == (401, "unauthorised"), route
        wrong = next(role for role in devices if role not in route.roles)
        other = await site.ask(route.method, path, devices[wrong])
        assert (other.status, other.body["code"]) == (403, "forbidden"), route
    for method, path, said in (
        ("GET", "phone/t1.x", (404, "not-found")),
        ("POST", "phone/t1.x/cancel", (404, "not-found")),
        ("GET", "matters", (401, "unauthorised")),
        ("GET", "session", (401, "unauthorised")),
    ):
        stranger = await site.ask(method, path)
        assert (stranger.status, stranger.body["code"]) == said, path
    assert await site.written() == before, "nobody who asked wrote anything"


async def test_a_problem_has_a_stable_code_and_says_in_two_languages_what_to_do(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    problem = await site.ask("POST", f"windows/{window}/call-next", clerk)
    assert problem.headers["Content-Type"].startswith("application/problem+json")
    assert (problem.status, problem.body["status"], problem.body["code"]) == (409, 409, "nobody-waiting")
    assert problem.body["title"].startswith("现在没有人等候")
    assert problem.body["title_en"].startswith("Nobody is waiting")
    assert (await site.ask("GET", "nowhere")).body["code"] == "not-found"
    assert (await site.ask("GET", "/api/v1/halls/other/windows", clerk)).status == 404


async def test_law_6_a_key_has_one_effect_and_one_body(site: Site) -> None:
    await site.sit(site.configuration.window[0].id)
    guide = await site.as_staff("guide")
    body = {"matters": [site.offered()]}
    first = await site.ask("POST", "tickets", guide, body, key="tap")
    again = [await site.ask("POST", "tickets", guide, body, key="tap") for _ in range(3)]
    assert {each.body["ticket"]["number"] for each in again} == {first.body["ticket"]["number"]}
    assert all(each.headers.get("Idempotent-Replayed") == "true" for each in again)
    other = await site.ask("POST", "tickets", guide, {**body, "quantity": 2}, key="tap")
    assert (other.status, other.body["code"]) == (422, "key-reused")
    url = f"{site.running.url}/api/v1/halls/{site.hub.name}/tickets"
    async with site.session.post(url, json=body, headers=guide) as answer:
        assert answer.status == 400
        assert (await answer.json(content_type=None))["field"] == "Idempotency-Key"


async def test_health_readiness_and_metrics(site: Site) -> None:
    await site.sit(site.configuration.window[0].id)
    await site.take()
    assert (await site.ask("GET", "/healthz")).status == 200
    assert (await site.ask("GET", "/readyz")).status == 200
    metrics = (await site.ask("GET", "/metrics")).body
    for line in ("yichuang_tickets_issued 1.0", "yichuang_tickets_waiting 1.0", "yichuang_calls_given 0.0"):
        assert line in metrics
    site.hub._stop("fenced")
    assert (await site.ask("GET", "/readyz")).status == 503
    assert (await site.ask("GET", "/healthz")).status == 200


async def test_a_lost_slip_is_found_by_matter_and_time(site: Site) -> None:
    """Issue 2, the guide's page: "find a lost slip by time and matter", each alone and together."""
    clock = site.hub.clock
    ten = clock.now() + (600 - clock.minute(clock.now())) % 1440 * 60_000
    clock.at_least(ten)  # in the morning, whenever this runs
    await site.sit(site.configuration.window[0].id)
    guide = await site.as_staff("guide")
    served = Serving(site.configuration).windows_for
    mine = [m for m in site.configuration.matter if m.offered and "1" in served([m.id])]
    one = mine[0]
    other = next(m for m in mine if m.domain != one.domain)
    numbers = [(await site.take(one.id)).body["ticket"]["number"], (await site.take(other.id)).body["ticket"]["number"]]
    clock.at_least(ten + 30 * 60_000)
    numbers += [
        (await site.take(one.id)).body["ticket"]["number"],
        (await site.take(other.id)).body["ticket"]["number"],
    ]
    early, late = numbers[:2], numbers[2:]

    async def found(query: str) -> list[str]:
        answer = await site.ask("GET", f"tickets?{query}", guide)
        assert answer.status == 200, answer
        return [line["number"] for line in answer.body["tickets"]]

    assert await found("") == numbers[::-1], "the newest first"
    assert await found("from=10:30") == late[::-1]
    assert await found("to=10:29") == early[::-1]
    assert await found("from=10:00&to=10:15") == early[::-1]
    assert await found("from=10:10&to=10:20") == []
    assert await found(f"matter={one.id}") == [late[0], early[0]]
    assert await found(f"matter={other.domain}") == [late[1], early[1]], "a domain, for who forgot the matter"
    assert await found(f"matter={one.id}&from=10:30&to=10:59") == [late[0]]
    assert await found(f"number={early[1]}") == [early[1]]
    for wrong in ("x", "10", "25:00", "10:60", "-1:00", "9" * 4_400 + ":00"):
        for name in ("from", "to"):
            answer = await site.ask("GET", f"tickets?{name}={wrong}", guide)
            assert (answer.status, answer.body["field"], answer.body["detail"]) == (400, name, "HH:MM"), wrong
