"""`yichuang account reset`: the way back in, from the server's own machine (RULES 94)."""

import asyncio
import json
from pathlib import Path

import pytest

from queue_server import cli
from queue_server.app import reset as reset_module
from queue_server.app.reset import PIN, reset
from queue_server.compose import serving
from queue_server.domain.errors import Rejected
from tests.hall_process import PASSWORD
from tests.http.conftest import Site, settings_of

pytestmark = pytest.mark.usefixtures("english")


def _url(site: Site) -> str:
    return str(site.running.frame.store.database.url.set(drivername="sqlite").render_as_string(hide_password=False))


async def test_rules_94_a_reset_beside_the_running_server_ends_every_session_and_gives_a_new_password(
    site: Site,
) -> None:
    admin = await site.as_staff("admin", "manager")
    accounts = site.running.frame.accounts
    for _ in range(5):
        with pytest.raises(Rejected, match="wrong-password"):
            await accounts.sign_in("admin", "a guess", "")
    with pytest.raises(Rejected, match="locked-out"):
        await accounts.sign_in("admin", site.running.first_password, "")

    shown = await reset(_url(site), None, "admin")
    with pytest.raises(Rejected, match="wrong-password"):
        await accounts.sign_in("admin", site.running.first_password, "")
    _, who = await accounts.sign_in("admin", shown, "")
    assert who.must_change
    assert {"admin", "manager"} <= who.roles

    assert (await site.ask("GET", "staff", admin)).status == 200, "other accounts go on"


async def test_rules_94_open_sessions_end_without_anybody_signing_in(site: Site) -> None:
    guide = await site.as_staff("guide")
    assert (await site.ask("GET", "session", guide)).status == 200
    await reset(_url(site), None, "guide")
    async with asyncio.timeout(10):
        while (await site.ask("GET", "session", guide)).status != 401:  # noqa: ASYNC110 - the server's own look
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("seen", [False, True], ids=["not yet seen", "already seen"])
async def test_rules_94_an_old_password_that_was_being_checked_during_the_reset_opens_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    """Whether or not the server's own look at the accounts falls between the reset and the session."""
    await site.as_staff("guide")
    accounts = site.running.frame.accounts
    verify, url, loop = accounts._verify, _url(site), asyncio.get_running_loop()

    def meanwhile(row: object, password: str) -> bool:
        good = verify(row, password)  # type: ignore[arg-type]
        asyncio.run_coroutine_threadsafe(reset(url, None, "guide"), loop).result(10)
        if seen:
            asyncio.run_coroutine_threadsafe(accounts.reread(), loop).result(10)
        return good

    monkeypatch.setattr(accounts, "_verify", meanwhile)
    with pytest.raises(Rejected, match="wrong-password"):
        await accounts.sign_in("guide", PASSWORD + "!", "")
    assert "guide" not in {row.staff for row in await accounts._store.sessions(0)}, "not after a restart either"


async def test_rules_94_an_edit_right_after_a_reset_keeps_the_password_that_was_shown(site: Site) -> None:
    """The server looks at the accounts every two seconds; what it remembers in between must not be written back."""
    admin, guide = await site.as_staff("admin"), await site.as_staff("guide")
    accounts = site.running.frame.accounts
    shown = await reset(_url(site), None, "guide")
    body = {"staff": "guide", "name": "改名", "roles": ["guide", "desk"], "password": "", "active": True}
    assert (await site.ask("POST", "staff", admin, body)).status == 200
    assert (await site.ask("GET", "session", guide)).status == 401
    with pytest.raises(Rejected, match="wrong-password"):
        await accounts.sign_in("guide", PASSWORD + "!", "")
    _, who = await accounts.sign_in("guide", shown, "")
    assert (who.name, who.roles, who.must_change) == ("改名", {"guide", "desk"}, True)


