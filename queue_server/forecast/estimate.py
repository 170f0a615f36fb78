"""How long a ticket will wait: the work ahead over the windows that take it, as a range and never as a point."""

LOW, HIGH = 0.7, 1.5
SPREAD_MAX_S = 3600
"""A wider range helps nobody: then only the people ahead are named (UX P-02)."""


def wait_range_s(ahead: int, typical_min: float, windows: int, opens_in_s: int = 0) -> tuple[int, int] | None:
    """Seconds (low, high) until the call; None when no window does the work, or when it is too far off to say.

    The WORK predictor of QUEUES 1.1 with one class: those ahead, each `typical_min` minutes, over `windows`; the
    window that frees first is on average half a service away once anybody is ahead. Rounded to whole minutes.
    """
    if windows <= 0:
        return None
    centre = ahead * typical_min * 60 / windows
    low, high = int(centre * LOW) // 60 * 60, -(-int(centre * HIGH) // 60) * 60
    return None if high - low > SPREAD_MAX_S else (opens_in_s + low, opens_in_s + high)
