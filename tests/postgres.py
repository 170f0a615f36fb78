"""A real PostgreSQL that tests start themselves: Debian's binaries, an unprivileged user, fsync on, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MISSING = "PostgreSQL's server binaries are not here (apt-get install postgresql): these tests did NOT run"
_START_S = 60.0


def binaries() -> Path | None:
    """The newest Debian folder with `initdb` in it, or the one on the path; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def require_binaries() -> Path:
    """The binaries; without them a laptop skips, saying so, and CI fails."""
    folder = binaries()
    if folder is None:
        pytest.skip(MISSING)
    return folder


class Postgres:
    """A running cluster on 127.0.0.1; every test takes a database of its own."""

    def __init__(self, folder: Path, port: int, as_user: list[str], bin_folder: Path) -> None:
        self.port = port
        self._folder = folder
        self._as_user = as_user
        self._bin = bin_folder
        self._made = 0

    def _psql(self, statement: str) -> None:
        command = [str(self._bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "yichuang", "-qc", statement]
        subprocess.run([*command, "postgres"], check=True, capture_output=True, cwd=self._folder)

    def fresh(self, template: str = "") -> str:
        """The address of a new database: an empty one, or a copy of `template`."""
        self._made += 1
        self._psql(f"create database {self.last}{f' template {template}' if template else ''}")
        return self.url(self.last)

    @property
    def last(self) -> str:
        """The name of the newest."""
        return f"hall{self._made}"

    def url(self, name: str, port: int | None = None) -> str:
        """The address of a database, through another port when something stands between."""
        return f"postgresql://yichuang@127.0.0.1:{port or self.port}/{name}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _unprivileged() -> tuple[list[str], int, int]:
    """The words that start a program as nobody in particular: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "INT"], os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        words = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig", "INT"]
        return words, user.pw_uid, user.pw_gid
    raise RuntimeError("neither a postgres nor a nobody user to run PostgreSQL as")


@contextmanager
def running() -> Iterator[Postgres]:
    """Make a cluster, run it, and take it away again."""
    bin_folder = require_binaries()
    as_user, user, group = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="yichuang-pg-"))
    os.chown(folder, user, group)
    data = folder / "data"
    make = [str(bin_folder / "initdb"), "-D", str(data), "-U", "yichuang", "-A", "trust", "-E", "UTF8", "--no-locale"]
    server: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run([*as_user, *make, "--no-sync"], check=True, capture_output=True, cwd=folder)
        port = _free_port()
        run = [str(bin_folder / "postgres"), "-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*as_user, *run, "-c", "fsync=on"], stdout=log, stderr=log, cwd=folder)
        _wait(server, bin_folder, port, folder / "log")
        yield Postgres(folder, port, as_user, bin_folder)
    finally:
        if server is not None:
            server.send_signal(2)  # "fast": sessions are ended, data is written
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", bin_folder: Path, port: int, log: Path) -> None:
    until = time.monotonic() + _START_S
    ready = [str(bin_folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
