"""`yichuang serve`: one hall, until a signal."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from queue_server.app.terminal import own
from queue_server.commands import data_dir, run_loop
from queue_server.commands.config import load_hall
from queue_server.compose import Settings, serve_forever
from queue_server.domain.errors import Unavailable
from queue_server.store.port import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hall", type=Path, required=True, help="the hall's TOML file, used on the first start")
    parser.add_argument("--database", default="", help="sqlite:///FILE or postgresql://USER@HOST/NAME")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=_port_number, default=8080)
    parser.add_argument("--base-url", default="", help="the address phones use; default: this machine's in the LAN")
    parser.add_argument("--keys", type=Path, help="folder of the key files, outside the database")
    parser.add_argument("--voice", type=Path, help="folder of the voice pack")
    parser.add_argument("--certificate", type=Path, help="PEM file with certificate and key: serve over TLS")
    parser.set_defaults(run=_serve)


def _port_number(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(own("{text} is no port: 1 to 65535, or 0 for any that is free", text=text))
    return port


def _serve(arguments: argparse.Namespace) -> int:
    configuration = load_hall(arguments.hall)
    if configuration is None:
        return 2
    folder = data_dir()
    settings = Settings(
        database=arguments.database or f"sqlite:///{folder / (configuration.hall.id + '.db')}",
        keys_dir=arguments.keys or folder / "keys",
        voice_dir=arguments.voice or folder / "voice",
        configuration=configuration,
        host=arguments.host,
        port=arguments.port,
        base_url=arguments.base_url,
        certificate=arguments.certificate,
    )

    async def go() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await serve_forever(settings, stop)

    try:
        return run_loop(go())
    except (StoreError, Unavailable, OSError) as error:
        print(str(error), file=sys.stderr)
        return 1
    except ExceptionGroup as group:  # the database went away while the hall began: said, not thrown at people
        expected, others = group.split((StoreError, Unavailable, OSError))
        if expected is None or others is not None:
            raise
        print("; ".join(str(error) for error in expected.exceptions), file=sys.stderr)
        return 1
