"""For every test: examples have no deadline, long files begin first, and nothing is skipped in CI but what needs root."""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# How fast a machine is says nothing about a rule.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what is made once a run: whoever begins the run makes it and takes it away, its workers are told of it."""
    if "TESTS_RUN" not in os.environ:
        os.environ["TESTS_RUN"] = folder = tempfile.mkdtemp(prefix="tests-run-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.add_cleanup(lambda: os.environ.__delitem__("TESTS_RUN"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the longest time limits first: two workers share the run, and neither shall end on a long file alone."""
    limits: dict[Path, float] = defaultdict(float)
    for item in items:
        marker = item.get_closest_marker("timeout")
        limits[item.path] = max(limits[item.path], float(marker.args[0]) if marker else 0.0)
    items.sort(key=lambda item: -limits[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and not item.get_closest_marker("root") and os.name == "posix" and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}: may not be skipped in CI"
    return report
