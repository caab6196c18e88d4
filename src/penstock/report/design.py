"""The page of a design: one HTML file that needs no network, drawn from `design.json`.

It may show the proof of the tariff and the hosting capacity as well. Nothing here is a result: numbers of the
documents are sorted, scaled to be read, and put on axes, no more.
"""

from __future__ import annotations

import textwrap
from typing import Any

import plotly.offline
from markupsafe import Markup

from penstock.errors import Fault, InputError

from .design_tables import (
    assumptions_table,
    designs_table,
    moves_table,
    own_case,
    sensitivity_table,
    sources_table,
)
from .formats import label
from .guardrails import finding_rows, guardrail_sentences, policy_anchors, policy_sources_table
from .hosting_parts import hosting_charts, hosting_matrix, hosting_table
from .plots import Chart, Key, frame, rounded
from .proof_names import (
    Document,
    clause_names,
    date_text,
    millions_text,
    price,
    price_key,
    priced,
    sites_text,
    size_text,
    split_name,
    usd_text,
)
from .proof_words import (
    design_sentences,
    hosting_sentences,
    proposed_sentence,
    tariff_sentences,
    verdict_sentence,
)
from .render import _environment, _json, _part, _script
from .tariff_parts import tariff_charts, tariff_tables

__all__ = ["render_design"]

_HEAD = ("schema_version", "penstock_version", "country", "year", "policy")
_RESTS = ("assumptions", "sources", "policy_sources")
DESIGN_KEYS = (
    *_HEAD,
    *("verdict", "reason", "guardrails", "binding", "design", "nearest", "runner_up"),
    *("by_mining_share", "must_move", "proposed", "sensitivity", "search"),
    *_RESTS,
)
TARIFF_KEYS = (
    *_HEAD,
    *("programme", "floors", "finer", "hashprice_usd_per_ph_day", "windows", "judged", "forms", "clauses"),
    *_RESTS,
)
HOSTING_KEYS = (
    *_HEAD,
    *("outage_years", "sites", "firm_mw", "interruptible_mw", "rows", "clauses"),
    *_RESTS,
)
SCHEMA_VERSION = 1
_GOOD, _BAD = "#0b6b3a", "#a23b00"
_WRAP = 17  # letters of a case's title in one line beside its bar


