"""The command line: which commands there are; each is read from its module in `queue_server.commands` when it is asked for."""

import argparse
import gc
import sys
from collections.abc import Collection, Sequence
from importlib import import_module

import structlog

from queue_server.app.terminal import own_language

COMMANDS = {
    "serve": "serve one hall",
    "certificate": "make the certificate with which a hall is served over TLS",
    "account": "give an account a new password, at the server itself",
    "config": "check a hall's file",
    "journal": "verify, rebuild or export what happened",
    "agent": "own the devices of this PC",
    "screen": "keep a display's browser at its page",
    "voice": "make the voice pack that ships, or a player's card",
    "demo": "live through a morning on emulated devices",
    "devices": "the devices that are known, and what their bytes mean",
    "emulate": "be the other end of a device's line",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 done, 1 the answer is no, 2 wrong usage."""
    given = sys.argv[1:] if argv is None else argv
    gc.disable()  # reading the modules makes much and leaves nothing behind: a third of the time would go into looking
    try:
        all_arguments = parser_of(COMMANDS.keys() & given)
    finally:
        gc.enable()
    with own_language(all_arguments) as parser:
        arguments = parser.parse_args(given)
    _log_setup(arguments.verbose)
    code: int = arguments.run(arguments)
    return code


def run() -> None:
    """The console script."""
    sys.exit(main())


def parser_of(commands: Collection[str]) -> argparse.ArgumentParser:
    """Knows all commands by name, and the arguments of these: a server starts without reading what a demo needs."""
    parser = argparse.ArgumentParser(prog="yichuang", description="The queue and window system for service halls.")
    parser.add_argument("--verbose", action="store_true", help="log what is merely informative too")
    known = parser.add_subparsers(title="commands", required=True)
    for name, text in COMMANDS.items():
        command = known.add_parser(name, help=text)
        if name in commands:
            import_module(f"queue_server.commands.{name}").add_arguments(command)
    return parser


def _log_setup(verbose: bool) -> None:
    """Fields on stderr: readable on a terminal, JSON lines elsewhere."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(10 if verbose else 20),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