async def test_rules_94_an_edit_while_the_command_makes_its_password_is_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command in a loop and with a database of its own, as in its own process."""
    await site.as_staff("guide")
    accounts, loop = site.running.frame.accounts, asyncio.get_running_loop()

    def meanwhile() -> str:
        edit = accounts.put_staff("guide", "改名", ["guide", "desk"], "", active=False)
        asyncio.run_coroutine_threadsafe(edit, loop).result(10)
        return "made meanwhile"

    monkeypatch.setattr(reset_module, "new_password", meanwhile)
    shown = await asyncio.to_thread(asyncio.run, reset(_url(site), None, "guide"))
    _, who = await accounts.sign_in("guide", shown, "")
    assert (who.name, who.roles, who.must_change) == ("改名", {"guide", "desk"}, True)


async def test_rules_94_a_reset_between_the_look_and_the_edit_keeps_the_password_that_was_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = await site.as_staff("guide")
    accounts, shown = site.running.frame.accounts, list[str]()
    look = accounts._take_up

    async def then_reset() -> None:
        await look()
        monkeypatch.undo()
        shown.append(await reset(_url(site), None, "guide"))

    monkeypatch.setattr(accounts, "_take_up", then_reset)
    await accounts.put_staff("guide", "改名", ["guide", "desk"], "")
    assert (await site.ask("GET", "session", guide)).status == 401, "its sessions ended with the reset"
    _, who = await accounts.sign_in("guide", shown[0], "")
    assert (who.name, who.roles, who.must_change) == ("改名", {"guide", "desk"}, True)


@pytest.mark.parametrize("moment", ["before", "while hashing"])
async def test_rules_94_the_old_password_changes_nothing_after_a_reset(
    site: Site, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    guide = await site.as_staff("guide")
    accounts, url, loop = site.running.frame.accounts, _url(site), asyncio.get_running_loop()
    shown: list[str] = []
    if moment == "before":
        shown.append(await reset(url, None, "guide"))
    else:
        verify = accounts._verify

        def meanwhile(row: object, password: str) -> bool:
            good = verify(row, password)  # type: ignore[arg-type]
            shown.append(asyncio.run_coroutine_threadsafe(reset(url, None, "guide"), loop).result(10))
            return good

        monkeypatch.setattr(accounts, "_verify", meanwhile)
    change = {"old": PASSWORD + "!", "new": PASSWORD + "?"}
    answer = await site.ask("POST", "session/password", guide, change)
    assert answer.body["code"] == "wrong-password", answer
    monkeypatch.undo()
    for dead in (PASSWORD + "!", PASSWORD + "?"):
        with pytest.raises(Rejected, match="wrong-password"):
            await accounts.sign_in("guide", dead, "")
    _, who = await accounts.sign_in("guide", shown[0], "")
    assert who.must_change
    assert (await site.ask("GET", "session", guide)).status == 401


async def test_the_pin_of_the_kiosks_has_a_way_back_too(site: Site) -> None:
    """UX K-16."""
    pin = await reset(_url(site), None, PIN)
    await site.running.frame.accounts.check_pin("kiosk-1", pin)
    with pytest.raises(Rejected, match="wrong-pin"):
        await site.running.frame.accounts.check_pin("kiosk-1", site.running.first_pin)


async def test_a_new_pin_lifts_the_lock_of_every_kiosk_at_once(site: Site) -> None:
    """UX K-16: who resets it stands before a locked kiosk. Nobody else's lock is lifted with it."""
    accounts = site.running.frame.accounts
    for kiosk in ("kiosk-1", "kiosk-2"):
        for _ in range(5):
            with pytest.raises(Rejected, match="wrong-pin"):
                await accounts.check_pin(kiosk, "no")
        with pytest.raises(Rejected, match="locked-out"):
            await accounts.check_pin(kiosk, site.running.first_pin)
    for _ in range(5):
        with pytest.raises(Rejected, match="wrong-password"):
            await accounts.sign_in("admin", "a guess", "")
    pin = await reset(_url(site), None, PIN)
    for kiosk in ("kiosk-1", "kiosk-2"):
        await accounts.check_pin(kiosk, pin)
    with pytest.raises(Rejected, match="locked-out"):
        await accounts.sign_in("admin", site.running.first_password, "")


async def _first_start(folder: Path) -> str:
    async with serving(settings_of(folder)) as running:
        return running.first_password


async def _signs_in(folder: Path, password: str) -> bool:
    async with serving(settings_of(folder)) as running:
        assert running.first_password == ""
        return bool(await running.frame.accounts.sign_in("admin", password, ""))


def test_the_command_works_while_nothing_runs_and_finds_the_database_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YICHUANG_DATA", str(tmp_path))
    asyncio.run(_first_start(tmp_path))
    capsys.readouterr()
    assert cli.main(["account", "reset", "admin", "--json"]) == 0
    assert asyncio.run(_signs_in(tmp_path, json.loads(capsys.readouterr().out)["secret"]))
    assert cli.main(["account", "reset", "admin"]) == 0
    assert "shown once" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["admim"], "there is no account 'admim'; there are: admin, kiosk-pin"),
        (["admin", "--hall", "none"], "in this database there are: township"),
        (["admin", "--database", "sqlite:////nope/hall.db"], "no database at /nope/hall.db: look at --database"),
        (["admin", "--database", "mysql://x"], "unknown kind of database"),
    ],
)
def test_ux_s_06_a_wrong_name_is_answered_with_the_right_ones(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("YICHUANG_DATA", str(tmp_path))
    assert cli.main(["account", "reset", "admin"]) == 2
    assert "name the database with --database" in capsys.readouterr().err
    asyncio.run(_first_start(tmp_path))
    assert cli.main(["account", "reset", *arguments]) == 2
    assert words in capsys.readouterr().err
