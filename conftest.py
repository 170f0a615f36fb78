"""In CI a test that needs Chromium or PostgreSQL runs or fails; elsewhere it may skip, saying why at the end."""

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    needed = [name for name in ("browser", "postgres") if item.get_closest_marker(name)]
    if report.skipped and needed and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}: may not be skipped in CI ({', '.join(needed)})"
    return report
