"""What every test of the devices finds as a new process does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.devices.foreign import forget_learnt


@pytest.fixture(autouse=True)
def nothing_learnt() -> Iterator[None]:
    """No profile that another test learnt."""
    yield
    forget_learnt()
