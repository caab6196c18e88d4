"""What a MWh of AI compute is worth, and what taking it away costs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import CentreError
from penstock.loads.compute import (
    WorkClass,
    demonstrated_depth,
    interruption_cost_usd_per_mwh,
    load_trials,
    settle_jobs,
)

# --- classes of work -----------------------------------------------------------------------------------

#: 2 USD x 8 GPUs for 8 kW: 2,000 USD/MWh of the computers, 1,600 at a PUE of 1.25.
TRAINING = WorkClass(
    "training",
    0.5,
    "interruptible",
    rent_usd_per_gpu_hour=2.0,
    node_power_kw=8.0,
    idle_power_share=0.2,
    checkpoint_hours=1.0,
    restart_hours=0.25,
)
BATCH = replace(
    TRAINING, key="batch", step="deferrable", window_hours=12.0, used_share=0.8, checkpoint_hours=0.0
)

shares = st.floats(0.01, 1.0)
lengths = st.floats(0.05, 10.0)


def test_value_of_a_class_is_that_of_its_node() -> None:
    assert TRAINING.value_usd_per_mwh(1.25) == pytest.approx(1600.0, rel=1e-12)
    assert TRAINING.value_usd_per_mwh(np.array([1.0, 1.25])) == pytest.approx([2000.0, 1600.0], rel=1e-12)


def test_training_pays_for_the_checkpoint_and_the_restart() -> None:
    # Stopped for 3 h it loses 3 h, half an hour of work since the checkpoint and a quarter to restart: 3.75 h
    # for 3 h. A stopped node saves 80 % of its power: 1,600 x 1.25 / 0.8.
    assert TRAINING.pause_cost_usd_per_mwh(3.0, 1.25) == pytest.approx(2500.0, rel=1e-12)
    assert interruption_cost_usd_per_mwh(TRAINING, 0.2, 3.0, 1.25) == pytest.approx(2500.0, rel=1e-12)
    # In 1 h: 1.75 h for 1 h.
    assert interruption_cost_usd_per_mwh(TRAINING, 0.2, 1.0, 1.25) == pytest.approx(3500.0, rel=1e-12)


def test_batch_that_is_made_up_costs_only_its_stop() -> None:
    # Half of the nodes for 3 h: 0.5 x 0.8 x 3 = 1.2 deferred, room 0.2 x (12 - 1.5) = 2.1: nothing is lost.
    assert BATCH.lost_share(0.5, 3.0) == 0.0
    # 0.5 x 0.8 of the centre saved = depth 0.2; a quarter of an hour over 3 h, 1,600 / 12 / 0.8.
    assert interruption_cost_usd_per_mwh(BATCH, 0.2, 3.0, 1.25) == pytest.approx(1600.0 / 12 / 0.8, rel=1e-12)
    assert BATCH.defer_cost_usd_per_mwh(1.25, 3.0) == pytest.approx(1600.0 / 12 / 0.8, rel=1e-12)


def test_batch_without_room_in_its_window_is_lost() -> None:
    # All nodes for 10 h: 8 deferred, room 0.2 x 2 = 0.4: 95 % is lost.
    assert BATCH.lost_share(1.0, 10.0) == pytest.approx(0.95, rel=1e-12)
    # 95 % and a quarter of an hour in ten.
    assert interruption_cost_usd_per_mwh(replace(BATCH, share=0.3), 0.24, 10.0, 1.25) == pytest.approx(
        1600.0 * (0.95 + 0.025) / 0.8, rel=1e-12
    )


def test_firm_work_costs_its_whole_rent() -> None:
    serving = replace(TRAINING, key="serving", step="firm", checkpoint_hours=0.0, restart_hours=0.0)
    assert serving.cuttable_share == 0.0
    assert interruption_cost_usd_per_mwh(serving, 0.1, 3.0, 1.25) == pytest.approx(2000.0, rel=1e-12)


@given(share=shares, hours=lengths, longer=st.floats(1.0, 50.0))
def test_a_longer_event_never_costs_training_more_per_mwh(share: float, hours: float, longer: float) -> None:
    work = replace(TRAINING, share=share)
    depth = min(0.3, work.cuttable_share)
    long = min(10.0, hours * longer)
    assert interruption_cost_usd_per_mwh(work, depth, long, 1.3) <= (
        interruption_cost_usd_per_mwh(work, depth, hours, 1.3) * (1 + 1e-12)
    )


@given(first=st.floats(1.0, 2.5), more=st.floats(0.001, 1.0), hours=lengths)
def test_a_higher_pue_lowers_value_and_cost(first: float, more: float, hours: float) -> None:
    for work in (TRAINING, BATCH):
        assert work.value_usd_per_mwh(first + more) < work.value_usd_per_mwh(first)
        assert interruption_cost_usd_per_mwh(work, 0.1, hours, first + more) < (
            interruption_cost_usd_per_mwh(work, 0.1, hours, first)
        )


@given(depth=st.floats(0.01, 0.3), deeper=st.floats(0.0, 0.1), hours=lengths)
def test_a_deeper_cut_never_costs_batch_less_per_mwh(depth: float, deeper: float, hours: float) -> None:
    deep = min(0.3, depth + deeper)
    assert interruption_cost_usd_per_mwh(BATCH, deep, hours, 1.3) >= (
        interruption_cost_usd_per_mwh(BATCH, depth, hours, 1.3) * (1 - 1e-12)
    )


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"share": 1.01}, "share"),
        ({"share": -0.1}, "share"),
        ({"share": math.nan}, "share"),
        ({"rent_usd_per_gpu_hour": -1.0}, "rent_usd_per_gpu_hour"),
        ({"node_power_kw": 0.0}, "node_power_kw"),
        ({"idle_power_share": 1.0}, "idle_power_share"),
        ({"used_share": 1.5}, "used_share"),
        ({"checkpoint_hours": math.inf}, "checkpoint_hours"),
        ({"restart_hours": -1.0}, "restart_hours"),
        ({"step": "soft"}, "step"),
        ({"step": "deferrable"}, "window_hours"),
        ({"key": ""}, "key"),
    ],
)
def test_faulty_class_is_refused(change: dict[str, Any], column: str) -> None:
    with pytest.raises(CentreError) as caught:
        replace(TRAINING, **change)
    assert [fault.column for fault in caught.value.faults] == [column]


@pytest.mark.parametrize("pue", [0.99, 0.0, -1.0, math.nan])
def test_pue_below_one_is_refused(pue: float) -> None:
    with pytest.raises(CentreError, match="must be 1 or more"):
        TRAINING.value_usd_per_mwh(pue)


# --- the trials ----------------------------------------------------------------------------------------


def test_trials_are_these() -> None:
    assert {trial.key: (trial.depth_share, trial.hours, trial.gpus) for trial in load_trials()} == {
        "phoenix": (0.25, 3.0, 256),
        "london": (0.30, 10.0, 96),
    }


def test_depth_is_that_of_the_deepest_trial_that_lasted_so_long() -> None:
    phoenix, london = load_trials()
    short = replace(london, depth_share=0.4, hours=1.0)
    held = replace(phoenix, hours=12.0)
    assert [demonstrated_depth(hours) for hours in (0.5, 3.0, 10.0)] == [0.3, 0.3, 0.3]
    assert [demonstrated_depth(hours, (short, london, held)) for hours in (1.0, 1.1, 10.0, 11.0)] == [
        *(0.4, 0.3, 0.3, 0.25)
    ]


def test_phoenix_alone_bounds_three_hours() -> None:
    phoenix = load_trials()[:1]
    assert demonstrated_depth(3.0, phoenix) == 0.25
    with pytest.raises(CentreError, match=r"Phoenix \(2025-05-03\): 25 % for 3 h on 256 GPUs"):
        demonstrated_depth(3.01, phoenix)


def test_deeper_or_longer_than_demonstrated_is_refused_with_the_trial() -> None:
    with pytest.raises(CentreError, match=r"trial in London \(2025-12\): 30 % for 10 h on 96 GPUs"):
        interruption_cost_usd_per_mwh(TRAINING, 0.31, 3.0, 1.2)
    with pytest.raises(CentreError, match=r"longest is the trial in London"):
        interruption_cost_usd_per_mwh(TRAINING, 0.1, 10.5, 1.2)
    with pytest.raises(CentreError, match=r"Phoenix .* on 256 GPUs"):
        interruption_cost_usd_per_mwh(TRAINING, 0.26, 3.0, 1.2, load_trials()[:1])


@pytest.mark.parametrize("hours", [0.0, -1.0, math.nan])
def test_event_without_length_is_refused(hours: float) -> None:
    with pytest.raises(CentreError, match="above 0 h"):
        demonstrated_depth(hours)


def test_class_gives_no_more_than_it_has() -> None:
    # 20 % of the centre, of which stopped nodes still draw a fifth: 16 %.
    small = replace(TRAINING, share=0.2)
    assert small.cuttable_share == pytest.approx(0.16, rel=1e-12)
    with pytest.raises(CentreError, match=r"can cut 0\.16 of the centre's power at most"):
        interruption_cost_usd_per_mwh(small, 0.17, 3.0, 1.2)


# --- the books of deferred work ------------------------------------------------------------------------


def test_late_and_lost_work_by_hand() -> None:
    # Window of 4 h, 1 MWh planned in each. Nothing in the first hour, 2 in the second, 0.5 in the third:
    # the second hour serves the first job late and the second on time; the third half of its own on time.
    # The rest of it and the fourth are lost. The second window is served as planned.
    book = settle_jobs([1, 1, 1, 1, 2, 2, 2, 2], [0, 2, 0.5, 0, 2, 2, 2, 2], 4)
    assert list(book.arrivals) == [4, 8]
    assert list(book.on_time) == [1.5, 8]
    assert list(book.late) == [1, 0]
    assert list(book.lost) == [1.5, 0]
    assert book.lost_share == 1.5 / 12


def test_work_done_before_its_hour_is_on_time() -> None:
    book = settle_jobs([1, 1, 1], [3, 0, 0], 3)
    assert (book.on_time[0], book.late[0], book.lost[0]) == (3, 0, 0)


def test_work_of_one_window_is_not_served_in_the_next() -> None:
    with pytest.raises(CentreError, match="more than the 2 that arrived in the window from hour 2 to hour 3"):
        settle_jobs([1, 1, 1, 1], [0, 1, 1, 2], 2)


def test_last_window_may_be_shorter() -> None:
    book = settle_jobs([1, 1, 1], [1, 1, 0], 2)
    assert list(book.arrivals) == [2, 1]
    assert list(book.lost) == [0, 1]


series = st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1), st.integers(0, 23)), min_size=1, max_size=60)


@given(hours=series, window=st.integers(1, 24))
def test_energy_of_jobs_is_kept_and_none_is_served_twice(
    hours: list[tuple[float, float, int]], window: int
) -> None:
    planned = np.array([energy for energy, _, _ in hours])
    served = np.zeros(len(hours))
    for at, (energy, share, delay) in enumerate(hours):
        last = min((at // window + 1) * window, len(hours)) - 1
        served[min(at + delay, last)] += energy * share
    book = settle_jobs(planned, served, window)
    ends = [slice(at, at + window) for at in range(0, len(hours), window)]
    for row, hours_of in enumerate(ends):
        total = planned[hours_of].sum()
        assert abs(total - book.on_time[row] - book.late[row] - book.lost[row]) <= 1e-9 * max(1.0, total)
        assert book.on_time[row] + book.late[row] == pytest.approx(served[hours_of].sum(), rel=1e-9, abs=1e-9)
        assert min(book.on_time[row], book.late[row], book.lost[row]) >= 0.0
    assert 0.0 <= book.lost_share <= 1.0


@given(hours=st.lists(st.floats(0, 1000), min_size=1, max_size=60), window=st.integers(1, 24))
def test_work_that_is_served_as_planned_is_all_on_time(hours: list[float], window: int) -> None:
    book = settle_jobs(hours, hours, window)
    assert book.on_time == pytest.approx(book.arrivals, rel=1e-9, abs=1e-9)
    assert book.lost == pytest.approx(np.zeros(len(book.lost)), abs=1e-6)


@pytest.mark.parametrize(
    ("arrivals", "served", "window", "problem"),
    [
        ([1.0, math.nan], [1.0, 1.0], 1, "negative or not numbers"),
        ([1.0, 1.0], [1.0, -1.0], 1, "negative or not numbers"),
        ([1.0, 1.0], [1.0], 1, "one value per hour"),
        ([], [], 1, "one value per hour"),
        ([1.0], [1.0], 0, "whole number of hours"),
        ([1.0], [1.0], 1.5, "whole number of hours"),
        ([1.0], [1.0], math.nan, "whole number of hours"),
    ],
)
def test_faulty_series_are_refused(
    arrivals: list[float], served: list[float], window: Any, problem: str
) -> None:
    with pytest.raises(CentreError, match=problem):
        settle_jobs(arrivals, served, window)
