"""Cookies work on plain HTTP in a LAN and are Secure under TLS (UX X-13)."""

import contextlib
import datetime
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from queue_server import cli
from queue_server.compose import serving
from tests.hall_process import TOWNSHIP
from tests.http.conftest import settings_of


def _certificate(path: Path) -> Path:
    """A self-signed certificate and its key in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hall")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.mark.parametrize("tls", [False, True])
async def test_ux_x_13_the_cookie_is_secure_under_tls_and_works_without(tmp_path: Path, tls: bool) -> None:
    certificate = _certificate(tmp_path / "hall.pem") if tls else None
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    settings = settings_of(tmp_path, certificate=certificate)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        body = {"staff": "admin", "password": running.first_password}
        url = f"{running.url}/api/v1/halls/{running.frame.hub.name}/session"
        assert url.startswith("https://" if tls else "http://")
        async with session.post(url, json=body, ssl=context) as answer:
            assert answer.status == 200
            cookie = answer.cookies["yichuang"]
    assert bool(cookie["secure"]) is tls
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"


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
