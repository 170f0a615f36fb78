"""The sample halls of config/: what the issue's "Sample halls" promises of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from queue_server.app.hallfile import dump, load
from queue_server.domain.configuration import COMPREHENSIVE, Configuration, WindowKind, ZoneKind
from queue_server.domain.findings import Level
from queue_server.domain.serving import Serving
from queue_server.forecast.daymodel import DayModel, parse_day

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


def day_of(name: str) -> DayModel:
    return parse_day((CONFIG / f"{name}-day.toml").read_text("utf-8"))


def hall(name: str) -> Configuration:
    configuration, _ = load((CONFIG / f"{name}.toml").read_text("utf-8"))
    assert configuration is not None
    return configuration


@pytest.fixture(scope="module")
def district() -> Configuration:
    return hall("district")


@pytest.mark.parametrize(("name", "warnings"), [("district", {"single_window"}), ("township", {"zones_missing"})])
def test_a_sample_hall_has_no_errors(name: str, warnings: set[str]) -> None:
    """UX S-06; the warnings are the two halls' own weak spots: 跨省通办 at one window, four zones in one room."""
    _, findings = load((CONFIG / f"{name}.toml").read_text("utf-8"))
    assert [finding for finding in findings if finding.level is Level.ERROR] == []
    assert {finding.code for finding in findings} == warnings


@pytest.mark.parametrize("name", ["district", "township"])
def test_a_hall_file_written_is_the_hall_file_read(name: str) -> None:
    configuration = hall(name)
    again, _ = load(dump(configuration))
    assert again == configuration


def test_the_district_has_what_the_issue_counts(district: Configuration) -> None:
    """24 windows in six queue zones, 395 matters, 24 bundles, 42 departments, all marked as samples."""
    assert len(district.window) == 24
    assert len([zone for zone in district.zone if zone.queueing]) == 6
    assert {zone.kind for zone in district.zone} == set(ZoneKind)
    assert len(district.matter) == 395
    assert len(district.bundle) == 24
    assert len(district.department) == 42
    assert district.hall.sample
    assert sum(matter.confirmed for matter in district.matter) > 200
    assert (
        len([line for line in (CONFIG / "district.toml").read_text("utf-8").splitlines() if " domain = " in line])
        == 395
    )


def test_every_matter_is_served_at_every_comprehensive_window_of_its_domain(district: Configuration) -> None:
    """RULES 5, and the general window serves everything."""
    serving = Serving(district)
    for matter in district.matter:
        able = serving.windows_for([matter.id])
        for window in district.window:
            if window.kind in COMPREHENSIVE and (matter.domain in window.domains or "*" in window.domains):
                assert window.id in able
        assert "10" in able


def test_the_doors_of_the_hall_serve_only_their_own(district: Configuration) -> None:
    """Windows 1, 2 and 5: asking, complaints, results; RULES 7 and 8."""
    serving = Serving(district)
    own = {w: {m.id for m in district.matter if w in serving.windows_for([m.id])} for w in ("1", "2", "5")}
    assert own == {"1": {"zh-zixun", "zh-bangban"}, "2": {"zh-yaotian"}, "5": {"zh-chujian"}}


def test_bundles_are_at_home_at_the_bundle_window_and_spill_to_the_general_one(district: Configuration) -> None:
    """RULES 7, QUEUES 2.2."""
    serving = Serving(district)
    assert {serving.queue_of(bundle=bundle.id) for bundle in district.bundle} == {"3,10~"}


def test_the_general_window_is_the_last_resort(district: Configuration) -> None:
    """QUEUES 2.2: away from home for everything but what it alone holds."""
    serving = Serving(district)
    homes = {matter.id for matter in district.matter if serving.is_home("10", [matter.id])}
    assert homes == {"zh-kuasheng"}


def test_the_elders_window_calls_their_matters_first(district: Configuration) -> None:
    """RULES 11, 85."""
    serving = Serving(district)
    homes = {matter.id for matter in district.matter if serving.is_home("4", [matter.id])}
    assert homes
    assert all("elder" in matter.tags for matter in district.matter if matter.id in homes)


