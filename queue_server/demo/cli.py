"""`yichuang demo`: its options, its progress, and its report."""

import argparse
import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from devices.emulators.nodes import Sender
from devices.emulators.panel import serving_panel
from devices.emulators.rs485 import Rs485BusEmulator
from devices.transport import Unavailable as NoLine
from displays.errors import Malformed as BadPack
from displays.errors import Unavailable as NoPack
from displays.speech.pack import build_pack
from queue_server.app.hallfile import voice_findings
from queue_server.demo.api import Failed
from queue_server.demo.derive import Scaled, policy_changes
from queue_server.demo.run import (
    Options,
    Stage,
    empty_folder,
    furnish,
    hire,
    live_on,
    live_through,
    open_doors,
    own_folder,
    require_port,
    staged,
)
from queue_server.demo.visits import Visitors
from queue_server.domain.configuration import Configuration
from queue_server.forecast.daymodel import DayModel, parse_day
from queue_server.paths import checker_dir, config_dir

COMPARED: Final = ("issued", "called", "served", "served_direct", "no_shows", "ratings")
"""What the people of the demonstration count themselves, and the checker must find too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang demo`."""
    parser.add_argument("--hall", type=Path, required=True, help="the hall's TOML file; its NAME-day.toml beside it")
    parser.add_argument("--minutes", type=float, default=120.0, help="length of the simulated morning")
    parser.add_argument("--speed", type=float, help="how many times faster than life; default 60, with --stay 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", default="weekday", help="the kind of day in the day file")
    parser.add_argument(
        "--data", type=Path, help="folder for everything it writes; what the demonstration before left there is deleted"
    )
    parser.add_argument("--voice", type=Path, help="folder of the voice pack; made there when espeak-ng can")
    parser.add_argument("--port", type=int, default=0, help="default: a free one, with --stay 8080")
    parser.add_argument("--stay", action="store_true", help="without end, with addresses to look at")
    parser.add_argument(
        "--panel",
        type=int,
        default=0,
        metavar="PORT",
        help="with --stay, the page of the devices; default: a free port",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(  # long: what may be wrong is said in the order in which it is looked at
    arguments: argparse.Namespace, configuration: Configuration, default_voice: Path
) -> int:
    """0: everything agrees; 1: it does not, or the demonstration failed; 2: wrong usage."""
    notes = Console(stderr=True)
    speed = arguments.speed or (1.0 if arguments.stay else 60.0)
    if speed < 1 or arguments.minutes <= 0:
        notes.print("--speed is at least 1, --minutes more than 0")
        return 2
    model = _day_model(arguments.hall, notes)
    if arguments.day not in {kind.id for kind in model.day}:
        notes.print(f"--day is one of {', '.join(kind.id for kind in model.day)}")
        return 2
    with contextlib.ExitStack() as stack:
        data = arguments.data
        if data is None:
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix="yichuang-demo-"))
            data = Path(made)
        options = Options(
            configuration=configuration,
            model=model,
            day=arguments.day,
            minutes=0.0 if arguments.stay else arguments.minutes,
            speed=speed,
            seed=arguments.seed,
            data=data,
            voice=arguments.voice or default_voice,
            port=arguments.port or (8080 if arguments.stay else 0),
            host="0.0.0.0" if arguments.stay else "127.0.0.1",
            panel=arguments.panel,
        )
        try:
            stack.enter_context(own_folder(data))
            require_port(options.host, options.port)
        except Failed as failure:
            notes.print(str(failure), style="red", markup=False, soft_wrap=True)
            return 1
        if (data / "hall.db").exists():
            notes.print(
                f"starting anew: what the demonstration before left in {data} is deleted", markup=False, soft_wrap=True
            )
        empty_folder(data)
        try:
            voice(options.voice, configuration, notes)
            if arguments.stay:
                return asyncio.run(_stay(options, notes))
            return asyncio.run(_timed(options, arguments.json, notes))
        except (Failed, TimeoutError) as failure:
            notes.print(str(failure) or "something did not come up in time", style="red")
            _tails(data, notes)
            return 1


def _day_model(hall: Path, notes: Console) -> DayModel:
    beside = hall.with_name(f"{hall.stem}-day.toml")
    if not beside.exists():
        beside = config_dir() / "district-day.toml"
        notes.print(f"no {hall.stem}-day.toml beside the hall file: people come as in the sample district hall")
    return parse_day(beside.read_text(encoding="utf-8"))


