"""`yichuang voice`: the pack that ships, or a player's card."""

import argparse
import sys
from pathlib import Path

from displays.errors import Malformed
from displays.errors import Unavailable as NoPack
from displays.speech.pack import build_pack, load_pack
from queue_server.card import FORMS, write_card
from queue_server.commands import data_dir
from queue_server.commands.config import load_hall


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    build = actions.add_parser("build", help="make the pack with espeak-ng")
    build.add_argument("--folder", type=Path, help="where to; default: the hall's own data")
    build.add_argument("--hall", type=Path, help="a hall's file: the words of its template and window signs as well")
    build.set_defaults(run=_build_voice)
    card = actions.add_parser("card", help="write the pack as the files of a player's card")
    card.add_argument("target", type=Path, help="the card, or a folder to copy onto it")
    card.add_argument("--as", dest="player", choices=sorted(FORMS), required=True, help="whose card")
    card.add_argument("--folder", type=Path, help="folder of the pack; default: the hall's own")
    card.set_defaults(run=_write_card)


def _build_voice(arguments: argparse.Namespace) -> int:
    folder = arguments.folder or data_dir() / "voice"
    texts: list[str] = []
    if arguments.hall is not None:
        configuration = load_hall(arguments.hall)
        if configuration is None:
            return 2
        texts = [configuration.voice.template, *(window.plate for window in configuration.window)]
    try:
        build_pack(folder, texts=texts)
    except (NoPack, Malformed) as error:
        print(str(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"--folder {folder}: {error.strerror}", file=sys.stderr)
        return 1
    print(folder)
    return 0


def _write_card(arguments: argparse.Namespace) -> int:
    try:
        settings = write_card(load_pack(arguments.folder or data_dir() / "voice"), arguments.player, arguments.target)
    except (NoPack, Malformed, OSError) as error:
        print(str(error), file=sys.stderr)
        return 1
    print("[device.settings]")
    for name, value in settings.items():
        print(f'"{name}" = "{value}"')
    return 0
