"""A small country with guardrails of its own: what a proof is tried on in a second or two."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from penstock.country import Country, load_country
from penstock.policy import read_policy
from penstock.proof.trials import Trials, make_trials
from penstock.study.prepared import prepare
from tests.country.toy import toy_tables, write_tables

DAY = dt.date(2025, 12, 31)
YEARS = 5
#: The programme pays what it causes, and nobody pays more; limits in XTC/kWh.
POLICY = """\
country: toyland
title: Rules of Toyland

sources:
  decree:
    title: A decree
    publisher: The ministry
    note: says so

clauses:
  - id: no-subsidy
    title: No subsidy
    clause: The programme pays what it causes.
    metric: unrecovered_cost_year
    at_most: {most}
    unit: XTC/kWh
    basis: published
    source: decree
    holds_from: 2024-01-01
    binding: yes
    subject: programme

  - id: nobody-pays-more
    title: Nobody pays more
    clause: No class of consumers pays more.
    metric: consumer_change_pooled
    at_most: 0.5
    unit: XTC/kWh
    basis: published
    source: decree
    holds_from: 2024-01-01
    binding: yes
    subject: programme
"""
STRESS = {
    "stress": "hot",
    "name": "Hot summer",
    "what": "demand",
    "first_month": "5",
    "last_month": "8",
    "factor": "1.1",
    "low": "1",
    "high": "1.3",
    "basis": "assumption",
    "source": "guess",
}
HIGHEST = {
    "parameter": "programme_highest_tariff_per_kwh",
    "value": "9",
    "unit": "XTC/kWh",
    "basis": "published",
    "source": "toy",
}
PROPOSED = {"tariff_per_kwh": "5.5", "name": "A proposal", "dated": "2025-05", "source": "toy"}


def write_toyland(folder: Path, most: float = 0.0) -> Path:
    """The toy without contracts, so that it clears fast, its programme at one place, with a policy.

    most: by how much the programme may fall short of what it causes. [XTC/kWh]
    """
    tables = toy_tables()
    tables["contracts"] = []
    tables["programme_sites"] = [{"zone": "NORTH", "share": "1", "basis": "published", "source": "toy"}]
    tables["stress_years"] = [STRESS]
    tables["tariff_proposals"] = [PROPOSED]
    tables["parameters"] = [*tables["parameters"], HIGHEST]
    write_tables(folder, tables)
    (folder / "policy.yaml").write_text(POLICY.format(most=most), "utf-8")
    return folder


def toy_trials(folder: Path, most: float = 0.0) -> Trials:
    """Trials of the toy that was written there."""
    country: Country = load_country(folder)
    policy = read_policy(POLICY.format(most=most), "policy.yaml", currency="XTC")
    return make_trials(prepare(country), policy, DAY, years=YEARS)
