"""How an agent gets its token: a six-digit code that an administrator approves (UX S-03)."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import structlog

from queue_server.wire.api import Pairing, PairingState

POLL_S: Final = 2.0
RETRY_S: Final = 5.0
TIMEOUT_S: Final = 10.0

_log = structlog.get_logger("devices.pairing")


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent keeps: who it is and the token that proves it."""

    server: str
    agent: str
    token: str


async def membership(
    server: str, hall: str, file: Path, show: Callable[[str], None], poll_s: float = POLL_S
) -> Membership:
    """The membership in `file`, or a new one: `show` gets the code to approve; waits for as long as it takes."""
    kept = _kept(file)
    if kept is not None and kept.server == server:
        return kept
    url = f"{server.rstrip('/')}/api/v1/halls/{hall}/pairings"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
        lost = False
        while True:
            try:
                if approved := await _pair(session, url, show, poll_s):
                    joined = Membership(server=server, agent=approved.of, token=approved.token)
                    _keep(file, joined)
                    return joined
            except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
                if not lost:
                    _log.warning("pairing_failed", server=server, error=_why(error, hall))
                lost = True
                await asyncio.sleep(min(RETRY_S, poll_s))


def _why(error: Exception, hall: str) -> str:
    """What a technician can do about it."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            trusted = "install the hall's authority.crt on this PC, or name it in SSL_CERT_FILE"
            return f"the server's certificate is not trusted here ({error.strerror}): {trusted}"
        case aiohttp.ClientConnectorError():
            return (
                f"nobody answers ({error.strerror or error.os_error}): look at --server, and whether the hall is served"
            )
        case aiohttp.ClientResponseError(status=404):
            return f"the server has no hall {hall!r}: look at --hall"
        case TimeoutError():
            return "the server does not answer in time"
        case _:
            return str(error) or type(error).__name__


async def _pair(
    session: aiohttp.ClientSession, url: str, show: Callable[[str], None], poll_s: float
) -> PairingState | None:
    """One code, until it is approved (its state) or no longer valid (None)."""
    async with session.post(url, json={}, headers={"Idempotency-Key": uuid.uuid4().hex}) as answer:
        answer.raise_for_status()
        pairing = msgspec.json.decode(await answer.read(), type=Pairing)
    show(pairing.code)
    while True:
        await asyncio.sleep(poll_s)
        async with session.get(f"{url}/{pairing.id}") as answer:
            answer.raise_for_status()
            state = msgspec.json.decode(await answer.read(), type=PairingState)
        if state.state == "expired":
            return None  # the code lives ten minutes
        if state.token:
            return state


def _kept(file: Path) -> Membership | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Membership)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _keep(file: Path, joined: Membership) -> None:
    fresh = file.with_name(file.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.encode(joined))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
