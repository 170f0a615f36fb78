"""Law 1 for accounts: a session or token ends when its end is durable, and not before."""

import asyncio

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from queue_server.app.accounts import _NOBODY
from queue_server.store import port
from queue_server.store.accounts import AccountStore, StaffRow
from tests.hall_process import PASSWORD
from tests.http.conftest import Site


async def _full(*_: object, **__: object) -> None:
    raise port.Unavailable("the disk is full")


async def test_law_1_a_sign_out_that_is_not_durable_is_503_and_the_session_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = await site.as_staff("guide")
    with monkeypatch.context() as broken:
        broken.setattr(AccountStore, "end_session", _full)
        refused = await site.ask("DELETE", "session", guide)
        assert (refused.status, refused.body["code"]) == (503, "unavailable")
        assert "Set-Cookie" not in refused.headers, "the browser keeps its session too"
        assert (await site.ask("GET", "session", guide)).status == 200
    assert (await site.ask("DELETE", "session", guide)).status == 200
    assert (await site.ask("GET", "session", guide)).status == 401


async def test_law_1_a_revocation_that_is_not_durable_is_503_and_the_token_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX S-03: revocable, but a token that a restart would bring back was not revoked."""
    admin = await site.as_staff("admin")
    accounts = site.running.frame.accounts
    token, device = await accounts.pair("hall", "", "屏")
    with monkeypatch.context() as broken:
        broken.setattr(AccountStore, "remove_paired", _full)
        assert (await site.ask("DELETE", f"paired/{device.id}", admin)).status == 503
        assert accounts.device(token) == device
    assert (await site.ask("DELETE", f"paired/{device.id}", admin)).status == 200
    assert accounts.device(token) is None
    assert (await site.ask("DELETE", f"paired/{device.id}", admin)).status == 404


async def test_law_1_a_new_password_and_the_end_of_the_other_sessions_are_one_step(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RULES 94: all of it or nothing, on the disk as in memory."""
    accounts = site.running.frame.accounts
    await accounts.put_staff("7", "七", ["guide"], PASSWORD)
    await accounts.change_password("7", PASSWORD, PASSWORD + "1", "")
    mine, _ = await accounts.sign_in("7", PASSWORD + "1", "")
    other, _ = await accounts.sign_in("7", PASSWORD + "1", "")
    change = {"old": PASSWORD + "1", "new": PASSWORD + "2"}
    cookie = {"Cookie": f"yichuang={mine}"}
    with monkeypatch.context() as broken:
        broken.setattr(AccountStore, "change_staff", _full)
        assert (await site.ask("POST", "session/password", cookie, change)).status == 503
        assert accounts.session(other) is not None
    assert (await site.ask("POST", "session/password", cookie, change)).status == 200
    assert accounts.session(mine) is not None
    assert accounts.session(other) is None
    kept = await accounts._store.sessions(0)
    assert len([each for each in kept if each.staff == "7"]) == 1
    await accounts.put_staff("7", "七", ["guide"], "", active=False)
    assert accounts.session(mine) is None
    assert [each for each in await accounts._store.sessions(0) if each.staff == "7"] == []


async def test_rules_94_a_new_name_given_while_a_password_is_changed_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes a moment: only the password may come from before it."""
    await site.as_staff("guide")
    accounts, loop = site.running.frame.accounts, asyncio.get_running_loop()
    verify = accounts._verify

    def meanwhile(row: StaffRow | None, password: str) -> bool:
        renamed = accounts.put_staff("guide", "新名", ["guide", "desk"], "")
        asyncio.run_coroutine_threadsafe(renamed, loop).result(10)
        return verify(row, password)

    with monkeypatch.context() as slow:
        slow.setattr(accounts, "_verify", meanwhile)
        await accounts.change_password("guide", PASSWORD + "!", PASSWORD + "?", "")
    _, who = await accounts.sign_in("guide", PASSWORD + "?", "")
    assert (who.name, who.roles) == ("新名", {"guide", "desk"})


def test_rules_94_an_unknown_number_is_refused_at_the_cost_of_a_known_one() -> None:
    hasher = PasswordHasher()
    assert not hasher.check_needs_rehash(_NOBODY)
    with pytest.raises(VerifyMismatchError):
        hasher.verify(_NOBODY, "a password")
