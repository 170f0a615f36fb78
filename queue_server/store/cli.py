"""What `yichuang journal verify | rebuild | export` do: a table for people, JSON lines for machines, an exit code."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from queue_server.store import audit
from queue_server.store.port import Projector, StoreError
from queue_server.store.store import Store

DONE: Final = 0
NO: Final = 1
WRONG_USAGE: Final = 2
NOT_WHOLE: Final = """\
Rows were changed, lost or added by something other than Yichuang, or the key folder is another hall's. What to do:
  1. Look at --keys. With a wrong folder nearly every row is named above.
  2. Only tables of the reports are named (tickets, services, ratings)? `yichuang journal rebuild` makes them anew.
  3. Otherwise keep a copy of the database and the keys as they are, restore the last backup, and find out who wrote."""


class _Stop(Exception):
    """The command ends here, with a sentence and an exit code."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@contextlib.asynccontextmanager
async def _opened(
    url: str, keys_dir: Path, projector: Projector, hall: str | None
) -> AsyncIterator[tuple[Store, list[str]]]:
    """The store and the halls meant: the one named, or all. Never makes a database or keys."""
    try:
        store = await Store.open(url, keys_dir=keys_dir, projector=projector, make=False)
    except ValueError as error:
        raise _Stop(WRONG_USAGE, str(error)) from error
    try:
        known = await store.halls()
        if hall is not None and hall not in known:
            raise _Stop(WRONG_USAGE, f"no hall {hall!r} here; there are: {', '.join(known) or 'none'}")
        yield store, [hall] if hall is not None else known
    finally:
        await store.close()


@contextlib.contextmanager
def _answering(err: TextIO) -> Iterator[list[int]]:
    """Turns what stops a command into its sentence and its exit code."""
    code = [DONE]
    try:
        yield code
    except _Stop as stop:
        code[0] = stop.code
        err.write(f"{stop}\n")
    except StoreError as error:
        code[0] = NO
        err.write(f"{error}\n")


@contextlib.contextmanager
def _bar(err: TextIO, words: str) -> Iterator[audit.Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    console = Console(file=err)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words)
        yield lambda done, total: bar.update(task, completed=done, total=total)


async def journal_verify(
    url: str, keys_dir: Path, projector: Projector, *, hall: str | None, as_json: bool, out: TextIO, err: TextIO
) -> int:
    """0 when every hall's journal is whole and its projections follow from it, 1 when not."""
    with _answering(err) as code:
        async with _opened(url, keys_dir, projector, hall) as (store, halls):
            reports: list[audit.VerifyReport] = []
            for each in halls:
                with _bar(err, f"verify {each}") as progress:
                    reports.append(await audit.verify(store, each, progress=progress))
        if as_json:
            out.writelines(msgspec.json.encode(report).decode() + "\n" for report in reports)
        else:
            _show(reports, Console(file=out))
        code[0] = DONE if all(report.ok for report in reports) else NO
    return code[0]


def _show(reports: list[audit.VerifyReport], console: Console) -> None:
    table = Table("hall", "rows", "anchors", "tickets", "services", "ratings", "journal")
    for report in reports:
        counts = (str(report.projected[name]) for name in ("tickets", "services", "ratings"))
        noted = f"{report.anchors}" + (
            f" (+{report.unreadable_anchors} unreadable)" if report.unreadable_anchors else ""
        )
        table.add_row(report.hall, str(report.rows), noted, *counts, "whole" if report.ok else "NOT WHOLE")
    console.print(table)
    console.print("anchors: what each evening wrote down beside the keys, so that a database written anew shows.")
    for report in reports:
        for finding in report.findings:
            console.print(f"{report.hall} {finding.seq or ''} {finding.code}: {finding.detail}", markup=False)
    if not all(report.ok for report in reports):
        console.print(NOT_WHOLE, markup=False)


async def journal_rebuild(
    url: str, keys_dir: Path, projector: Projector, *, hall: str | None, as_json: bool, out: TextIO, err: TextIO
) -> int:
    """Make the projections anew from the journal."""
    with _answering(err) as code:
        async with _opened(url, keys_dir, projector, hall) as (store, halls):
            done: dict[str, int] = {}
            for each in halls:
                with _bar(err, f"rebuild {each}") as progress:
                    done[each] = await audit.rebuild(store, each, progress=progress)
        if as_json:
            out.writelines(
                msgspec.json.encode({"hall": each, "rows": rows}).decode() + "\n" for each, rows in done.items()
            )
        else:
            table = Table("hall", "rows replayed")
            for each, rows in done.items():
                table.add_row(each, str(rows))
            Console(file=out).print(table)
    return code[0]


async def journal_export(
    url: str, keys_dir: Path, projector: Projector, *, hall: str, after: int, out: BinaryIO, err: TextIO
) -> int:
    """Write the rows after a seq as JSON lines."""
    with _answering(err) as code:
        async with _opened(url, keys_dir, projector, hall) as (store, halls):
            for each in halls:
                async for line in audit.export(store, each, after):
                    out.write(line)
    return code[0]
