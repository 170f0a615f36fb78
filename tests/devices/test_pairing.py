"""UX S-03: an agent joins with a six-digit code and keeps its token; nobody types addresses or secrets."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from devices.cli import add_arguments, run
from devices.pairing import Membership, membership
from queue_server.wire.agent import AgentHello
from queue_server.wire.api import Pairing, PairingState
from tests.devices.hall import until
from tests.devices.server import WireServer


class Desk:
    """The two pairing routes, as far as an agent sees them."""

    def __init__(self) -> None:
        self.codes = iter(("123456", "654321"))
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.approved = False
        self.expired = {"p123456"}

    async def begin(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("Idempotency-Key"))
        code = next(self.codes)
        self.asked.append(code)
        return web.Response(body=msgspec.json.encode(Pairing(id=f"p{code}", code=code, expires_at=0)), status=201)

    async def poll(self, request: web.Request) -> web.Response:
        token, of = ("secret", "agent-1f") if self.approved else ("", "")
        said = "expired" if request.match_info["id"] in self.expired else "paired" if token else "waiting"
        state = PairingState(state=said, token=token, view="", of=of, path="")
        return web.Response(body=msgspec.json.encode(state))


@contextlib.asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/api/v1/halls/h/pairings", desk.begin)
    app.router.add_get("/api/v1/halls/h/pairings/{id}", desk.poll)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_code_that_expires_is_replaced_and_the_token_is_kept_for_the_next_start(tmp_path: Path) -> None:
    desk, shown, file = Desk(), [], tmp_path / "membership.json"
    async with serving(desk) as server:
        joining = asyncio.create_task(membership(server, "h", file, shown.append, poll_s=0.02))
        await until(lambda: shown == ["123456", "654321"])
        assert not joining.done()
        desk.approved = True
        joined = await joining
        assert joined == Membership(server=server, agent="agent-1f", token="secret")
        assert len(set(desk.keys)) == 2
        assert file.stat().st_mode & 0o077 == 0
    assert await membership(server, "h", file, shown.append) == joined
    assert shown == ["123456", "654321"]


async def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    shown: list[str] = []
    joining = asyncio.create_task(
        membership("http://127.0.0.1:1", "h", tmp_path / "membership.json", shown.append, poll_s=0.02)
    )
    await asyncio.sleep(0.2)
    assert not joining.done()
    joining.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await joining


async def test_the_agent_command_speaks_to_the_servers_socket_and_ends_on_sigterm(tmp_path: Path) -> None:
    async with WireServer() as server:
        base = server.url.replace("ws://", "http://").removesuffix("/api/v1/agent")
        kept = Membership(server=base, agent="agent-1f", token="secret")
        (tmp_path / "membership.json").write_bytes(msgspec.json.encode(kept))
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        arguments = parser.parse_args(["--server", base, "--hall", "h", "--state", str(tmp_path)])

        def no_printer(*_: object) -> object:
            raise ValueError("no printer")

        life = asyncio.create_task(run(arguments, lambda show, entry: [], no_printer))  # type: ignore[arg-type]
        hello = await server.heard(AgentHello)
        assert hello.agent == "agent-1f"
        assert server.authorizations == ["Bearer secret"]
        os.kill(os.getpid(), signal.SIGTERM)
        assert await life == 0


async def test_a_wrong_server_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = argparse.Namespace(server="hall-server:8080", hall="h", state=tmp_path)
    assert await run(arguments, lambda show, entry: [], None) == 2  # type: ignore[arg-type]
    assert "http://" in capsys.readouterr().err


async def test_what_keeps_an_agent_from_joining_is_said_with_the_option_to_look_at(tmp_path: Path) -> None:
    async with serving(Desk()) as server:
        for url, hall, words in (
            ("http://127.0.0.1:1", "h", "nobody answers .*: look at --server"),
            (server, "hh", "the server has no hall 'hh': look at --hall"),
        ):
            with capture_logs() as said:
                joining = asyncio.create_task(
                    membership(url, hall, tmp_path / "none.json", lambda _: None, poll_s=0.02)
                )
                await until(lambda said=said: any(line["event"] == "pairing_failed" for line in said))
                joining.cancel()
            assert re.search(words, said[0]["error"])
            assert "ssl" not in said[0]["error"]
