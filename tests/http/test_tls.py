"""Cookies work on plain HTTP in a LAN and are Secure under TLS, whose certificate is one command (UX X-13)."""

import asyncio
import contextlib
import datetime
import errno
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography import x509
from structlog.testing import capture_logs

from devices.pairing import Membership, membership
from queue_server import certificate, cli
from queue_server.app.timers import CERTIFICATE_ALARM_MS, Timers
from queue_server.compose import serving
from tests.devices.hall import until
from tests.hall_process import ROOT, TOWNSHIP
from tests.http.conftest import settings_of

pytestmark = pytest.mark.usefixtures("english")

HOSTS = ["hall.example", "192.168.1.10", "127.0.0.1"]
NOW = datetime.datetime.now(datetime.UTC)


def made(folder: Path, *hosts: str, **more: bool) -> Path:
    """The server's certificate."""
    certificate.make(folder, hosts or HOSTS, NOW, **more)
    return folder / certificate.SERVER


def shake_hands(folder: Path, host: str) -> None:
    """OpenSSL on both ends: what a client that trusts this authority alone says to the server's certificate for `host`."""
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(folder / certificate.SERVER)
    trusting = ssl.create_default_context(cafile=folder / certificate.AUTHORITY)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    server = served.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert client.version()


@pytest.mark.parametrize("tls", [False, True])
async def test_ux_x_13_the_cookie_is_secure_under_tls_and_works_without(tmp_path: Path, tls: bool) -> None:
    """The certificate is the command's, and the client knows the authority alone and looks at the name."""
    file = made(tmp_path / "certificate") if tls else None
    context = ssl.create_default_context(cafile=file.with_name(certificate.AUTHORITY)) if file else True
    settings = settings_of(tmp_path, certificate=file)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        body = {"staff": "admin", "password": running.first_password}
        url = f"{running.url}/api/v1/halls/{running.frame.hub.name}/session"
        assert url.startswith("https://127" if tls else "http://127")
        async with session.post(url, json=body, ssl=context) as answer:
            assert answer.status == 200
            cookie = answer.cookies["yichuang"]
        around, hub = running.frame.screens.around, running.frame.hub
        timers = Timers(hub, running.frame.store, around, automatic=False)
        told = []
        for ends in (around.certificate_ends, hub.clock.now() + CERTIFICATE_ALARM_MS - 1000):
            around.certificate_ends = ends if tls else 0
            await timers.once()
            told.append([alarm.text.en for alarm in around.alarms if alarm.code == "certificate"])
        if file:
            await _an_agent_joins(
                tmp_path, file, running.url, await running.frame.accounts.pair("agent", "agent-1", "pc")
            )
    assert bool(cookie["secure"]) is tls
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert told[0] == []
    assert len(told[1]) == tls, "told a month before it ends"
    assert all("--renew" in text for text in told[1])


