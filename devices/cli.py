"""`yichuang agent`: its options and its life."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

import structlog

from devices.agent import Agent, AgentSettings, Render
from devices.devicemap import PrinterMaker
from devices.pairing import membership
from devices.profiles import add_folder
from devices.saying import NO_SERVER
from devices.words import say

PAIRING: Final = (
    "配对码 {code}：在管理页“配对与人员”里填入，当作“设备代理”。",
    "Pairing code {code}: enter it on the manager's page, under pairing, as a device agent.",
)

_log = structlog.get_logger("devices")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang agent`."""
    parser.add_argument("--server", required=True, metavar="URL", help="http://hall-server:8080")
    parser.add_argument("--hall", required=True, metavar="ID", help="the hall's id in addresses")
    parser.add_argument("--state", required=True, type=Path, metavar="FOLDER", help="for its token and unsent presses")
    parser.add_argument(
        "--profiles", type=Path, metavar="FOLDER", help="the hall's own device profiles; default: STATE/profiles"
    )


async def run(arguments: argparse.Namespace, render: Render, make_printer: PrinterMaker) -> int:
    """Join the hall when not yet a member, then own its devices until a signal ends it; 2 for a wrong URL."""
    server: str = arguments.server.rstrip("/")
    if not server.startswith(("http://", "https://")):
        sys.stderr.write(say(NO_SERVER, server=repr(server)) + "\n")
        return 2
    arguments.state.mkdir(parents=True, exist_ok=True)
    for sentence in add_folder(arguments.profiles or arguments.state / "profiles"):
        # Its devices are then named as wrong in the map; the others work.
        _log.error("profile_wrong", error=sentence)
    life = asyncio.create_task(_live(server, arguments.hall, arguments.state, render, make_printer))
    with contextlib.suppress(NotImplementedError):  # Windows has no signals in its loop; Ctrl+C works there too
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, life.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await life
    return 0


async def _live(server: str, hall: str, state: Path, render: Render, make_printer: PrinterMaker) -> None:
    def show(code: str) -> None:
        sys.stderr.write(say(PAIRING, code=f"{code[:3]} {code[3:]}") + "\n")

    joined = await membership(server, hall, state / "membership.json", show)
    socket = "ws" + server.removeprefix("http") + "/api/v1/agent"
    settings = AgentSettings(server=socket, token=joined.token, state=state / "agent.db", agent=joined.agent)
    await Agent(settings, render, make_printer).run()
