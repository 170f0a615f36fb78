"""The command line: `yichuang serve | agent | demo | emulate | config | journal | voice`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from queue_server.app import hallfile
from queue_server.domain.configuration import Configuration
from queue_server.store.port import StoreError


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 done, 1 the answer is no, 2 wrong usage."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    _log_setup(arguments.verbose)
    code: int = arguments.run(arguments)
    return code


def run() -> None:
    """The console script."""
    sys.exit(main())


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yichuang", description="The queue and window system for service halls.")
    parser.add_argument("--verbose", action="store_true", help="log what is merely informative too")
    commands = parser.add_subparsers(title="commands", required=True)
    _add_serve(commands.add_parser("serve", help="serve one hall"))
    _add_config(commands.add_parser("config", help="check a hall's file"))
    return parser


def data_dir() -> Path:
    """Where a hall's own data lies unless told otherwise: $YICHUANG_DATA, or ~/.local/share/yichuang."""
    told = os.environ.get("YICHUANG_DATA", "")
    return Path(told) if told else Path.home() / ".local" / "share" / "yichuang"


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hall", type=Path, required=True, help="the hall's TOML file, used on the first start")
    parser.add_argument("--database", default="", help="sqlite:///FILE or postgresql://USER@HOST/NAME")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--base-url", default="", help="the address phones use; default: this machine's in the LAN")
    parser.add_argument("--keys", type=Path, help="folder of the key files, outside the database")
    parser.add_argument("--voice", type=Path, help="folder of the voice pack")
    parser.set_defaults(run=_serve)


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


def _serve(arguments: argparse.Namespace) -> int:
    from queue_server.compose import Settings, serve_forever  # noqa: PLC0415 — the other commands start without it

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
    )

    async def go() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await serve_forever(settings, stop)

    try:
        return run_loop(go())
    except StoreError as error:
        print(str(error), file=sys.stderr)
        return 1


def run_loop(work: "asyncio.Future[int] | object") -> int:
    """Run on uvloop where it exists."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.run(work)  # type: ignore[arg-type]
    return uvloop.run(work)  # type: ignore[arg-type]


def _add_config(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    check = actions.add_parser("check", help="say what is wrong with a hall's file")
    check.add_argument("file", type=Path)
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=lambda arguments: hallfile.check_command(arguments.file, arguments.json))
