"""The kill rounds as a test; the hundred of the issue are run by `python -m tests.crash.kill --rounds 100`."""

from pathlib import Path

import pytest

from tests.crash.kill import rounds


@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_or_repeated_by_kill_9(tmp_path: Path) -> None:
    """DESIGN laws 1, 4, 6: killed under load, asked again, and screens right within 3 s of readiness (UX X-07)."""
    tally, clerks = await rounds(tmp_path, 5)
    assert tally.rounds == 5
    assert len(tally.acknowledged) > 100
    assert tally.repeated >= 5
    assert max(tally.screen_s) < 3.0
    assert all(clerk.served for clerk in clerks)
    assert any(clerk.rated for clerk in clerks)