def render_design(
    document: dict[str, Any],
    tariff: dict[str, Any] | None = None,
    hosting: dict[str, Any] | None = None,
) -> str:
    """The design with its proof as one HTML page that loads nothing from anywhere. Same input, same bytes.

    document: of a design, as in `design.json`. tariff, hosting: of the same country, as in `tariff.json` and
    `hosting.json`; None to leave their sections out.

    Raises InputError that lists every missing part of the documents.
    """
    faults = [
        fault
        for name, given, keys in (
            ("design", document, DESIGN_KEYS),
            ("tariff", tariff, TARIFF_KEYS),
            ("hosting", hosting, HOSTING_KEYS),
        )
        if given is not None
        for fault in _faults(name, given, keys)
    ]
    if faults:
        raise InputError(faults)
    names = clause_names(document, tariff, hosting)
    sensitivity = _sensitivity_charts(document)
    window = [] if tariff is None else tariff_charts(tariff)
    fits = [] if hosting is None else hosting_charts(hosting)
    page = (
        _environment()
        .get_template("design.html.j2")
        .render(
            document=document,
            country=document["country"],
            tariff=tariff,
            hosting=hosting,
            sections=_sections(document, tariff, hosting),
            as_of=date_text(document["policy"]["as_of"]),
            verdict=verdict_sentence(document),
            remarks=design_sentences(document)[1:],
            card=_card(document),
            **_proof(document),
            sensitivity=sensitivity,
            window=window,
            tariff_words=[] if tariff is None else tariff_sentences(tariff, names),
            fits=fits,
            hosting_words=[] if hosting is None else hosting_sentences(hosting, names),
            matrix=None if hosting is None else hosting_matrix(hosting, names),
            tables={
                "designs": designs_table(document),
                "moves": moves_table(document, names),
                "sensitivity": sensitivity_table(document, names),
                "policy_sources": policy_sources_table(document["policy_sources"]),
                "assumptions": assumptions_table(document),
                "sources": sources_table(document),
                **({} if tariff is None else tariff_tables(tariff, names)),
                **({} if hosting is None else {"hosting": hosting_table(hosting, names)}),
            },
            figures_json=_json({chart.ident: chart.spec() for chart in (*sensitivity, *window, *fits)}),
            plotly_js=_script(plotly.offline.get_plotlyjs()),
            style=Markup(_part("style.css")),
            script=_script(_part("mix.js") + _part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _faults(name: str, document: dict[str, Any], keys: tuple[str, ...]) -> list[Fault]:
    mend = "pass the document of a proof made by this version of Penstock"
    found = [Fault(name, f"{key!r} is missing", mend) for key in keys if key not in document]
    version = document.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        problem = f"the page reads schema version {SCHEMA_VERSION}"
        found.append(Fault(name, problem, mend, column="schema_version", value=str(version)))
    return found


def _sections(document: Document, tariff: Document | None, hosting: Document | None) -> dict[str, str]:
    """Numbered titles of the sections by id, those that are shown."""
    shown = {
        "proof": "Proof",
        "proposed": "As proposed",
        "designs": "By share of mining",
        "moves": "What must move" if document["design"] is None else "",
        "sensitivity": "Other assumptions",
        "tariff": "The tariff" if tariff is not None else "",
        "hosting": "How much fits" if hosting is not None else "",
        "limits": "What it cannot say",
        "basis": "Basis",
    }
    kept = [(ident, title) for ident, title in shown.items() if title]
    return {ident: f"{place} {title}" for place, (ident, title) in enumerate(kept, start=1)}


def _proof(document: Document) -> dict[str, Any]:
    """Guardrails of the design and of what was proposed, with their sentences."""
    anchors, proposed = policy_anchors(document["policy_sources"]), document["proposed"]
    failed = [row for row in proposed["guardrails"] if row["status"] in ("failed", "no input")]
    return {
        "proof_words": guardrail_sentences(document["verdict"], document["reason"], document["guardrails"]),
        "findings_rows": finding_rows(document["guardrails"], document["binding"], anchors),
        "proposed_sentence": proposed_sentence(document),
        "proposed_rows": finding_rows(failed, None, anchors),
        "proposed_figures": _figures(document, proposed, proposed[f"tariff_{price_key(document)}"]),
    }


def _card(document: Document) -> dict[str, Any] | None:
    """The design in a few figures; the nearest where nothing passes."""
    design = document["design"] or document["nearest"]
    if design is None:
        return None
    return {
        "title": "Proposal" if document["design"] is not None else "Nearest to passing, and refused",
        "figures": [
            ("Runs", split_name(design["mining_share"]), ""),
            ("Where", sites_text(design["sites"]), ""),
            (
                "Terms",
                "firm" if design["firm"] else "interruptible",
                "served like any demand" if design["firm"] else "cut before people are",
            ),
            *_figures(document, design, design["tariff_per_kwh"]),
        ],
    }


def _figures(document: Document, row: Document, tariff: float) -> list[tuple[str, str, str]]:
    """Name, value and unit of the figures of a year."""
    needs = row[f"needs_{price_key(document)}"]
    unit = f"{document['country']['currency']}/kWh"
    return [
        ("Power", size_text(row["mw"]), "MW"),
        ("Tariff", price(document, tariff), unit),
        ("Full cost, capacity by energy", price(document, needs.get("full_per_kwh")), unit),
        ("Energy", size_text(row["energy_gwh"]), "GWh a year"),
        ("Pays", millions_text(row["payment_usd"]), "million USD a year"),
        ("Adds to the system's cost", millions_text(row["added_cost_usd"]), "million USD a year"),
        ("All others gain", millions_text(row["benefit_usd"]), "million USD a year"),
    ]


def _sensitivity_charts(document: Document) -> list[Chart]:
    """What others gain in each case, as bars coloured and named by the verdict; none without cases."""
    shown = document["design"] or document["nearest"]
    if shown is None or not document["sensitivity"]:
        return []
    cases = [(own_case(document), shown), *((row["title"], row) for row in document["sensitivity"])]
    cases.reverse()  # the first at the top
    names = ["<br>".join(label(line) for line in textwrap.wrap(title, _WRAP)) for title, _ in cases]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(cases))),
            "x": rounded([row["benefit_usd"] / 1e6 for _, row in cases], 4),
            "text": [row["verdict"] for _, row in cases],
            "textposition": "auto",
            "insidetextanchor": "start",
            "textangle": 0,
            "marker": {"color": [_GOOD if row["verdict"] == "passes" else _BAD for _, row in cases]},
            "hoverinfo": "text",
            "hovertext": [
                label(f"{title}: {row['verdict']}, others gain {usd_text(row['benefit_usd'])}", 120)
                for title, row in cases
            ],
        }
    ]
    layout = frame(
        "million USD a year",
        "",
        hovermode="closest",
        bargap=0.3,
        xaxis={"tickformat": ",~r", "nticks": 6, "rangemode": "tozero"},
        yaxis={
            "tickvals": list(range(len(cases))),
            "ticktext": names,
            "showgrid": False,
            "zeroline": False,
        },
        margin={"l": 8},
    )
    used = {row["verdict"] for _, row in cases}
    keys = [
        Key(verdict, colour) for verdict, colour in (("passes", _GOOD), ("refused", _BAD)) if verdict in used
    ]
    return [
        Chart(
            "chart-sensitivity",
            "What all others gain, and the verdict",
            f"at {priced(document, shown['tariff_per_kwh'])}",
            "Bars by case; the table of cases holds the same numbers.",
            data,
            layout,
            tuple(keys),
            70 + 44 * len(cases),
        )
    ]
