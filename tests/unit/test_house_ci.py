"""DESIGN 8: a test may skip on a laptop that lacks what it needs; in CI it must run, unless it is marked `root`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPS = """
import pytest

@pytest.fixture
def database():
    pytest.skip("no PostgreSQL here")

@pytest.mark.postgres
def test_in_its_fixture(database): ...

@pytest.mark.browser
def test_in_its_body():
    pytest.skip("no Chromium here")

@pytest.mark.skipif(True, reason="no Chromium here")
def test_by_a_mark(): ...

def test_that_says_nothing_of_what_it_needs():
    pytest.skip("sox is not installed")

@pytest.mark.root
def test_that_mounts_a_disk():
    pytest.skip("not root")

@pytest.mark.xfail
def test_known_to_fail():
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("ci", "said"),
    [("true", "2 failed, 1 skipped, 1 xfailed, 2 errors"), ("", "5 skipped, 1 xfailed")],
    ids=["in CI they fail", "on a laptop they skip"],
)
def test_design_8_nothing_is_skipped_in_ci_but_what_needs_root(ci: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    postgres\n    root\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert said in done.stdout, done.stdout + done.stderr
