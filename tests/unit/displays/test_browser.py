"""The watchdog of a display's browser hears what is no browser's answer, and goes on (UX D-10)."""

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("there is no `yichuang screen` on Windows", allow_module_level=True)

from displays.browser import Browser, Silent


@pytest.mark.parametrize("said", ["rubbish", "[1]", '{"id": 1}', '{"id": 1, "result": 7}'])
def test_nonsense_is_silence(said: str) -> None:
    with (
        Browser(["sh", "-c", f"printf '%s\\000' '{said}' >&4; sleep 60"]) as browser,
        pytest.raises(Silent, match="nonsense"),
    ):
        browser.where(10.0)
