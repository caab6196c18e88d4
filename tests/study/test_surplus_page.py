"""The figures of docs/how-much-surplus.md, from the study of Pakistan."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.study import Study

pytestmark = pytest.mark.xdist_group("pakistan")

PAGE = " ".join(
    (Path(__file__).resolve().parents[2] / "docs" / "how-much-surplus.md").read_text("utf-8").split()
)


def test_duration_of_the_surplus(pakistan_study: Study) -> None:
    surplus, total = pakistan_study.summary["surplus"], pakistan_study.hourly["surplus_mw.total"]
    curve = {round(row["share_of_hours"], 6): row["mw"] for row in surplus["duration_curve"]}
    for share in (0.5, 0.8, 0.9, 0.95, 0.99, 1.0):
        assert f"| {100 * share:.0f} % | {curve[share]:,.0f} |" in PAGE
    assert f"the mean is {surplus['mean_mw']:,.0f} MW" in PAGE
    assert f"in {100 * (total >= 7000.0).mean():.0f} % of the hours" in PAGE
    assert f"In {int((total < 2000.0).sum())} hours" in PAGE


def test_months_zones_and_prices(pakistan_study: Study) -> None:
    surplus = pakistan_study.summary["surplus"]
    mean = {row["month"]: row["mean_mw"] for row in surplus["by_month"]}
    assert f"Mean {mean[11]:,.0f} MW in November, {mean[6]:,.0f} MW in June" in PAGE
    zone = {row["zone"]: row["mean_mw"] for row in surplus["by_zone"]}
    assert (
        f"North {zone['NORTH']:,.0f} MW, South {zone['SOUTH']:,.0f}, K-Electric {zone['K-ELECTRIC']:,.0f}, "
        f"Mid {zone['MID']:,.0f}; so {zone['SOUTH'] + zone['MID']:,.0f} MW" in PAGE
    )
    rate = pakistan_study.country.usd_rate / 1000.0
    for row in surplus["price_for_programme"]:
        price = row["price_usd_per_mwh"]
        if price is not None and row["share_of_hours"] in (0.5, 0.95, 0.99):
            assert f"| {100 * row['share_of_hours']:.0f} % | {price:.1f} | {price * rate:.1f} |" in PAGE
    extra = pakistan_study.summary["change"]["cost_per_programme_mwh"]
    assert f"lower, {extra:.1f} USD/MWh ({extra * rate:.1f} PKR/kWh)" in PAGE
