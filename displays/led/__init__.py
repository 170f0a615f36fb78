"""Text to pixels to frames for LED boards; pure."""

from displays.led.pixels import Panel, Picture, flash, pattern, pictures, plane, planes
from displays.led.strip import PAGE_MS, Page, StripState, strip_pages

__all__ = [
    "PAGE_MS",
    "Page",
    "Panel",
    "Picture",
    "StripState",
    "flash",
    "pattern",
    "pictures",
    "plane",
    "planes",
    "strip_pages",
]
