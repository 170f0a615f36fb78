"""A second demonstration leaves the first one's folder and port alone, and says what to do."""

import contextlib
import socket
from pathlib import Path

import pytest

from queue_server import cli
from queue_server.demo.run import MARK, own_folder
from tests.hall_process import TOWNSHIP


def _run(data: Path, *more: str) -> int:
    return cli.main(["demo", "--hall", str(TOWNSHIP), "--stay", "--data", str(data), "--voice", str(data), *more])


def _left_behind(data: Path) -> Path:
    """What a demonstration keeps that is running, or has ended."""
    data.mkdir()
    (data / MARK).touch()
    kept = data / "hall.db"
    kept.write_bytes(b"journal")
    return kept


def test_a_folder_that_another_demonstration_holds_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "demo"
    kept = _left_behind(data)
    with own_folder(data):
        assert _run(data) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "another demonstration runs in" in said
    assert "Ctrl-C" in said
    assert "--data FOLDER and --port PORT" in said
    assert kept.read_bytes() == b"journal"


def test_a_port_that_is_taken_is_said_before_anything_is_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "demo"
    kept = _left_behind(data)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert _run(data, "--port", str(taken.getsockname()[1])) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "--port PORT" in said
    assert kept.read_bytes() == b"journal"


def test_a_folder_that_is_no_demonstrations_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    assert _run(tmp_path) == 1
    assert "not a demonstration's" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "thesis.txt").exists()
