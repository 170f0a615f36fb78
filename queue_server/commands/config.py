"""`yichuang config`: what is wrong with a hall's file; and the file, for the commands that begin with one."""

import argparse
import sys
from pathlib import Path

from queue_server.app import hallfile
from queue_server.commands import data_dir
from queue_server.domain.configuration import Configuration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    check = actions.add_parser("check", help="say what is wrong with a hall's file")
    check.add_argument("file", type=Path)
    check.add_argument("--json", action="store_true")
    check.add_argument(
        "--voice", type=Path, help="folder of the voice pack; default: the hall's own, where there is one"
    )
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    own = data_dir() / "voice"
    return hallfile.check_command(arguments.file, arguments.json, arguments.voice or (own if own.is_dir() else None))


def load_hall(path: Path) -> Configuration | None:
    """The configuration of a file; its mistakes go to stderr and give None."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return None
    configuration, findings = hallfile.load(text)
    for finding in findings:
        if finding.level == "error":
            print(f"{finding.where}: {finding.zh} / {finding.en}", file=sys.stderr)
    if any(finding.level == "error" for finding in findings):
        return None
    return configuration
