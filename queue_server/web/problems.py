"""Errors as `application/problem+json`: a stable code, a sentence in each language, and no stack."""

import asyncio

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from queue_server.app.hub import KeyReused
from queue_server.app.texts import words
from queue_server.domain.errors import Malformed, Rejected, Unavailable
from queue_server.store.port import StoreError
from queue_server.wire.api import Problem, encode

log = structlog.get_logger()

FORBIDDEN = frozenset(
    {"forbidden", "call-number-not-permitted", "not-your-window", "password-change-needed", "wrong-pin"}
)
TOO_MANY = frozenset({"locked-out"})
UNAUTHORISED = frozenset({"unauthorised", "wrong-password"})


def problem(
    status: int, code: str, *, field: str = "", detail: str = "", figures: dict[str, object] | None = None
) -> web.Response:
    """The answer for an error."""
    sentence = words(code, {"field": field, **(figures or {})})
    body = Problem(
        type=f"urn:yichuang:{code}",
        status=status,
        code=code,
        title=sentence.zh,
        title_en=sentence.en,
        detail=detail,
        field=field,
        figures={name: value for name, value in (figures or {}).items() if isinstance(value, str | int | list)},
    )
    return web.Response(status=status, body=encode(body), content_type="application/problem+json")


def rejection_problem(error: Rejected) -> web.Response:
    """403 for what this person may not do, 401 without a person, 409 for what cannot be done now."""
    groups = ((FORBIDDEN, 403), (UNAUTHORISED, 401), (TOO_MANY, 429))
    status = next((status for codes, status in groups if error.code in codes), 409)
    return problem(status, error.code, figures=error.figures)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error a request can meet, by whose fault it is (DESIGN 7)."""
    try:
        return await handler(request)
    except Malformed as error:
        return problem(400, "malformed", field=error.field, detail=error.reason)
    except Rejected as error:
        return rejection_problem(error)
    except KeyReused:
        return problem(422, "key-reused")
    except (Unavailable, StoreError) as error:
        return problem(503, "unavailable", detail=str(error))
    except web.HTTPRequestEntityTooLarge:
        return problem(413, "too-large")
    except web.HTTPNotFound:
        return problem(404, "not-found")
    except web.HTTPMethodNotAllowed:
        return problem(405, "method-not-allowed")
    except (web.HTTPException, asyncio.CancelledError):
        raise
    except ConnectionError:  # the peer went away in the middle: nobody's fault, and nobody reads this answer
        return problem(400, "malformed", detail="the connection is gone")
    except Exception:
        log.exception("request failed", path=request.path)
        return problem(500, "broken")
