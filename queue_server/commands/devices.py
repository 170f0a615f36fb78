"""`yichuang devices`: the devices that are known, and what their bytes mean."""

import argparse
from importlib import import_module

from devices import tool
from devices.session import Papers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tool.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: tool.run(arguments, _papers))


def _papers() -> Papers:
    """Read only for a printer: what lays papers out takes long to start."""
    papers: Papers = import_module("queue_server.edge").PAPERS
    return papers
