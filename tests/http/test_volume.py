"""UX V-10 on a hall that runs: how loudly a zone speaks, and what becomes of calls while it does not."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from queue_server.domain import commands as c
from queue_server.domain.sounding import MUTE_MS
from queue_server.store import port
from queue_server.store.port import Batch, Committed, Lease
from queue_server.store.store import Store
from tests.http.conftest import Site
from tests.http.test_voice import Speaker, claims, until, voiced


async def say_volume(site: Site, zone: str, volume: str) -> None:
    """The zone's volume from now on, as the hall's file would say it."""
    base = await site.hub.read(lambda hall: hall.configuration)
    zones = tuple(structs.replace(each, volume=volume) if each.id == zone else each for each in base.zone)
    changed = structs.replace(base, zone=zones)
    await site.hub.tell(c.ApplyConfiguration(configuration=changed, source="test"), "test")


async def shown(site: Site, view: str, of: str) -> dict[str, Any]:
    screens, now = site.running.frame.screens, site.hub.clock.now()
    return await site.hub.read(lambda hall: screens.render(hall, view, of, now))


async def test_ux_v_10_a_muted_zone_shows_its_calls_says_none_and_speaks_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not spoken is counted as such, no alarm of a loss; an emergency is heard all the same."""
    async with voiced(tmp_path) as site:
        window = site.configuration.window[0]
        zone, manager, clerk = window.zone, await site.as_staff("manager"), await site.sit(window.id)
        speaker = Speaker(site.running, zone)
        speaker.voice.player(zone, speaker, True)
        for _ in range(3):
            await site.take(paper=False)
        await say_volume(site, zone, "60")
        assert (await site.ask("POST", f"windows/{window.id}/call-next", clerk)).status == 200
        await until(lambda: speaker.plays)
        assert speaker.plays[0]["volume"] == 60

        assert (await site.ask("POST", f"zones/{zone}/mute", clerk, {"muted": True})).status == 403
        assert (await site.ask("POST", f"zones/{zone}/mute", manager, {"muted": True})).status == 200
        muted_at = site.hub.clock.now()
        await speaker.answer()
        assert (await site.ask("POST", f"windows/{window.id}/no-show", clerk, {"reason": "x"})).status == 200
        called = await site.ask("POST", f"windows/{window.id}/call-next", clerk)
        number = called.body["desk"]["ticket"]["number"]
        around = site.running.frame.screens.around

        def codes() -> set[str]:
            return {alarm.code for alarm in around.alarms} - {"clock"}

        await until(lambda: around.speech[zone].state == "muted" and codes() == {"muted"})
        display = await shown(site, "hall", zone)
        assert [call.number for call in display["calls"].calls] == [number], "the visual call says it all the same"
        assert muted_at < display["hall"].muted_until <= muted_at + MUTE_MS + 1_000
        assert (await shown(site, "console", window.id))["hall"].muted_until == display["hall"].muted_until
        for desk in ("manager", "guide"):
            assert "静音" in (await shown(site, desk, ""))["alarms"].alarms[-1].text.zh
        [sound] = [
            each.sound for each in (await shown(site, "manager", ""))["devices"].devices if each.id == f"zone:{zone}"
        ]
        assert (sound.volume, sound.muted_until) == (0, display["hall"].muted_until)

        async def dropped() -> list[tuple[str, str, str]]:
            return [each for each in await claims(site) if each[1:] == ("dropped", "muted")]

        for _ in range(100):
            if await dropped():
                break
            await site.hub.rest(0.05)
        assert len(await dropped()) == 1
        assert len(speaker.plays) == 1, "what was said before is not said again either"
        rows = [row async for row in site.running.frame.store.read(site.hub.name) if row.kind == "ZoneMuted"]
        assert [row.actor for row in rows] == ["staff:manager"]

        emergency = {"kind": "emergency", "zh": "请离开", "en": "Leave now"}
        assert (await site.ask("POST", "message", manager, emergency)).status == 200
        await until(lambda: len(speaker.plays) == 2)
        assert speaker.plays[1]["volume"] == 60
        assert (await site.ask("POST", "message", manager, {"kind": "none"})).status == 200
        await speaker.answer()

        site.hub.clock.at_least(display["hall"].muted_until)
        await until(lambda: around.speech[zone].state == "voiced" and "muted" not in codes())
        await site.ask("POST", f"windows/{window.id}/no-show", clerk, {"reason": "x"})
        assert (await site.ask("POST", f"windows/{window.id}/call-next", clerk)).status == 200
        await until(lambda: len(speaker.plays) == 3)
        assert speaker.plays[2]["volume"] == 60

        now = site.hub.clock.now()
        minute = site.hub.clock.minute(now) + 1
        await say_volume(
            site,
            zone,
            f"{minute // 60 % 24:02d}:{minute % 60:02d}=0 {(minute + 2) // 60 % 24:02d}:{(minute + 2) % 60:02d}=30",
        )
        site.hub.clock.at_least((now // 60_000 + 1) * 60_000)
        await until(lambda: around.speech[zone].state == "muted")
        assert codes() == set(), "that nothing is said at this hour is no news"

        await say_volume(site, zone, "60")
        await until(lambda: around.speech[zone].state == "voiced")
        real, doubt = Store.commit, [True]

        async def commit(self: Store, lease: Lease, batch: Batch) -> Committed:
            done = await real(self, lease, batch)
            if doubt and any(new.kind == "ZoneMuted" for new in batch.events):
                doubt.clear()
                raise port.InDoubt("the answer was lost")
            return done

        monkeypatch.setattr(Store, "commit", commit)
        assert (await site.ask("POST", f"zones/{zone}/mute", manager, {"muted": True})).status == 503
        # It was durable: displays say it, so the voice does it.
        await until(lambda: around.speech[zone].state == "muted")
