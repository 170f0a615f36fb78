"""What printers are known to have, by the name a device map gives them as their profile (HARDWARE 4.1); data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class PrinterModel:
    """A model: the profile of its paper, and the settings that differ from an ordinary printer's."""

    paper: str
    settings: Mapping[str, str]


MODELS: Final[Mapping[str, PrinterModel]] = MappingProxyType(
    {
        "escpos": PrinterModel("80mm", {}),
        # PyramidTechnologies/escpos, reliance_status.rst: no fixed bits, full status, steps of 7 mm.
        "reliance": PrinterModel(
            "80mm", {"full_status": "true", "fixed_bits": "false", "presenter": "command", "present_steps": "12"}
        ),
        # KPM-210/216 manual p. 76: steps of 0.625 mm.
        "kpm": PrinterModel("80mm", {"full_status": "true", "presenter": "command", "present_steps": "128"}),
        # From memory: the same full status; it presents at the cut unless its own set-up says otherwise.
        "vkp80": PrinterModel("80mm", {"full_status": "true", "presenter": "auto", "paper.cut": "full"}),
    }
)