def voice(folder: Path, configuration: Configuration, notes: Console) -> None:
    """A voice pack in the folder that can say what this hall needs, where espeak-ng can make one; recordings stay."""
    lacks = [finding.en for finding in voice_findings(configuration, folder)]
    if not lacks:
        return
    notes.print(f"making the voice pack in {folder}", markup=False)
    try:
        build_pack(folder, texts=[configuration.voice.template, *(window.plate for window in configuration.window)])
    except (NoPack, BadPack) as error:
        notes.print(f"the voice stays as it is: {error}", *lacks, sep="\n", markup=False, soft_wrap=True)


async def _timed(options: Options, as_json: bool, notes: Console) -> int:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes, disable=not notes.is_terminal) as progress:
        bar = progress.add_task("set-up", total=options.minutes * 60)
        report = await morning(
            options,
            lambda what: progress.update(bar, description=what),
            lambda now_s: progress.update(bar, completed=now_s),
        )
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _table(report, policy_changes(options.configuration, options.speed), options)
    return 0 if report["ok"] else 1


async def morning(options: Options, say: Callable[[str], None], tick: Callable[[float], None]) -> dict[str, Any]:
    """One morning from door to report, in a folder that is empty and `own_folder`'s, with a voice made."""
    random = Random(options.seed)
    visits = Visitors(options.configuration, options.model, options.day, random).morning(options.minutes)
    async with staged(options, say) as stage:
        clerks = await hire(stage, random)
        await open_doors(stage)
        say("morning")
        await live_through(stage, visits, clerks, tick)
        counts = dict(stage.world.counts)
        lines = {name: _told(bus) for name, bus in stage.lines.buses.items() if options.line_time}
    changes = policy_changes(options.configuration, options.speed)
    report = _report(options, _check(options), counts, changes) | {"visitors": len(visits)}
    return report | ({"lines": lines} if lines else {})


def _told(bus: Rs485BusEmulator) -> dict[str, int]:
    """What the devices of a line know themselves: presses, their repetitions, and frames that met."""
    senders = [node for node in bus.nodes if isinstance(node, Sender)]
    return {
        "presses": sum(sender.presses for sender in senders),
        "repetitions": sum(sender.repetitions for sender in senders),
        "collisions": bus.collisions,
    }


def _report(options: Options, found: dict[str, Any], counts: dict[str, int], changes: list[Scaled]) -> dict[str, Any]:
    """The checker's totals, and where the people's own counts differ from them."""
    totals = found["totals"]
    differences = {
        name: {"people": counts.get(name, 0), "checker": totals[name]}
        for name in COMPARED
        if counts.get(name, 0) != totals[name]
    }
    return {
        "seed": options.seed,
        **totals,
        "hall": options.configuration.hall.id,
        "minutes": options.minutes,
        "speed": options.speed,
        "ok": found["ok"] and not differences,
        "findings": found["findings"],
        "differences": differences,
        "people": counts,
        "policy": {each.name: {"file": each.file, "demo": each.demo} for each in changes},
    }


