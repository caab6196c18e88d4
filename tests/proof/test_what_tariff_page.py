"""The numbers of docs/what-tariff-is-safe.md, found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.proof.tariff import TariffProof
from penstock.proof.trials import Trials

pytestmark = pytest.mark.xdist_group("pakistan-proof")

PAGE = " ".join(
    (Path(__file__).resolve().parents[2] / "docs" / "what-tariff-is-safe.md").read_text("utf-8").split()
)


def test_floors_by_what_they_recover(proof: TariffProof) -> None:
    told = {
        "marginal": "no public money",
        "full_per_kw": "by its part in the twelve monthly peaks",
        "full_per_kwh": "capacity payments, by energy",
    }
    for basis, words in told.items():
        floor = proof.floors[basis]
        assert floor is not None
        assert f"{words} | {floor.tariff_per_kwh:.2f} |" in PAGE


def test_months_and_hours(proof: TariffProof) -> None:
    month, hour = proof.finer
    assert f"would be {month.tariff_per_kwh:.2f} ({month.binding[0][0]})" in PAGE
    assert hour.binding[0][0] == "2025-07-01 21:00"
    assert f"hour by hour {hour.tariff_per_kwh:.2f} (1 July 2025, 21:00)" in PAGE


def test_the_window_and_who_buys_machines(trials: Trials, proof: TariffProof) -> None:
    to_kwh = trials.country.usd_rate / 1000.0
    mining, _ = proof.ceilings
    assert f"half of the miners' power can pay {mining.central * to_kwh:.2f}" in PAGE
    assert f"of December 2025 they can pay {mining.low * to_kwh:.2f}" in PAGE
    assert proof.hashprice.low_place == "2025-12"
    low, central, high = (proof.investor[case] for case in ("low", "central", "high"))
    assert low is not None
    assert central is not None
    assert high is not None
    told = f"{central * to_kwh:.2f} ({low * to_kwh:.2f} to {high * to_kwh:.2f}"
    assert f"a new site can pay {told}" in PAGE


def test_forms_and_hourly_billing(trials: Trials, proof: TariffProof) -> None:
    forms = {row.form: row for row in proof.forms}
    flat, parts, hourly = (forms[name] for name in ("flat", "two_part", "hourly"))
    assert f"takes {parts.energy_gwh / 1e3:.1f} TWh instead of {flat.energy_gwh / 1e3:.1f}" in PAGE
    assert f"pays {parts.paid_per_kwh:.2f} in all" in PAGE
    assert f"charge {hourly.energy_gwh / 1e3:.1f} TWh and {hourly.paid_per_kwh:.2f}" in PAGE
    (own,) = [row for row in proof.judged if row.tariff_per_kwh == proof.programme.tariff_per_kwh]
    worst = max(row.value for row in own.trial.measures["consumer_change_marginal"])
    assert f"consumers pay {worst:.2f} more whatever the programme pays" in PAGE
