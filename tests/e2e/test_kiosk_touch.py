"""What a finger needs on a kiosk, measured on every page in every mode: UX K-03 to K-05, in Chromium on recorded documents."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from tests.hall_process import ROOT

pytestmark = pytest.mark.browser

WEB = ROOT / "displays" / "web"


async def test_ux_k_03_to_k_05_every_target_and_name_on_every_page_in_every_mode(hatch_build: Any) -> None:
    """UX K-03: names of 40 px or more, a sub-line, the wait, the reason of what is closed, none of it cut. UX K-04: targets
    of 96 x 96 px or more, 16 px apart, 24 px from the bezel; tall, lying, at 125 %, 低位, 大字版, 高对比 and in English.
    UX K-05: "低位模式 … moves all controls to the lower 45 %", on every tall panel.
    """
    node = hatch_build.find_node()
    if node is None or shutil.which("chromium") is None:
        pytest.skip("Node or Chromium is not installed: the screens are not measured")
    measure = await asyncio.create_subprocess_exec(
        str(node), "scripts/touch.mjs", cwd=WEB, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await measure.communicate()
    text = output.decode(errors="replace")
    assert measure.returncode == 0, text[-6000:]
    assert int(text.split()[-4]) > 1000, text
