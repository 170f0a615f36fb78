"""What cannot be served changes nothing: no lease is taken, no account is made (DESIGN 3 law 4, DESIGN 6)."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from queue_server import cli
from queue_server.app.accounts import Accounts
from queue_server.compose import Settings, serving
from queue_server.domain.errors import Unavailable
from tests.hall_process import TOWNSHIP
from tests.http.conftest import settings_of

pytestmark = pytest.mark.usefixtures("english")


async def _refused(settings: Settings, words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        async with serving(settings):
            pass


async def test_law_4_a_second_server_on_a_taken_port_leaves_the_hall_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        epoch = running.frame.hub.lease.epoch
        port = int(running.url.rpartition(":")[2])
        await _refused(replace(settings, port=port), "port .* is in use by another program.*--port")
        await running.frame.hub.read(lambda hall: hall.version)
        assert running.frame.hub.may_act()
        found = await running.frame.store.seen(running.frame.hub.name)
        assert found is not None
        assert found.epoch == epoch, "the lease was taken although nothing can be served"
        async with session.get(f"{running.url}/readyz") as answer:
            assert answer.status == 200


async def test_law_4_a_second_server_on_another_port_takes_the_hall_over(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    async with serving(settings) as first, serving(settings) as second:
        assert second.frame.hub.lease.epoch == first.frame.hub.lease.epoch + 1
        assert second.first_password == ""


async def test_the_first_password_is_not_lost_to_a_port_that_is_taken(tmp_path: Path) -> None:
    """DESIGN 6: the first start makes one and shows it once; a start that failed was none."""
    settings = settings_of(tmp_path)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        await _refused(replace(settings, port=taken.getsockname()[1]), "in use")
    await _refused(replace(settings, certificate=tmp_path / "nope.pem"), "--certificate .*nope.pem.*No such file")
    async with serving(settings) as running:
        assert running.first_password
        assert len(running.first_pin) == 6


async def test_whoever_comes_while_the_hall_starts_is_answered_when_it_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[socket.socket] = []
    load = Accounts.load

    async def slowly(self: Accounts) -> None:
        asked.append(socket.create_connection(("127.0.0.1", port)))
        asked[0].sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        await load(self)

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = int(probe.getsockname()[1])
    monkeypatch.setattr(Accounts, "load", slowly)
    async with serving(replace(settings_of(tmp_path), port=port)):
        with contextlib.closing(asked[0]) as early:
            early.setblocking(False)
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(early, 100), 10)
    assert b" 200 " in answer


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--port", "99999"], 2, "99999 is no port"),
        (["--port", "0", "--certificate", "/nope.pem"], 1, "/nope.pem: No such file or directory; it is a PEM file"),
    ],
)
def test_ux_s_06_wrong_settings_are_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: int, words: str
) -> None:
    arguments = ["serve", "--hall", str(TOWNSHIP), "--database", f"sqlite:///{tmp_path / 'h.db'}"]
    arguments += ["--keys", str(tmp_path / "k"), "--voice", str(tmp_path), *more]
    try:
        found = cli.main(arguments)
    except SystemExit as ended:  # argparse's own way
        found = int(ended.code or 0)
    assert found == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "h.db").exists()


def test_a_voice_pack_that_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["voice", "build", "--folder", "/proc/voice"]) == 1
    said = capsys.readouterr().err
    assert "/proc/voice" in said
    assert "Traceback" not in said
