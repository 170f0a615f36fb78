"""Python itself runs this in every process that a test starts: passwords are hashed cheaply, as those of halls in a test's own
process are (tests/http/conftest.py), and with `TESTS_AHEAD_S` the wall clock is that much ahead."""

import os
import time
from functools import partial

import argon2

# RULES 94 and the product's own cost are for tests/http/test_access.py; here a hall with five clerks hashes thirty times.
argon2.PasswordHasher = partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[misc,assignment]

if _ns := int(os.environ.get("TESTS_AHEAD_S", "0")) * 1_000_000_000:
    _time_ns = time.time_ns
    time.time_ns = lambda: _time_ns() + _ns
    time.time = lambda: time.time_ns() / 1e9
