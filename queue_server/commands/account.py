"""`yichuang account`: a new password, at the server itself."""

import argparse
import asyncio
import json
import sys

from queue_server.app import reset
from queue_server.commands import data_dir
from queue_server.store.port import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    action = actions.add_parser("reset", help="show a new password, once; the account's sessions end")
    action.add_argument("id", help=f"the staff number, admin, or {reset.PIN} for the kiosks' menu")
    action.add_argument("--database", default="", help="default: the one in the hall's own data")
    action.add_argument("--hall", metavar="ID", help="only where a database has several")
    action.add_argument("--json", action="store_true")
    action.set_defaults(run=_reset)


def _reset(arguments: argparse.Namespace) -> int:
    try:
        database = arguments.database or reset.only_database(data_dir())
        secret = asyncio.run(reset.reset(database, arguments.hall, arguments.id))
    except (ValueError, StoreError) as error:
        print(str(error), file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    if arguments.json:
        print(json.dumps({"account": arguments.id, "secret": secret}))
    elif arguments.id == reset.PIN:
        print(f"取号机维护菜单的新 PIN（只显示这一次） · new PIN of the kiosks' menu, shown once: {secret}")
    else:
        print(f"{arguments.id} 的新密码（只显示这一次） · new password of {arguments.id}, shown once: {secret}")
        print(
            "它的登录都已结束；下次登录要先改密码。 · Its sessions have ended; the next sign-in asks for another one."
        )
    return 0
