"""The OpenAPI 3.1 document, made from the table of routes and the typed messages."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from queue_server.web.frame import Route
from queue_server.wire.api import Problem

_PARAMETER = re.compile(r"{(\w+)}")

_KEY = (
    "One key for each intention, the same when it is asked again. Keys that begin with the time, as in version 7 of RFC 9562, "
    "cost the server least; any will do."
)


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """JSON-ready; every schema under components."""
    kinds = [kind for route in routes for kind in (route.body, route.answer) if kind is not None]
    _, components = msgspec.json.schema_components([*kinds, Problem], ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = f"/api/v1/halls/{{hall}}/{route.path}"
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Yichuang 一窗",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "yichuang"},
                "device": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route, path: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    if route.method != "GET" and not route.path.startswith(("session", "staff", "paired", "pairings")):
        key = {"type": "string", "maxLength": 128}
        header = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": key, "description": _KEY}
        parameters.append(header)
    success: dict[str, Any] = {"description": route.summary}
    if route.answer is not None:
        success["content"] = {"application/json": {"schema": _ref(route.answer)}}
    problem = {"description": "Problem", "content": {"application/problem+json": {"schema": _ref(Problem)}}}
    operation: dict[str, Any] = {
        "operationId": re.sub(r"[^a-z]+", "_", f"{route.method} {route.path}".lower()).strip("_"),
        "summary": route.summary,
        "parameters": parameters,
        "responses": {str(route.status): success, "default": problem},
        "security": [{"session": []}, {"device": []}] if route.roles else [],
    }
    if route.roles:
        operation["x-roles"] = sorted(route.roles)
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(route.body)}}}
    return operation


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
