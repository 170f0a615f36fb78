"""`yichuang demo`: a morning on emulated devices."""

import argparse

from queue_server.commands import data_dir
from queue_server.commands.config import load_hall
from queue_server.demo import cli as demo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    demo.add_arguments(parser)
    parser.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    configuration = load_hall(arguments.hall)
    return 2 if configuration is None else demo.run(arguments, configuration, data_dir() / "voice")
