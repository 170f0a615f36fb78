"""Python itself runs this in a process whose machine is to live `TESTS_AHEAD_S` seconds later: only the wall clock moves."""

import os
import time

_ns = int(os.environ["TESTS_AHEAD_S"]) * 1_000_000_000
_time_ns = time.time_ns

time.time_ns = lambda: _time_ns() + _ns
time.time = lambda: time.time_ns() / 1e9