def test_every_domain_outside_the_halls_own_has_two_windows_beside_the_general_one(district: Configuration) -> None:
    """RULES 6: neither lunch nor absence leaves a matter unserved."""
    serving = Serving(district)
    for matter in district.matter:
        if matter.domain != "hall":
            assert len(set(serving.windows_for([matter.id])) - {"10"}) >= 2, matter.id


def test_credits_are_those_of_the_queueing_rules(district: Configuration) -> None:
    """RULES 21, QUEUES 2.2."""
    assert {p.id: p.credit_min for p in district.priority} == {
        "elder": 15,
        "disabled": 30,
        "military": 30,
        "pregnant": 15,
    }


def test_every_window_has_keypad_rating_pad_and_strip(district: Configuration) -> None:
    """RULES 37; HARDWARE 1.1: the rating pad under keypad n answers at 0x80 + n."""
    for window in district.window:
        mine = {device.kind: device for device in district.device if device.window == window.id}
        assert set(mine) == {"keypad", "rating_pad", "strip"}
        assert mine["rating_pad"].address == 0x80 + mine["keypad"].address
        assert len({device.url for device in mine.values()}) == 1
    assert len({device.url for device in district.device if device.kind == "keypad"}) == 6
    printers = {device.id for device in district.device if device.kind == "printer"}
    assert {kiosk.printer for kiosk in district.kiosk} == printers


def test_prefixes_are_not_misread(district: Configuration) -> None:
    """UX X-03."""
    prefixes = [domain.prefix for domain in district.domain] + ["E"]
    assert len(set(prefixes)) == len(prefixes)
    assert not set("".join(prefixes)) & set("IOQZ")


def test_the_township_is_three_windows_and_about_sixty_matters() -> None:
    township = hall("township")
    assert len(township.window) == 3
    assert 55 <= sum(matter.offered for matter in township.matter) <= 70
    assert any(window.kind is WindowKind.ADVICE for window in township.window)
    serving = Serving(township)
    assert all(len(serving.windows_for([matter.id])) == 3 for matter in township.matter)


@pytest.mark.parametrize("name", ["district", "township"])
def test_a_day_file_speaks_of_its_hall(name: str) -> None:
    configuration, day = hall(name), day_of(name)
    domains = {domain.id for domain in configuration.domain}
    assert day.hall == configuration.hall.id
    assert {habit.domain for habit in day.habit} <= domains
    assert {domain for kind in day.day for domain in kind.factors} <= domains
    assert set(day.population.priorities) == {priority.id for priority in configuration.priority}
    assert {window for shift in day.lunch for window in shift.open} <= {window.id for window in configuration.window}
    for kind in day.day:
        assert sum(day.weights(kind.id)) == pytest.approx(1)


def test_the_elderly_come_early_and_companies_late() -> None:
    """The day model: 60 % of 社会保障 before 10:30."""
    day = day_of("district")
    early = [slot.at < "10:30" for slot in day.slot]

    def morning(domain: str, elder: bool = False) -> float:
        return sum(w for w, e in zip(day.weights("weekday", domain, elder), early, strict=True) if e)

    assert morning("social") == pytest.approx(0.6, abs=0.01)
    assert morning("fund", elder=True) == pytest.approx(0.6, abs=0.01)
    assert morning("tax") < morning("property") == pytest.approx(0.42)


def test_while_one_crew_eats_every_domain_is_open(district: Configuration) -> None:
    """RULES 7 and hall-district's lunch rotation."""
    serving = Serving(district)
    for shift in day_of("district").lunch:
        for matter in district.matter:
            assert set(serving.windows_for([matter.id])) & set(shift.open)


def test_the_generator_refuses_without_a_folder() -> None:
    """DESIGN 6: exit code 2 is wrong usage."""
    run = subprocess.run([sys.executable, ROOT / "scripts" / "sample-halls"], capture_output=True, check=False)
    assert run.returncode == 2
