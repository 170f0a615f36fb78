"""`yichuang emulate`: the other end of a device's line."""

import argparse

from devices.emulators import cli as emulators
from queue_server.commands import run_loop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    emulators.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: run_loop(emulators.run(arguments)))
