"""The proofs as plain documents: what `tariff.json`, `hosting.json` and `design.json` hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from penstock import __version__
from penstock.policy import Finding, Judgement
from penstock.programme import Programme
from penstock.study.guardrails import finding_rows
from penstock.study.loads import all_sources, programme_assumptions

from .ceiling import Ceiling
from .design import Design, DesignSearch
from .floor import Floor
from .hosting import Hosting
from .sensitivity import Sensitivity
from .tariff import TariffProof
from .trials import Trial, Trials

__all__ = ["design_document", "hosting_document", "tariff_document"]

_MILLION, _MWH_PER_GWH = 1e6, 1000.0


def tariff_document(trials: Trials, proof: TariffProof) -> dict[str, Any]:
    """Floors, ceilings, windows, the tariffs judged and the forms compared.

    Keys with the currency in them, like `floor_pkr_per_kwh`, are in the country's currency per kWh.
    """
    unit = _unit(trials)
    to_kwh = trials.country.usd_rate / 1000.0
    return _head(trials) | {
        "programme": _programme(proof.programme),
        f"floor_{unit}": {
            basis: None if floor is None else floor.tariff_per_kwh for basis, floor in proof.floors.items()
        },
        "floors": {basis: None if floor is None else _floor(floor) for basis, floor in proof.floors.items()},
        "finer": [
            {
                "over": row.over,
                f"tariff_{unit}": row.tariff_per_kwh,
                "share_of_energy_above_floor": row.share_above,
                "binding": [{"place": place, f"cost_{unit}": cost} for place, cost in row.binding],
            }
            for row in proof.finer
        ],
        f"ceiling_{unit}": {row.load: _ceiling(row, to_kwh) for row in proof.ceilings},
        f"investor_ceiling_{unit}": {
            case: None if usd is None else usd * to_kwh for case, usd in proof.investor.items()
        },
        "hashprice_usd_per_ph_day": asdict(proof.hashprice),
        "windows": [
            {
                "basis": row.basis,
                "load": row.load,
                f"floor_{unit}": row.floor,
                f"ceiling_low_{unit}": row.ceiling_low,
                f"ceiling_{unit}": row.ceiling,
                f"ceiling_high_{unit}": row.ceiling_high,
                "open": row.open,
            }
            for row in proof.windows
        ],
        "judged": [
            {
                f"tariff_{unit}": row.tariff_per_kwh,
                "name": row.name,
                "source": row.source,
                "verdict": _verdict(row.judgement),
                "reason": row.judgement.reason,
                "failed": [finding.clause.id for finding in _failed(row.judgement)],
                **_trial(trials, row.trial),
            }
            for row in proof.judged
        ],
        "forms": [asdict(row) for row in proof.forms],
        "clauses": _titles(trials),
        **_rests_on(trials, {row.source for row in proof.judged if row.source}),
    }


def hosting_document(trials: Trials, hosting: Hosting) -> dict[str, Any]:
    """Hosting capacity by place, firm and at each share of interruption, beside the simple headroom."""
    together = hosting.row("together", None)
    shares = [row for row in hosting.rows if row.place == "together" and row.share is not None]
    return _head(trials) | {
        "outage_years": trials.years,
        f"least_tariff_{_unit(trials)}": hosting.tariff_per_kwh,
        "sites": dict(hosting.sites),
        "firm_mw": together.mw,
        "interruptible_mw": {f"{row.share:g}": row.mw for row in shares},
        "rows": [
            {
                "place": row.place,
                "interruptible_share": row.share,
                "mw": row.mw,
                "binding": row.binding,
                "most_mw": row.most_mw,
                "by_clause_mw": dict(row.by_clause),
                "reported_mw": dict(row.reported),
                "headroom": asdict(row.headroom),
            }
            for row in hosting.rows
        ],
        "clauses": _titles(trials),
        **_rests_on(trials),
    }


def design_document(
    trials: Trials, search: DesignSearch, proposed: Trial, sensitivities: tuple[Sensitivity, ...]
) -> dict[str, Any]:
    """The verdict, the design with its proof, its runner-up, what binds, and the design under other inputs.

    proposed: the programme as it was proposed, judged by the same guardrails.
    """
    chosen = search.best if search.best is not None else search.nearest
    judged = chosen.trial.judgement if chosen is not None else proposed.judgement
    return _head(trials) | {
        "verdict": _verdict(judged),
        "reason": judged.reason,
        "guardrails": finding_rows(judged),
        "binding": None if judged.binding_clause is None else judged.binding_clause.clause.id,
        "design": None if search.best is None else _design(trials, search.best),
        "nearest": None if search.nearest is None else _design(trials, search.nearest),
        "runner_up": None if search.runner_up is None else _design(trials, search.runner_up),
        "by_mining_share": [
            {"mining_share": share, "design": None if row is None else _design(trials, row)}
            for share, row in search.by_share.items()
        ],
        "must_move": [
            {
                "id": row.finding.clause.id,
                "limit": row.finding.limit,
                "unit": row.finding.unit,
                "move": None if row.move is None else asdict(row.move),
                "design": _design(trials, row.design),
            }
            for row in search.obstacles
        ],
        "proposed": {
            "verdict": _verdict(proposed.judgement),
            "reason": proposed.judgement.reason,
            "guardrails": finding_rows(proposed.judgement),
            f"tariff_{_unit(trials)}": proposed.tariff_per_kwh,
            "mw": proposed.mw,
            **_trial(trials, proposed),
        },
        "sensitivity": [
            {
                "case": row.key,
                "title": row.title,
                "verdict": _verdict(row.trial.judgement),
                "failed": [finding.clause.id for finding in _failed(row.trial.judgement)],
                **_trial(trials, row.trial),
            }
            for row in sensitivities
        ],
        "search": {
            "designs_tried": search.tried,
            "most_mw": search.most_mw,
            f"highest_tariff_{_unit(trials)}": search.highest_tariff_per_kwh,
            "outage_years": trials.years,
            "seed": trials.seed,
        },
        **_rests_on(trials),
    }


def _failed(judgement: Judgement) -> list[Finding]:
    return [row for row in judgement.findings if row.decides and row.status != "passed"]


def _verdict(judgement: Judgement) -> str:
    return "passes" if judgement.passed else "refused"


def _unit(trials: Trials) -> str:
    return f"{trials.country.currency.lower()}_per_kwh"


def _head(trials: Trials) -> dict[str, Any]:
    country, policy = trials.country, trials.policy
    return {
        "schema_version": 1,
        "penstock_version": __version__,
        "country": {
            "id": country.id,
            "name": country.name,
            "currency": country.currency,
            "currency_per_usd": country.usd_rate,
            "content_hash": country.content_hash,
        },
        "year": country.year,
        "policy": {"title": policy.title, "sha256": policy.sha256, "as_of": trials.as_of.isoformat()},
    }


def _programme(programme: Programme) -> dict[str, Any]:
    return {
        "mw": programme.mw,
        "mining_share": programme.mining_share,
        "tariff_per_kwh": programme.tariff_per_kwh,
        "firm": programme.firm,
        "sites": [{"zone": zone, "share": share} for zone, share in programme.sites.items()],
    }


def _design(trials: Trials, design: Design) -> dict[str, Any]:
    return {
        **_programme(design.programme),
        "place": design.place,
        "verdict": _verdict(design.trial.judgement),
        **_trial(trials, design.trial),
    }


def _trial(trials: Trials, trial: Trial) -> dict[str, Any]:
    """Its year in a few figures, and what tariff would recover its cost."""
    return {
        "energy_gwh": trial.energy_mwh / _MWH_PER_GWH,
        "payment_usd": trial.payment_usd,
        "added_cost_usd": trial.added_cost_usd,
        "benefit_usd": trial.benefit_usd,
        "settled": trial.settled,
        f"needs_{_unit(trials)}": dict(trial.needs),
        "fuel_imports_change_usd": _reading(trial, "fuel_imports_change") * _MILLION,
        "emissions_change_mt": _reading(trial, "emissions_change"),
        "consumer_change_per_kwh": {
            rule: max(row.value for row in trial.measures[f"consumer_change_{rule}"])
            for rule in ("pooled", "marginal")
        },
    }


def _reading(trial: Trial, metric: str) -> float:
    return trial.measures[metric][0].value


def _floor(floor: Floor) -> dict[str, Any]:
    return {
        "tariff_per_kwh": floor.tariff_per_kwh,
        "highest_seen_to_fail_per_kwh": floor.below_per_kwh,
        "energy_gwh": floor.trial.energy_mwh / _MWH_PER_GWH,
    }


def _ceiling(row: Ceiling, to_kwh: float) -> dict[str, float]:
    values: Mapping[str, float] = {
        "low": row.low,
        "central": row.central,
        "high": row.high,
        "first_leaves": row.first_leaves,
        "last_leaves": row.last_leaves,
    }
    return {key: usd * to_kwh for key, usd in values.items()}


def _titles(trials: Trials) -> dict[str, str]:
    """Titles of the guardrails by id, as the design's findings have them."""
    return {clause.id: clause.title for clause in trials.policy.clauses}


def _rests_on(trials: Trials, also: Collection[str] = ()) -> dict[str, Any]:
    """Assumptions of the loads, and every source that is cited, the policy's among them.

    also: keys of sources that the document cites beside those of the assumptions.
    """
    assumptions = programme_assumptions(trials.country)
    cited = {row["source"] for row in assumptions} | set(also)
    keys = ("source", "title", "publisher", "url", "licence", "dated")
    return {
        "assumptions": assumptions,
        "sources": [
            {key: row[key] or "" for key in keys}
            for row in all_sources(trials.country)
            if row["source"] in cited
        ],
        "policy_sources": [asdict(row) for row in trials.policy.sources.values()],
    }
