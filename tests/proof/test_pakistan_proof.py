"""Pakistan's tariff and size proved: what holds at the edge, and fails just beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from penstock.market import clear
from penstock.policy import read_policy
from penstock.programme import Programme
from penstock.proof.documents import hosting_document, tariff_document
from penstock.proof.hosting import Hosting, HostingRow, fails_at, size_load
from penstock.proof.tariff import TariffProof
from penstock.proof.trials import Trials
from penstock.report.proof_words import hosting_sentences
from penstock.study.bills import change_per_kwh, incidence, served_mwh
from penstock.study.prepared import Prepared, add_programme
from tests.report.schema_check import schema_errors

from .toyland import DAY

pytestmark = pytest.mark.xdist_group("pakistan-proof")

#: Most that a party may lose at the floor. [PKR/kWh]
LEAST_LOSS = 0.01


def losers(prepared: Prepared, programme: Programme, tariff: float) -> dict[str, float]:
    """Parties of the who-pays table, pooled billing, that lose; by kWh of firm demand. [PKR/kWh]"""
    chosen = replace(programme, tariff_per_kwh=tariff)
    operation = add_programme(prepared, chosen)
    base = clear(prepared.system)
    usd = tariff * 1000.0 / prepared.country.usd_rate
    table = incidence(prepared.country, "pooled", base, operation.clearing, usd)
    energy = served_mwh(prepared.country, operation.clearing)
    total = sum(row.change_usd for row in table.parties if row.group == "consumers")
    others = {row.party: row.change_usd for row in table.parties if row.group in ("plants", "state")}
    changes = {"consumers": total, **others}
    return {name: change_per_kwh(prepared.country, usd, energy) for name, usd in changes.items() if usd > 0.0}


def test_at_the_floor_nobody_loses_and_one_percent_below_somebody_does(
    prepared: Prepared, programme: Programme, proof: TariffProof
) -> None:
    floor = proof.floors["marginal"]
    assert floor is not None
    assert all(loss <= LEAST_LOSS for loss in losers(prepared, programme, floor.tariff_per_kwh).values())
    below = losers(prepared, programme, 0.99 * floor.tariff_per_kwh)
    assert below["consumers"] > LEAST_LOSS


def test_every_floor_recovers_its_cost_and_just_below_does_not(
    trials: Trials, programme: Programme, proof: TariffProof
) -> None:
    for basis, floor in proof.floors.items():
        assert floor is not None
        assert floor.tariff_per_kwh >= floor.trial.needs[basis]
        below = trials.programme(replace(programme, tariff_per_kwh=0.99 * floor.tariff_per_kwh))
        assert 0.99 * floor.tariff_per_kwh < below.needs[basis]
    values = [floor.tariff_per_kwh for floor in proof.floors.values() if floor is not None]
    marginal, per_kwh, per_kw = values
    assert marginal < per_kw < per_kwh  # a load that steps back, or leaves, is less there at the peak


def test_tariffs_that_were_proposed_are_judged_one_by_one(proof: TariffProof) -> None:
    judged = {row.tariff_per_kwh: row for row in proof.judged}
    assert {22.0, 22.98, 23.0, 24.0} <= judged.keys()
    for row in judged.values():
        # All lie between the marginal floor and the full cost: the ministry's passes, the lender's not.
        findings = {found.clause.id: found.status for found in row.judgement.findings}
        assert findings["no-subsidy"] == "passed"
        assert findings["full-cost-recovery"] == "failed"
        assert not row.judgement.passed


def test_the_window_of_miners_closes_at_the_lowest_hashprice(proof: TariffProof) -> None:
    windows = {(row.basis, row.load): row for row in proof.windows}
    full = windows["full_per_kwh", "mining"]
    assert full.open
    assert full.floor is not None
    assert full.ceiling_low < full.floor < full.ceiling
    # A site bought today cannot pay what it causes, at the central assumptions.
    investor = proof.investor["central"]
    floor = proof.floors["marginal"]
    assert investor is not None
    assert floor is not None
    assert investor * 0.2812 < floor.tariff_per_kwh


def test_two_part_and_hourly_tariffs_let_more_run(proof: TariffProof) -> None:
    forms = {row.form: row for row in proof.forms}
    assert forms["flat"].paid_per_kwh == pytest.approx(23.5)
    assert forms["two_part"].energy_gwh > forms["flat"].energy_gwh
    assert forms["hourly"].energy_gwh > forms["two_part"].energy_gwh
    assert forms["flat_full"].full_shortfall_per_kwh == pytest.approx(0.0, abs=0.02)
    for row in proof.forms:
        assert row.payment_usd / row.energy_gwh * 0.2812 / 1e3 == pytest.approx(row.paid_per_kwh, rel=1e-9)


@pytest.mark.parametrize("share", [None, 0.01])
def test_at_the_hosting_capacity_all_pass_and_one_percent_above_one_fails(
    trials: Trials, programme: Programme, share: float | None
) -> None:
    row = size_load(trials, "together", programme.sites, share, programme.tariff_per_kwh)
    assert row.mw > 500.0
    assert row.binding is not None

    def failed(mw: float) -> set[str]:
        trial = trials.flat(
            mw,
            programme.sites,
            firm=share is None,
            least_tariff=programme.tariff_per_kwh * 1000.0 / trials.country.usd_rate,
        )
        return {clause for clause, decides in fails_at(trial, share).items() if decides}

    assert failed(row.mw) == set()
    assert row.binding in failed(1.01 * row.mw)


def test_documents_have_the_keys_that_were_promised(
    trials: Trials, proof: TariffProof, programme: Programme
) -> None:
    found = tariff_document(trials, proof)
    assert set(found["floor_pkr_per_kwh"]) == {"marginal", "full_per_kwh", "full_per_kw"}
    assert set(found["ceiling_pkr_per_kwh"]) == {"mining", "ai"}
    assert all({"tariff_pkr_per_kwh", "verdict"} <= row.keys() for row in found["judged"])
    rows = (small_row("together", None), small_row("together", 0.01), small_row("MID", None))
    hosting: dict[str, Any] = hosting_document(trials, Hosting(23.5, programme.sites, rows))
    assert hosting["firm_mw"] == 100.0
    assert hosting["interruptible_mw"] == {"0.01": 100.0}


def small_row(place: str, share: float | None) -> HostingRow:
    from penstock.proof.headroom import Headroom

    return HostingRow(place, share, 100.0, None, 200.0, {}, {}, Headroom(share or 0.0, 1.0, 1, 1.0))


def test_real_documents_follow_the_schemas(trials: Trials, proof: TariffProof, programme: Programme) -> None:
    found = tariff_document(trials, proof)
    assert schema_errors("tariff", found) == []
    cited = {row["source"] for row in found["judged"]} - {""}
    assert len(cited) >= 3
    assert cited <= {row["source"] for row in found["sources"]}
    rows = tuple(
        size_load(trials, "together", programme.sites, share, programme.tariff_per_kwh)
        for share in (None, 0.01)
    )
    hosting = hosting_document(trials, Hosting(programme.tariff_per_kwh, programme.sites, rows))
    assert schema_errors("hosting", hosting) == []
    named = {row.binding for row in rows} | {key for row in rows for key in (*row.by_clause, *row.reported)}
    assert named - {"interruption", None} <= hosting["clauses"].keys()
    text = " ".join(hosting_sentences(hosting))
    assert "1,314 MW of firm flat load fits" in text
    assert "Price neutrality at the zone's price (up to 18.7 MW)" in text


def test_another_limit_in_the_file_changes_the_verdict(
    prepared: Prepared, trials: Trials, programme: Programme
) -> None:
    """No code is touched: the lender's clause with 4 PKR/kWh of room lets the proposal pass."""
    from penstock.country.load import country_folder

    text = (country_folder("pakistan") / "policy.yaml").read_text("utf-8")
    head, _, tail = text.partition("id: full-cost-recovery\n")
    eased = head + "id: full-cost-recovery\n" + tail.replace("at_most: 0\n", "at_most: 4\n", 1)
    policy = read_policy(eased, "policy.yaml", currency="PKR")
    assert not trials.programme(programme).judgement.passed
    eased_trials = Trials(prepared, trials.base, policy, DAY, trials.outages, trials.years)
    assert eased_trials.programme(programme).judgement.passed
