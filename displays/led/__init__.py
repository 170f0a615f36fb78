"""Text to pixels to frames for LED boards; pure."""

from displays.led.strip import PAGE_MS, Page, StripState, strip_pages

__all__ = ["PAGE_MS", "Page", "StripState", "strip_pages"]
