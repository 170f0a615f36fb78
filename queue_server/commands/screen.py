"""`yichuang screen`: the browser of a display's own PC."""

import argparse
import sys

from queue_server.app.terminal import own
from queue_server.paths import config_dir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    if sys.platform == "win32":
        parser.add_argument("url", nargs="*")
        parser.set_defaults(run=_not_here)
        return
    from displays import browser  # noqa: PLC0415 — it needs POSIX processes

    browser.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: browser.run(arguments, config_dir() / "launcher.html"))


def _not_here(arguments: argparse.Namespace) -> int:
    sys.stderr.write(own("not on Windows: let Assigned Access start the browser") + "\n")
    return 1
