"""DESIGN 8: a test that needs PostgreSQL, Chromium or umockdev may skip on a laptop; in CI it must run."""

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

@pytest.mark.browser
@pytest.mark.skipif(True, reason="no Chromium here")
def test_by_a_mark(): ...

@pytest.mark.umockdev
def test_with_an_emulated_bus():
    pytest.skip("no umockdev here")

def test_that_needs_none():
    pytest.skip("Windows only")
"""


@pytest.mark.parametrize(
    ("ci", "said"),
    [("true", "2 failed, 1 skipped, 2 errors"), ("", "5 skipped")],
    ids=["in CI they fail", "on a laptop they skip"],
)
def test_design_8_what_needs_postgres_chromium_or_umockdev_is_never_skipped_in_ci(
    ci: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    postgres\n    umockdev\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert said in done.stdout, done.stdout + done.stderr