async def _an_agent_joins(folder: Path, file: Path, server: str, paired: tuple[str, object]) -> None:
    """`yichuang agent` on a PC that trusts the authority; and what it says on one that does not."""
    with capture_logs() as said:
        joining = asyncio.create_task(membership(server, "h", folder / "none.json", lambda _: None))
        await until(lambda: said)
        joining.cancel()
    assert re.search("certificate is not trusted here .*authority.crt .*SSL_CERT_FILE", said[0]["error"])
    kept = msgspec.json.encode(Membership(server=server, agent="agent-1", token=paired[0]))
    state = folder / "agent"
    state.mkdir()
    (state / "membership.json").write_bytes(kept)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SSL_CERT_FILE": str(file.with_name(certificate.AUTHORITY))}
    arguments = ["agent", "--server", server, "--hall", "township", "--state", str(state)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "queue_server", *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    lines = [b"begun"]
    try:
        async with asyncio.timeout(60):
            while lines[-1] and b"server_welcome" not in lines[-1]:
                lines.append(await process.stderr.readline())
    finally:
        process.kill()
        await process.wait()
    assert b"server_welcome" in lines[-1], lines


def test_ux_x_13_one_command_makes_what_clients_verify_by_name_and_by_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "certificate"
    command = ["certificate", *(word for host in HOSTS for word in ("--for", host)), "--folder", str(folder)]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert str(folder / certificate.AUTHORITY) in said
    assert f"yichuang serve --hall HALL.toml --certificate {folder / certificate.SERVER}" in said
    for host in HOSTS:
        shake_hands(folder, host)
    for other in ("other.example", "192.168.1.11"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
            shake_hands(folder, other)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {certificate.AUTHORITY: 0o644, certificate.AUTHORITY_KEY: 0o600, certificate.SERVER: 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_openssls_own_command_verifies_the_chain(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: its command line is not asked")
    file = made(tmp_path)
    for asked in (["-verify_hostname", "hall.example"], ["-verify_ip", "192.168.1.10"]):
        line = [
            "openssl",
            "verify",
            "-x509_strict",
            "-CAfile",
            str(tmp_path / certificate.AUTHORITY),
            *asked,
            str(file),
        ]
        assert subprocess.run(line, capture_output=True, text=True, check=True).stdout.endswith("OK\n")


def test_an_authority_of_the_units_own_is_good_for_every_name_and_a_certificate_for_nobody_is_said(
    tmp_path: Path,
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: the unit's own authority is not made")

    def own_one(key: Path, file: Path) -> None:
        line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Unit -keyout"
        subprocess.run([*line.split(), str(key), "-out", str(file)], capture_output=True, check=True)

    own_one(tmp_path / certificate.AUTHORITY_KEY, tmp_path / certificate.AUTHORITY)
    file = made(tmp_path, "anything.example")
    line = ["openssl", "verify", "-CAfile", str(tmp_path / certificate.AUTHORITY), str(file)]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout.endswith("OK\n")
    own_one(tmp_path / "key", file)
    with pytest.raises(certificate.Refused, match="say for which with --for"):
        certificate.make(tmp_path, (), NOW, renew=True)


def test_nothing_is_overwritten_unless_it_is_renewed_and_then_no_pc_needs_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    command = ["certificate", "--folder", str(tmp_path)]
    assert cli.main([*command, "--for", "hall.example"]) == 0
    first = files()
    assert cli.main([*command, "--for", "hall.example"]) == 1
    assert "--renew" in capsys.readouterr().err
    assert files() == first
    assert cli.main([*command, "--renew", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["hosts"], told["new_authority"]) == (["hall.example"], False)
    assert told["until"] == f"{NOW - certificate.EARLIER + certificate.SERVER_LIFE:%Y-%m-%d}"
    assert {name for name, data in files().items() if data != first[name]} == {certificate.SERVER}
    shake_hands(tmp_path, "hall.example")
    # The server moved: addresses of local networks, and names below the first, need no new authority either.
    assert cli.main([*command, "--renew", "--for", "10.3.4.5", "--for", "new.hall.example"]) == 0
    shake_hands(tmp_path, "10.3.4.5")
    shake_hands(tmp_path, "new.hall.example")
    second = files()
    for wrong, code in (("bank.example", 1), ("8.8.8.8", 1), ("http://hall.example", 2), ("192.168.1.300", 2)):
        assert cli.main([*command, "--renew", "--for", wrong]) == code
        assert wrong in capsys.readouterr().err
    assert files() == second


def test_a_stolen_authority_vouches_for_no_other_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the PCs of a hall trust is good for the hall: clients refuse what else its key may sign."""
    made(tmp_path)
    monkeypatch.setattr(certificate, "_judge", lambda *_: None)
    for host in ("bank.example", "8.8.8.8"):
        made(tmp_path, host, renew=True)
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            shake_hands(tmp_path, host)
    addresses = tmp_path / "addresses"
    made(addresses, "192.168.1.10")
    made(addresses, "bank.example", renew=True)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(addresses, "bank.example")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / certificate.AUTHORITY_KEY).unlink(), "do not belong together"),
        # Moved to the PCs, not copied: with another one in its place they would trust the hall no longer.
        (lambda folder: (folder / certificate.AUTHORITY).unlink(), "do not belong together"),
        (lambda folder: shutil.copy(folder / "other" / certificate.AUTHORITY, folder), "do not belong together"),
        (lambda folder: (folder / certificate.SERVER).write_text("torn"), "is no certificate"),
    ],
)
def test_a_folder_that_was_damaged_is_left_as_it_is(tmp_path: Path, change: object, words: str) -> None:
    made(tmp_path)
    made(tmp_path / "other")
    assert callable(change)
    change(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(certificate.Refused, match=words):
        certificate.make(tmp_path, (), NOW, renew=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_ux_x_13_ipads_take_no_certificate_of_more_than_825_days(tmp_path: Path) -> None:
    """Apple HT210176 counts from notBefore to notAfter, both included (RFC 5280, 4.1.2.5)."""
    found = x509.load_pem_x509_certificate(made(tmp_path).read_bytes())
    life = found.not_valid_after_utc - found.not_valid_before_utc + datetime.timedelta(seconds=1)
    assert datetime.timedelta(days=800) < life <= datetime.timedelta(days=825)
    assert found.not_valid_before_utc < NOW - datetime.timedelta(hours=12), (
        "the clocks of a hall's PCs are not all right"
    )


def test_a_write_that_failed_leaves_no_key_behind_and_what_an_end_left_is_in_no_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{certificate.AUTHORITY_KEY}.{os.getpid()}").write_text("torn")
    made(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert before.keys() == {certificate.AUTHORITY, certificate.AUTHORITY_KEY, certificate.SERVER}

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        made(tmp_path, renew=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_certificate_never_outlives_its_authority_and_none_is_signed_after_it(tmp_path: Path) -> None:
    made(tmp_path)
    late = NOW + datetime.timedelta(days=certificate.AUTHORITY_DAYS)
    renewed = certificate.make(tmp_path, (), late - datetime.timedelta(days=10), renew=True)
    assert renewed.until <= late
    with pytest.raises(certificate.Refused, match=r"authority\.crt"):
        certificate.make(tmp_path, (), late, renew=True)


def test_a_certificate_that_is_none_is_said_and_nothing_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    arguments = ["serve", "--hall", str(TOWNSHIP), "--database", f"sqlite:///{tmp_path / 'h.db'}", "--port", "0"]
    code = cli.main([*arguments, "--keys", str(tmp_path / "k"), "--voice", str(tmp_path), "--certificate", str(wrong)])
    assert code == 1
    assert capsys.readouterr().err


def test_a_port_that_is_taken_is_said_and_nothing_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["serve", "--hall", str(TOWNSHIP), "--database", f"sqlite:///{tmp_path / 'h.db'}", "--port", port]
        arguments += ["--host", "127.0.0.1", "--keys", str(tmp_path / "k"), "--voice", str(tmp_path)]
        assert cli.main(arguments) == 1
    said = capsys.readouterr().err
    assert f"port {port} is in use" in said
    assert "--port" in said
    assert not (tmp_path / "h.db").exists(), "what cannot be served makes no account"