def _check(options: Options) -> dict[str, Any]:
    """The outside checker's own JSON, from the logs and the tables alone."""
    data = options.data
    command = [
        sys.executable,
        str(checker_dir() / "check.py"),
        *("--sqlite", str(data / "hall.db")),
        *("--key-dir", str(data / "keys")),
        *("--lines", str(data / "lines")),
        *("--screens", str(data / "screens")),
        *("--audio", str(data / "audio")),
        *("--people", str(data / "people.jsonl")),
        *("--speed", str(options.speed)),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise Failed(f"the checker failed: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    (data / "check.json").write_text(done.stdout, encoding="utf-8")
    return found


def _table(report: dict[str, Any], changes: list[Scaled], options: Options) -> None:
    out = Console()
    table = Table(title=f"{report['hall']}: {options.minutes:g} min at {options.speed:g}×, seed {options.seed}")
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in report.items():
        if isinstance(value, int | float | str):
            table.add_row(name, f"{value:.1f}" if isinstance(value, float) else str(value))
    out.print(table)
    if changes:
        rounded = ", ".join(f"{each.name} {each.file}→{each.demo}" for each in changes)
        out.print(f"Times of the policy at this speed (whole numbers, at least 1): {rounded}")
    for finding in report["findings"]:
        out.print(f"{finding['code']}: {finding['detail']}", style="red", markup=False)
    for name, both in report["differences"].items():
        out.print(f"{name}: the people counted {both['people']}, the checker found {both['checker']}", style="red")


def _tails(data: Path, notes: Console) -> None:
    for name in ("server.log", "agent.log"):
        log = data / name
        if log.exists():
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            notes.print(f"{name}:", *lines, sep="\n  ", markup=False)


async def _stay(options: Options, notes: Console) -> int:
    """Until Ctrl-C."""
    random = Random(options.seed)
    visitors = Visitors(options.configuration, options.model, options.day, random)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with staged(options, lambda what: notes.print(f"… {what}")) as stage:
        notes.print("… clerks, one account each")
        clerks = await hire(stage, random)
        notes.print("… doors")
        await open_doors(stage)
        life = asyncio.create_task(live_on(stage, visitors, clerks))
        try:
            async with serving_panel(furnish(stage.world, stage.free_window), options.panel) as panel:
                await _announce(stage, panel)
                ended = asyncio.create_task(stop.wait())
                await asyncio.wait({life, ended}, return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
        except NoLine as error:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            raise Failed(f"{error}: give another with --panel PORT") from error
        if life.done() and not stop.is_set():
            life.result()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    return 0


async def _announce(stage: Stage, panel: str) -> None:  # long: what one page of the terminal says, from top to bottom
    """Addresses, the password and the accounts, for somebody who sees this for the first time."""
    from queue_server.compose import lan_address  # noqa: PLC0415 — the server's own modules, needed here alone

    out = Console()
    api, admin, configuration = stage.api, stage.admin, stage.configuration
    for staff, name, roles in (("2001", "导办员", ["guide"]), ("2002", "大厅主管", ["manager"])):
        body = {"staff": staff, "name": name, "roles": roles, "password": f"{stage.password}-{staff}"}
        await api.must("POST", "staff", body, admin)
        who = await api.sign_in(staff, f"{stage.password}-{staff}")
        await api.change_password(who, f"{stage.password}-{staff}", stage.password)
    rows: list[tuple[str, str]] = []
    for kiosk, who in zip(configuration.kiosk, stage.kiosks, strict=True):
        token = who["Authorization"].removeprefix("Bearer ")
        rows.append((f"取号机 kiosk {kiosk.id}", stage.url("kiosk", token)))
    for zone in [zone.id for zone in configuration.zone if f"hall:{zone.id}" in stage.tokens]:
        sound = "，有声 with sound" if zone == stage.free_zone else ""
        rows.append((f"综合屏 display {zone}{sound}", stage.url("hall", await api.pair(admin, "hall", zone))))
    window = stage.free_window
    rows.append((f"窗口屏 window {window}", stage.url("window", await api.pair(admin, "window", window))))
    while not stage.world.citizens:  # noqa: ASYNC110 - the first comes within moments
        await asyncio.sleep(0.1)
    citizen = next(iter(stage.world.citizens.values()))
    rows.append((f"手机 phone {citizen.number}", stage.url(f"t/{citizen.token}")))
    for role, staff in (
        (f"柜员 clerk, 窗口 window {window}", "1000"),
        ("导办 guide", "2001"),
        ("主管 manager", "2002"),
    ):
        rows.append((role, f"{stage.url('login')}   {staff}"))
    rows.append(("管理员 admin", f"{stage.url('login')}   admin"))
    for led in configuration.led:
        rows.append((f"点阵屏 LED board {led.id}", stage.url("led", await api.pair(admin, "led", led.id))))
    rows.append(("设备面板 device panel", panel))
    out.print(f"\n{configuration.hall.name} · {configuration.hall.name_en}\n", markup=False)
    # Plain lines: an address that a table has cut short opens nothing.
    width = max(cell_len(name) for name, _ in rows)
    for name, where in rows:
        out.print(name + " " * (width - cell_len(name)), where, soft_wrap=True, markup=False, highlight=False)
    out.print(f"\n密码（各账号相同） password, the same for all: {stage.password}", markup=False, highlight=False)
    out.print(
        f"本厅其他电脑上把 127.0.0.1 换成 {lan_address()}。  From other PCs: {lan_address()} instead of 127.0.0.1."
    )
    out.print(
        f"从这里开始：打开取号机取一个号；再用工号 1000 登录窗口 {window}（留给您的空窗口），按 F2 叫号。"
        f"{stage.free_zone} 区的声音也留给您：打开那块有声的大屏、点一下；在那之前主管页会说它没有出声。\n"
        f"Begin here: take a number at the kiosk, sign in as 1000 at window {window}, which is left to you, and press F2. "
        f"The sound of zone {stage.free_zone} is yours too: open its display and tap it; until then the manager's page "
        "says that it is silent.\n"
        "设备面板（只在这台电脑上打开）：按 3 号窗口键盘上的“呼叫”，看条屏、号票和播报；拔线、取走纸卷，看大厅怎么办。\n"
        "Device panel (on this PC only): press Call on the keypad of window 3, see the strip, the tickets and what is said; "
        "pull a plug, take the paper out.",
        markup=False,
    )
    out.print("Ctrl-C 结束；下次启动从头开始。  Ctrl-C ends it; the next start begins anew.")
