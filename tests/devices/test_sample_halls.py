"""The device maps of the sample halls are ones that an agent can run."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from devices.devicemap import plan
from queue_server.wire.agent import DeviceEntry

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.mark.parametrize("name", ["district", "township"])
def test_every_device_of_a_sample_hall_can_run_and_no_line_is_overfull(name: str) -> None:
    hall = tomllib.loads((CONFIG / f"{name}.toml").read_text())
    agents: dict[str, list[DeviceEntry]] = {}
    for device in hall["device"]:
        filled = {"profile": "", "window": "", "address": 0, "levels": {}, "settings": {}} | device
        agent = filled.pop("agent")
        filled.pop("name", None)
        agents.setdefault(agent, []).append(msgspec.convert(filled, DeviceEntry))
    assert agents
    for entries in agents.values():
        made = plan(entries)
        assert made.wrong == {}
        assert sum(map(len, made.lines.values())) == len(entries)
        assert all(len(line) <= 31 for line in made.lines.values())  # RS-485 drives 32 unit loads
