"""`yichuang devices`: the devices that are known, and what their bytes mean."""

import argparse

from devices import tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tool.add_arguments(parser)
    parser.set_defaults(run=tool.run)
