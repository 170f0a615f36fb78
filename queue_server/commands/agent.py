"""`yichuang agent`: the devices of one PC."""

import argparse

from devices import cli as agent
from queue_server.commands import run_loop
from queue_server.edge import make_printer, render_strip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    agent.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: run_loop(agent.run(arguments, render_strip, make_printer)))
