"""Text to pixels to frames for LED boards; pure."""

from displays.led.brightness import parse_dimming
from displays.led.pixels import Panel, Picture, flash, pattern, pictures, plane, planes
from displays.led.strip import PAGE_MS, Page, StripState, state_of, strip_pages

__all__ = [
    "PAGE_MS",
    "Page",
    "Panel",
    "Picture",
    "StripState",
    "flash",
    "parse_dimming",
    "pattern",
    "pictures",
    "plane",
    "planes",
    "state_of",
    "strip_pages",
]
