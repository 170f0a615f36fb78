"""What is told of a device that will not hold still (issue 3, Health; RULES 37)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from devices.drivers.health import HOLD_FIRST_MS, HOLD_LIMIT_MS, RESTLESS_MS, Health
from queue_server.wire.common import DeviceState, PrinterState

OFFLINE, DEGRADED, ONLINE = DeviceState.OFFLINE, DeviceState.DEGRADED, DeviceState.ONLINE


class Watch:
    """A device's health with a clock; `told` is what was told, and when."""

    def __init__(self, state: DeviceState = ONLINE) -> None:
        self.health = Health("d", lambda: None)
        self.now = 0
        self.told: list[tuple[int, DeviceState, PrinterState | None]] = []
        self.become(state)

    def become(self, state: DeviceState, printer: PrinterState | None = None) -> None:
        self.health.become(state)
        self.printer = printer
        self.look()

    def look(self) -> None:
        if self.health.settle(self.printer, self.now):
            assert self.health.told is not None
            self.told.append((self.now, *self.health.told))

    def run(self, ms: int) -> None:
        end = self.now + ms
        while (at := self.health.settles_at_ms) is not None and at <= end:
            self.now = at
            self.look()
        self.now = end

    @property
    def states(self) -> list[tuple[int, DeviceState]]:
        return [(at, state) for at, state, _ in self.told]


def test_a_loss_and_a_return_are_told_at_once_each_and_once() -> None:
    watch = Watch()
    with capture_logs() as logs:
        for state in (OFFLINE, OFFLINE, ONLINE, ONLINE):
            watch.run(5_000)
            watch.become(state)
    assert watch.states == [(0, ONLINE), (5_000, OFFLINE), (15_000, ONLINE)]
    assert [(line["state"], line["log_level"]) for line in logs] == [("offline", "warning"), ("online", "info")]


def test_ux_k_11_a_printer_that_falls_back_once_is_told_well_again_at_once() -> None:
    """Paper that ends soon after the start, and is put in: the kiosk prints again, and nobody waits for a proof."""
    watch = Watch(DeviceState.UNKNOWN)
    for state, paper in ((ONLINE, PrinterState.OK), (DEGRADED, PrinterState.OUT), (ONLINE, PrinterState.OK)):
        watch.run(3_000)
        watch.become(state, paper)
    assert watch.states == [(0, DeviceState.UNKNOWN), (3_000, ONLINE), (6_000, DEGRADED), (9_000, ONLINE)]


def test_a_device_that_flaps_for_a_minute_is_told_nine_times_and_comes_back_when_it_has_held() -> None:
    watch = Watch()
    for _ in range(60):
        watch.run(500)
        watch.become(DEGRADED)
        watch.run(500)
        watch.become(ONLINE)
    at_once = [(n * 500, DEGRADED if n % 2 else ONLINE) for n in range(10)]
    assert watch.states == at_once
    watch.run(60_000)
    assert watch.states[10:] == [(60_000 + HOLD_FIRST_MS, ONLINE)]


def test_a_worse_state_is_told_at_once_however_restless_the_device_is() -> None:
    watch = Watch()
    for state in (DEGRADED, ONLINE, DEGRADED, ONLINE, OFFLINE):
        watch.run(100)
        watch.become(state)
    assert watch.states[-1] == (500, OFFLINE)


def test_a_printers_paper_counts_and_jumps_between_faults_are_bounded_too() -> None:
    watch = Watch()
    for _ in range(100):
        for paper in (PrinterState.JAM, PrinterState.OUT):
            watch.run(300)
            watch.become(DEGRADED, paper)
    assert len(watch.told) == 10
    watch.become(ONLINE, PrinterState.OK)
    watch.run(HOLD_LIMIT_MS)
    assert watch.told[-1][1:] == (ONLINE, PrinterState.OK)


@given(st.lists(st.tuples(st.integers(0, 120_000), st.sampled_from(list(DeviceState))), max_size=200))
def test_whatever_a_device_does_few_things_are_told_in_a_minute_and_the_truth_is_told_in_the_end(
    moves: list[tuple[int, DeviceState]],
) -> None:
    watch = Watch()
    for pause_ms, state in moves:
        watch.run(pause_ms)
        watch.become(state)
    watch.run(HOLD_LIMIT_MS)
    assert watch.health.told == (watch.health.state, None)
    times = [at for at, _ in watch.states]
    for began in times:
        assert sum(began <= at < began + RESTLESS_MS for at in times) <= 14


@pytest.mark.parametrize("period_ms", [20, 1_000, 9_000, 25_000, 45_000])
def test_a_device_that_flaps_all_day_is_told_at_most_a_few_times_a_minute(period_ms: int) -> None:
    watch = Watch()
    while watch.now < 600_000:
        watch.run(period_ms // 2)
        watch.become(OFFLINE)
        watch.run(period_ms // 2)
        watch.become(ONLINE)
    assert len(watch.told) <= 10 + 2 * 10
