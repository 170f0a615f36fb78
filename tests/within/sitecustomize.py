"""Python itself runs this in a server of the tests: passwords cost it little, and its wall clock may be ahead."""

import os
import sys
import time

if "serve" in sys.orig_argv:  # not in the process that writes, which knows no passwords
    from argon2 import PasswordHasher

    # Time, memory and lanes of what is made here; what is checked brings its own. tests/http/test_access.py has the product's.
    PasswordHasher.__init__.__defaults__ = (1, 8, 1, *PasswordHasher.__init__.__defaults__[3:])

if ahead_s := int(os.environ.get("TESTS_AHEAD_S", "0")):
    _ns = ahead_s * 1_000_000_000
    _time_ns = time.time_ns
    time.time_ns = lambda: _time_ns() + _ns
    time.time = lambda: time.time_ns() / 1e9
