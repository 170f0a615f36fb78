"""`yichuang journal`: verify, rebuild or export what happened."""

import argparse
import functools
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from queue_server.app.projection import project
from queue_server.commands import data_dir, run_loop
from queue_server.store import cli as journal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    for name, work, text in (
        ("verify", journal.journal_verify, "is every row where it was, and do the reports follow from them?"),
        ("rebuild", journal.journal_rebuild, "make the reports' tables anew"),
        ("export", journal.journal_export, "print the rows as JSON lines"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://USER@HOST/NAME")
        action.add_argument("--keys", type=Path, help="folder of the key files")
        action.add_argument("--hall", required=name == "export", help="one hall only")
        if name == "export":
            action.add_argument("--after", type=int, default=0, metavar="SEQ")
        else:
            action.add_argument("--json", action="store_true")
        action.set_defaults(run=functools.partial(_journal, name, work))


def _journal(name: str, work: Callable[..., Coroutine[None, None, int]], arguments: argparse.Namespace) -> int:
    keys = arguments.keys or data_dir() / "keys"
    if name == "export":
        after, out = arguments.after, sys.stdout.buffer
        return run_loop(
            work(arguments.database, keys, project, hall=arguments.hall, after=after, out=out, err=sys.stderr)
        )
    options = {"hall": arguments.hall, "as_json": arguments.json, "out": sys.stdout, "err": sys.stderr}
    return run_loop(work(arguments.database, keys, project, **options))
