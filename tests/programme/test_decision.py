"""Bids and rows of the market from the parts, by hand and in general."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.market.system import hour_series
from penstock.programme.decision import (
    bids_of,
    budgets_of,
    first_decision,
    quantities,
    strikes,
    window_of,
)
from penstock.programme.parts import Plan
from tests.programme.small import HASHPRICE, Case, cases, centre, cohort, fleet, plan, terms

PRICE = np.full(12, HASHPRICE)
SPACING = 0.01


def by_name(loads: Plan) -> dict[str, float]:
    return dict(zip((part.name for part in loads.parts), strikes(loads).tolist(), strict=True))


def test_strikes_by_hand() -> None:
    """Mining bids the tariff, 0.01 apart; AI what a cut costs, late work less what deferring costs."""
    machines = fleet(cohort("m20", 1.0, 20.0, low=True), cohort("m12", 1.0, 12.0, low=True))
    loads = plan({"A": 10.0, "B": 10.0}, 24, machines=machines)
    found = by_name(loads)
    expected = {
        "mining A m20 full": 60.0 - 3 * SPACING,
        "mining A m12 full": 60.0 - 2 * SPACING,
        "mining A m20 low": 60.0 - SPACING,
        "mining A m12 low": 60.0,
        "ai A batch": 224.0,
        "ai A batch late": 224.0 - 84.0,
        "ai A training": 220.0 + 4.0 + SPACING,
        "ai A serving": 400.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12), name
        assert found[name.replace(" A ", " B ")] == found[name], "the same in every zone"


def test_deferring_costs_the_tariff_at_least() -> None:
    """So that mining, which bids it, is stopped before any work is deferred."""
    found = by_name(plan({"A": 10.0}, 24, tariff=100.0))
    assert found["ai A batch"] - found["ai A batch late"] == pytest.approx(100.0, rel=1e-12)


@settings(max_examples=80, deadline=None)
@given(
    cases(hours=4),
    st.floats(1.0, 5000.0),
    st.floats(0.0, 5000.0),
    st.floats(0.01, 3.0),
    st.floats(0.01, 3.0),
    st.floats(0.01, 3.0),
)
def test_strikes_rise_in_the_order_of_the_steps_below_the_value_of_lost_load(
    case: Case, lost_load: float, tariff: float, batch: float, training: float, serving: float
) -> None:
    """Whatever the work is worth: more than people's power, or in another order than that of the steps."""
    rents = {"batch": batch, "training": training, "serving": serving}
    work = centre(
        *(replace(kind, rent_usd_per_gpu_hour=rents[kind.key]) for kind in case.plan.centre.classes),
        depth=0.3,
    )
    loads = plan({"A": 10.0}, 24, machines=case.plan.fleet, work=work, tariff=tariff, lost_load=lost_load)
    found, steps = strikes(loads), loads.terms.steps
    run = [index for index, part in enumerate(loads.parts) if not part.late]
    for one in run:
        for other in run:
            first, then = loads.parts[one], loads.parts[other]
            if steps[first.step].order < steps[then.step].order:
                assert found[other] - found[one] >= 0.99 * SPACING, (first.name, then.name)
            if first.step == then.step and first.load == then.load == "mining":
                worse = first.worth_usd_per_mwh < then.worth_usd_per_mwh
                assert not worse or found[other] - found[one] >= 0.99 * SPACING
    assert (found <= 0.99 * lost_load + 1e-9).all()
    assert (found[[index for index in run if loads.parts[index].load == "mining"]] <= tariff + 1e-9).all()
    decision = first_decision(loads)
    ended = replace(decision, ended=np.ones_like(decision.ended))
    for row in bids_of(loads, ended, PRICE):
        assert (hour_series(row.bid.value, 24) == 0.99 * lost_load).all()
        assert (hour_series(row.bid.value, 24) < lost_load).all()


def test_a_firm_programme_bids_the_value_of_lost_load_and_has_no_rows() -> None:
    loads = plan({"A": 10.0}, 24, firm=True)
    decision = first_decision(loads)
    decision = replace(
        decision,
        limited=frozenset(loads.terms.contracts),
        windows=MappingProxyType({name: ~used for name, used in decision.windows.items()}),
    )
    rows = bids_of(loads, decision, PRICE)
    assert {row.bid.value for row in rows} == {500.0}
    assert all(row.bid.quantity == 0.0 for row in rows if row.part.late)
    assert budgets_of(loads, decision) == ()


def test_quantities_follow_who_comes_windows_and_stops() -> None:
    loads = plan({"A": 10.0}, 24, mining_share=0.0)
    names = [part.name for part in loads.parts]
    batch, late, serving = (names.index(f"ai A {one}") for one in ("batch", "batch late", "serving"))
    decision = first_decision(loads)
    coming, held = decision.coming.copy(), decision.held.copy()
    coming[serving, 0], held[7, serving] = 0.5, True
    windows = {"ai A batch late": np.array([False, True, False, False])}
    decision = replace(decision, coming=coming, held=held, windows=MappingProxyType(windows))
    taken = quantities(loads, decision)
    hour = np.arange(24)
    # A month of two hours: January is hours 0 and 1.
    expected = np.where(hour % 2, 1.0, 4.0) * np.where(hour < 2, 0.5, 1.0) * (hour != 7)
    assert taken[:, serving] == pytest.approx(expected, abs=1e-12)
    assert taken[:, batch] == pytest.approx(np.where(hour % 2, 2.8, 4.0), abs=1e-12)
    assert taken[:, late] == pytest.approx(np.where((hour % 2 == 1) & (hour // 6 == 1), 2.0, 0.0), abs=1e-12)
    bids = bids_of(loads, decision, PRICE)
    for index, row in enumerate(bids):
        assert hour_series(row.bid.quantity, 24) == pytest.approx(taken[:, index], abs=1e-12)


def test_rows_of_contracts_and_windows_by_hand() -> None:
    """Of batch, 4 MW in even hours and 2.8 in odd ones: 20.4 MWh in a window of 6 hours, 81.6 in 24."""
    loads = plan({"A": 10.0}, 24, mining_share=0.0, contracts=terms(deferrable=0.25))
    decision = first_decision(loads)
    assert budgets_of(loads, decision) == ()
    windows = {"ai A batch late": np.array([False, True, False, True])}
    decision = replace(decision, limited=frozenset({"deferrable"}), windows=MappingProxyType(windows))
    year, work = budgets_of(loads, decision)
    assert (year.name, year.members) == ("interruption of deferrable", ("ai A batch",))
    assert year.minimum == pytest.approx([0.75 * 81.6], rel=1e-12)
    assert year.maximum.tolist() == [np.inf]
    assert set(year.period.tolist()) == {0}
    assert (work.name, set(work.members)) == ("work of ai A batch", {"ai A batch", "ai A batch late"})
    assert work.period.tolist() == [0] * 6 + [1] * 6 + [2] * 6 + [3] * 6
    assert work.minimum.tolist() == [-np.inf] * 4
    assert work.maximum == pytest.approx([np.inf, 20.4, np.inf, 20.4], rel=1e-12)


def test_the_last_window_may_be_shorter() -> None:
    loads = plan({"A": 10.0}, 20, mining_share=0.0)
    (late,) = (part for part in loads.parts if part.late)
    assert window_of(late, 20).tolist() == [0] * 6 + [1] * 6 + [2] * 6 + [3] * 2
    assert len(first_decision(loads).windows[late.name]) == 4
