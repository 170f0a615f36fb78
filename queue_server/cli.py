"""The command line: `yichuang serve | account | config | journal | agent | screen | voice | demo | devices | emulate`."""

import argparse
import asyncio
import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import structlog

from devices import cli as agent
from devices import tool as device_tool
from devices.emulators import cli as emulators
from displays.errors import Malformed
from displays.errors import Unavailable as NoPack
from displays.speech.pack import build_pack, load_pack
from queue_server.app import hallfile, reset
from queue_server.app.projection import project
from queue_server.card import FORMS, write_card
from queue_server.demo import cli as demo
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Unavailable
from queue_server.edge import make_printer, render_strip
from queue_server.paths import config_dir
from queue_server.store import cli as journal
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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yichuang", description="The queue and window system for service halls.")
    parser.add_argument("--verbose", action="store_true", help="log what is merely informative too")
    commands = parser.add_subparsers(title="commands", required=True)
    _add_serve(commands.add_parser("serve", help="serve one hall"))
    _add_account(commands.add_parser("account", help="give an account a new password, at the server itself"))
    _add_config(commands.add_parser("config", help="check a hall's file"))
    _add_journal(commands.add_parser("journal", help="verify, rebuild or export what happened"))
    _add_agent(commands.add_parser("agent", help="own the devices of this PC"))
    if sys.platform != "win32":
        _add_screen(commands.add_parser("screen", help="keep a display's browser at its page"))
    _add_voice(commands.add_parser("voice", help="make the voice pack that ships, or a player's card"))
    _add_demo(commands.add_parser("demo", help="live through a morning on emulated devices"))
    tool = commands.add_parser("devices", help="the devices that are known, and what their bytes mean")
    device_tool.add_arguments(tool)
    tool.set_defaults(run=device_tool.run)
    emulate = commands.add_parser("emulate", help="be the other end of a device's line")
    emulators.add_arguments(emulate)
    emulate.set_defaults(run=lambda arguments: run_loop(emulators.run(arguments)))
    return parser


def data_dir() -> Path:
    """Where a hall's own data lies unless told otherwise: $YICHUANG_DATA, or ~/.local/share/yichuang."""
    told = os.environ.get("YICHUANG_DATA", "")
    return Path(told) if told else Path.home() / ".local" / "share" / "yichuang"


def _add_serve(parser: argparse.ArgumentParser) -> None:
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
        raise argparse.ArgumentTypeError(f"{text} is no port: 1 to 65535, or 0 for any that is free")
    return port


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


def run_loop(work: Coroutine[None, None, int]) -> int:
    """Run on uvloop where it exists."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def _add_account(parser: argparse.ArgumentParser) -> None:
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


def _add_config(parser: argparse.ArgumentParser) -> None:
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


def _add_journal(parser: argparse.ArgumentParser) -> None:
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


def _add_voice(parser: argparse.ArgumentParser) -> None:
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


def _add_agent(parser: argparse.ArgumentParser) -> None:
    agent.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: run_loop(agent.run(arguments, render_strip, make_printer)))


def _add_screen(parser: argparse.ArgumentParser) -> None:
    from displays import browser  # noqa: PLC0415 — it needs POSIX processes

    browser.add_arguments(parser)
    parser.set_defaults(run=lambda arguments: browser.run(arguments, config_dir() / "launcher.html"))


def _add_demo(parser: argparse.ArgumentParser) -> None:
    demo.add_arguments(parser)
    parser.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    configuration = load_hall(arguments.hall)
    return 2 if configuration is None else demo.run(arguments, configuration, data_dir() / "voice")
