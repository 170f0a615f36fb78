"""`yichuang journal verify | rebuild | export`: tables for people, JSON for machines, exit codes 0, 1, 2 (DESIGN 6)."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from queue_server.store import cli, keys
from queue_server.store.port import Batch
from queue_server.store.store import Store
from tests.store.sample import HALL, called, issued, project


@dataclass
class Ran:
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    async def verify(self, url: str, keys_dir: Path, hall: str | None = None, *, as_json: bool = False) -> int:
        return await cli.journal_verify(url, keys_dir, project, hall=hall, as_json=as_json, out=self.out, err=self.err)


async def a_hall(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    for hall in (HALL, "township"):
        await store.commit(await store.take_over(hall, "a"), Batch(events=[issued(1), called(1)]))
    await store.close()


async def edit(url: str, keys_dir: Path, statement: str) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    async with store.database.writing() as connection:
        await connection.execute(text(statement))
    await store.close()


async def test_verify_says_yes_for_every_hall(url: str, keys_dir: Path) -> None:
    await a_hall(url, keys_dir)
    ran = Ran()
    assert await ran.verify(url, keys_dir, as_json=True) == cli.DONE
    reports = [json.loads(line) for line in ran.out.getvalue().splitlines()]
    assert [(report["hall"], report["ok"], report["rows"]) for report in reports] == [
        (HALL, True, 2),
        ("township", True, 2),
    ]
    ran = Ran()
    assert await ran.verify(url, keys_dir, HALL) == cli.DONE
    assert "whole" in ran.out.getvalue()
    assert "township" not in ran.out.getvalue()


async def test_verify_says_no_and_where(url: str, keys_dir: Path) -> None:
    await a_hall(url, keys_dir)
    await edit(url, keys_dir, "update journal set actor = 'x' where seq = 1 and hall = 'township'")
    ran = Ran()
    assert await ran.verify(url, keys_dir) == cli.NO
    assert "NOT WHOLE" in ran.out.getvalue()
    assert "township 1 link" in ran.out.getvalue()
    assert "What to do" in ran.out.getvalue()
    assert "journal rebuild" in ran.out.getvalue()


async def test_rebuild_mends_and_export_carries_away(url: str, keys_dir: Path) -> None:
    await a_hall(url, keys_dir)
    await edit(url, keys_dir, "delete from tickets")
    ran = Ran()
    assert await ran.verify(url, keys_dir) == cli.NO
    assert (
        await cli.journal_rebuild(url, keys_dir, project, hall=None, as_json=True, out=ran.out, err=ran.err) == cli.DONE
    )
    assert json.loads(ran.out.getvalue().splitlines()[-1]) == {"hall": "township", "rows": 2}
    assert await ran.verify(url, keys_dir) == cli.DONE
    out = io.BytesIO()
    assert await cli.journal_export(url, keys_dir, project, hall=HALL, after=1, out=out, err=ran.err) == cli.DONE
    assert [json.loads(line)["seq"] for line in out.getvalue().splitlines()] == [2]


async def test_wrong_usage_is_two_and_makes_nothing(tmp_path: Path, keys_dir: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hall.db'}"
    ran = Ran()
    assert await ran.verify("mysql://x/y", keys_dir) == cli.WRONG_USAGE
    assert await ran.verify(url, keys_dir) == cli.NO
    assert "no database" in ran.err.getvalue()
    assert not (tmp_path / "hall.db").exists()
    await a_hall(url, keys_dir)
    assert await ran.verify(url, keys_dir, "nowhere") == cli.WRONG_USAGE
    assert "township" in ran.err.getvalue()
    assert await ran.verify(url, tmp_path / "elsewhere") == cli.NO
    assert not keys.exists(tmp_path / "elsewhere")
