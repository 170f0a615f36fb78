"""What holds for every test: examples have no deadline; what needs Chromium, PostgreSQL or umockdev may skip, but not in CI."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# How fast a machine is says nothing about a rule.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    needed = [name for name in ("browser", "postgres", "umockdev") if item.get_closest_marker(name)]
    if report.skipped and needed and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}: may not be skipped in CI ({', '.join(needed)})"
    return report
