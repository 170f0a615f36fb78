"""`yichuang certificate`: a hall's own authority, and the server's certificate."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from queue_server import certificate
from queue_server.commands import data_dir
from queue_server.compose import lan_address


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for",
        dest="hosts",
        action="append",
        default=[],
        metavar="NAME|ADDRESS",
        help="a name or an address that browsers open; may be repeated; default: this machine's",
    )
    parser.add_argument(
        "--folder", type=Path, help="where to; what is there is used again; default: the hall's own data"
    )
    parser.add_argument(
        "--renew", action="store_true", help="a new one for the same names, or for others; the authority stays"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=_certificate)


def _certificate(arguments: argparse.Namespace) -> int:
    folder = (arguments.folder or data_dir() / "certificate").absolute()
    try:
        hosts = arguments.hosts or (
            [] if (folder / certificate.SERVER).exists() else certificate.hosts_here(lan_address())
        )
        made = certificate.make(folder, hosts, datetime.now(UTC), renew=arguments.renew)
    except certificate.Refused as refused:
        print(refused, file=sys.stderr)
        return 2 if refused.usage else 1
    except OSError as error:
        print(f"--folder {folder}: {error.strerror}", file=sys.stderr)
        return 1
    print(json.dumps(made.told()) if arguments.json else made.advice())
    return 0
