"""The miners: machines, hashprice with the programme in it, its own effect, and what the investor gets."""

from __future__ import annotations

from typing import Any

from .cells import Cell, Column, Table, cited, row_of, source_of, words
from .formats import (
    MONTHS,
    as_number,
    decimals_for,
    label,
    millions,
    millions_decimals,
    number,
    percent,
    short_percent,
    signed,
    size_text,
)
from .fuels import BASE, SECOND, THIRD
from .plots import Chart, Key, frame, line_trace, rounded

__all__ = ["miner_charts", "miner_sentences", "miner_tables", "own_effect_sentence"]

CASES = {"low": "Low", "central": "Central", "high": "High"}
_NETWORK = ("btc_network", "btc_price")
_WORLD = ("cambridge_mining_2025", "pool_fees_2026")
#: Without the programme, with it, and if nobody else left.
_HASHPRICES = (
    ("Without the programme", "hashprice_alone_usd_per_ph_day", BASE, "solid"),
    ("With it", "hashprice_usd_per_ph_day", SECOND, "dash"),
    ("With it, if nobody else left", "hashprice_without_response_usd_per_ph_day", THIRD, "dot"),
)


def miner_tables(summary: dict[str, Any]) -> dict[str, Table]:
    """The tables of the page by name."""
    return {
        "machines": _machines(summary),
        "hashprice": _hashprice(summary),
        "own_effect": _own_effect(summary),
        "investment": _investment(summary),
        "elasticity": _elasticity(summary),
    }


def miner_charts(summary: dict[str, Any]) -> dict[str, Chart]:
    """The charts of the page by name."""
    return {"break_even": _break_even_chart(summary), "hashprice": _hashprice_chart(summary)}


def own_effect_sentence(summary: dict[str, Any]) -> str:
    """What the programme's miners do to the income of all miners, then what a fleet of 2,000 MW would do."""
    loads = summary["loads"]
    found, network, megawatts = loads["own_effect"], loads["network"], as_number(loads["miners"]["mw"])
    answered, alone = found["with_response"], found["without_response"]
    case = (
        f"{number(found['mw'])} MW of mining at {number(found['efficiency_j_per_th'], 1)} J/TH would lower "
        f"it on {found['date']} from {number(found['hashprice_usd_per_ph_day'], 2)} to "
        f"{number(answered['hashprice_usd_per_ph_day'], 2)} USD per PH/s and day, as others leave "
        f"({number(alone['hashprice_usd_per_ph_day'], 2)} if nobody left)."
    )
    if not megawatts:
        return f"The hashprice is the income of all miners. {case}"
    falls = [row["fall"] for row in network["months"]]
    low, high = percent(min(falls), 1), percent(max(falls), 1)
    size = low if low == high else f"{low} to {high}, by month"
    if 0.0 < max(falls) < 0.0005:
        size = "less than 0.1%"
    return (
        f"The programme's own {size_text(megawatts)} MW of mining lower the hashprice, the income of all "
        f"miners, by {size} (network of {network['year']}). To compare: {case}"
    )


def miner_sentences(summary: dict[str, Any]) -> dict[str, str]:
    """What the page says between its figures."""
    miners = summary["loads"]["miners"]
    cases, hashrate = miners["investment"], miners["hashrate_ehs"]
    losing = [
        name for name in CASES if name in cases and (as_number(cases[name]["net_present_usd"]) or 0.0) < 0.0
    ]
    if not cases:
        verdict = "Nobody invests."
    elif len(losing) == len(cases):
        verdict = (
            "At this tariff the investor loses money in every case, each of which has the hashprice fall "
            "from year to year: the net present value is below zero."
        )
    elif not losing:
        verdict = "At this tariff the investor gains in every case: the net present value is above zero."
    else:
        names = " and ".join(CASES[name].lower() for name in losing)
        verdict = f"At this tariff the investor loses money in the {names} case, and gains in the others."
    size = (
        f"{size_text(miners['mw'])} MW of mining, "
        f"{number(hashrate, decimals_for([hashrate], 1, 2))} EH/s at full power."
        if as_number(miners["mw"])
        else "The programme has no mining. The machines below are those that it would take."
    )
    rows = summary["loads"]["elasticity"]
    met = sum(_inside(row) for row in rows)
    stronger = sum(abs(row["responding"]) > abs(row["published"]) for row in rows)
    texas = (
        f"Do real miners stop as these do? At {met} of {len(rows)} levels of hashprice the answer to prices "
        "published for Texas lies in the model's range; the model's miners answer more strongly than the "
        f"real ones at {stronger} of {len(rows)}."
        if rows
        else ""
    )
    stop = (
        f"From the operator's call to the first step it takes {number(miners['notice_minutes'])} minutes, "
        "to "
        f"near no power {number(miners['ramp_minutes'])} more, and {number(miners['restart_minutes'])} to "
        "start "
        f"again; a stop lasts at least {number(miners['minimum_stop_hours'])} h."
    )
    effect = own_effect_sentence(summary)
    return {"verdict": verdict, "size": size, "stop": stop, "own_effect": effect, "texas": texas}


def _machines(summary: dict[str, Any]) -> Table:
    rows = tuple(
        row_of(
            str(row["model"]),
            number(row["break_even_low_usd_per_mwh"], 1),
            number(row["break_even_full_usd_per_mwh"], 1),
            percent(row["served_share_low"]),
            percent(row["served_share_full"]),
            percent(row["share"]),
            number(row["machines"]),
            number(row["efficiency_j_per_th"], 1),
            number(row["meter_j_per_th"], 2),
            number(row["price_usd"]),
            source_of(summary, f"mining_fleet_share_{row['cohort']}"),
        )
        for row in summary["loads"]["miners"]["cohorts"]
    )
    columns = (
        words("Machine"),
        Column("Break-even, low power", "USD/MWh"),
        Column("Break-even, full power", "USD/MWh"),
        Column("Low power runs", "% of the year"),
        Column("Full power runs", "% of the year"),
        Column("Share", "% of MW"),
        Column("Machines"),
        Column("At the machine", "J/TH"),
        Column("At the meter", "J/TH"),
        Column("Price", "USD a machine"),
        words("Source of share"),
    )
    note = (
        "The meter sees cooling and losses as well. Break-even is the price of power at which a MWh earns "
        "nothing, mean of the year's hashprice. Full power adds more power than hashes, so it earns less a "
        "MWh."
    )
    return Table(
        "table-machines",
        "The machines, and what power may cost them",
        columns,
        rows,
        note,
        sources=cited(summary, "asic_catalogue", "cooling", "luxos_modes", *_NETWORK),
    )


def _break_even_chart(summary: dict[str, Any]) -> Chart:
    cohorts = summary["loads"]["miners"]["cohorts"]
    tariff = as_number(summary["programme"]["tariff_usd_per_mwh"])
    places = list(range(len(cohorts)))
    kinds = (
        ("Low-power mode", "break_even_low_usd_per_mwh", BASE, "area"),
        ("What full power adds", "break_even_full_usd_per_mwh", "#56b4e9", "hatch"),
    )
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": places,
            "x": [as_number(row[key]) if row[key] is None else round(row[key], 2) for row in cohorts],
            "marker": {"color": colour, "pattern": {"shape": "" if style == "area" else "/"}},
            "hovertemplate": "%{x:,.1f} USD/MWh",
        }
        for name, key, colour, style in kinds
    ]
    keys = [Key(name, colour, style) for name, _, colour, style in kinds]
    if tariff is not None and cohorts:
        ends = [-0.5, len(cohorts) - 0.5]
        data.append(line_trace("Tariff", [round(tariff, 2)] * 2, ends, SECOND, "dash", "", 1))
        data[-1]["hoverinfo"] = "skip"
        data[-1].pop("hovertemplate")
        keys.append(Key(f"Tariff, {number(tariff, 1)}", SECOND, "dash"))
    layout = frame(
        "USD/MWh",
        "",
        barmode="group",
        hovermode="closest",
        xaxis={"tickformat": ",~r", "nticks": 7, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "tickvals": places,
            "ticktext": [label(row["model"]) for row in cohorts],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return Chart(
        "chart-break-even",
        "Highest price of power that each machine can pay",
        "USD/MWh, mean of the year",
        "Bars by machine for low-power mode and for what full power adds, with a line at the tariff; the "
        "table "
        "of machines holds the same numbers.",
        data,
        layout,
        tuple(keys),
        max(240, 62 * len(cohorts) + 80),
        note="A bar that ends left of the line does not run in a mean month.",
        sources=cited(summary, "asic_catalogue", "luxos_modes", *_NETWORK),
    )


def _hashprice_chart(summary: dict[str, Any]) -> Chart:
    network = summary["loads"]["network"]
    months = [MONTHS[row["month"] - 1] for row in network["months"]]
    data = [
        line_trace(
            name, months, rounded([row[key] for row in network["months"]], 3), colour, dash, "USD/PH/day", 2
        )
        for name, key, colour, dash in _HASHPRICES
    ]
    layout = frame("", "USD per PH/s and day", yaxis={"rangemode": "normal"})
    return Chart(
        "chart-hashprice",
        "Hashprice by month",
        "USD per PH/s and day",
        "Lines of the hashprice by month without the programme, with it, and with it if nobody else left; "
        "the table holds the same numbers.",
        data,
        layout,
        tuple(Key(name, colour, dash) for name, _, colour, dash in _HASHPRICES),
        note="The axis does not start at zero.",
        sources=cited(summary, *_NETWORK, *_WORLD),
    )


def _hashprice(summary: dict[str, Any]) -> Table:
    months = summary["loads"]["network"]["months"]
    own, left = (decimals_for((row[key] for row in months), 1, 2) for key in ("own_ehs", "others_left_ehs"))
    share = decimals_for((100.0 * row["share"] for row in months), 1, 2)
    rows = tuple(
        row_of(
            MONTHS[row["month"] - 1],
            *(number(row[key], 2) for _, key, _, _ in _HASHPRICES),
            number(row["own_ehs"], own),
            number(row["others_left_ehs"], left),
            number(row["network_ehs"], 1),
            percent(row["share"], share),
        )
        for row in months
    )
    columns = (
        words("Month"),
        *(Column(name, "USD/PH/day") for name, _, _, _ in _HASHPRICES),
        Column("Programme", "EH/s"),
        Column("Others that left", "EH/s"),
        Column("Network with all", "EH/s"),
        Column("Programme's share", "% of the network"),
    )
    return Table(
        "table-hashprice",
        f"Hashprice and hashrate by month, network of {summary['loads']['network']['year']}",
        columns,
        rows,
        sources=cited(summary, *_NETWORK, *_WORLD),
    )


def _own_effect(summary: dict[str, Any]) -> Table:
    found = summary["loads"]["own_effect"]
    cases = (
        ("If nobody else left", "without_response"),
        ("As others leave, central", "with_response"),
        ("As others leave, fewest", "with_least_response"),
        ("As others leave, most", "with_most_response"),
    )
    dash = number(None)
    rows = [row_of("Before", number(found["hashprice_usd_per_ph_day"], 2), dash, dash, dash, kind="group")]
    rows += [
        row_of(
            name,
            number(found[key]["hashprice_usd_per_ph_day"], 2),
            percent(found[key]["share"], 1),
            number(found[key].get("others_left_ehs", 0.0), 1),
            millions(found[key]["income_lost_usd_per_day"], 2),
        )
        for name, key in cases
    ]
    columns = (
        words("Case"),
        Column("Hashprice", "USD/PH/day"),
        Column("Fleet's share", "% of the network"),
        Column("Others that leave", "EH/s"),
        Column("Income it loses", "million USD a day"),
    )
    caption = (
        f"Own effect of {number(found['mw'])} MW at {number(found['efficiency_j_per_th'], 1)} J/TH "
        f"({number(found['own_ehs'], 1)} EH/s beside {number(found['network_ehs'], 1)}), {found['date']}"
    )
    note = "Power of the machines, cooling left out. The range is over what is assumed about the others."
    return Table(
        "table-own-effect",
        caption,
        columns,
        tuple(rows),
        note,
        sources=cited(summary, "mempool_snapshot", *_WORLD),
    )


def _investment(summary: dict[str, Any]) -> Table:
    cases = summary["loads"]["miners"]["investment"]
    found = [cases[name] for name in CASES if name in cases]
    decimals = millions_decimals(case["capital_usd"] for case in found)
    years = max((len(case["cash_usd"]) for case in found), default=0)

    def usd(amount: Any) -> str:
        return millions(amount, decimals)

    def cash(case: dict[str, Any], year: int) -> str:
        return usd(case["cash_usd"][year]) if year < len(case["cash_usd"]) else number(None)

    rows = [row_of("Machines and site", *(usd(case["capital_usd"]) for case in found), "million USD")]
    rows += [
        row_of(f"Cash in year {year + 1}", *(cash(case, year) for case in found), "million USD")
        for year in range(years)
    ]
    rows += [
        row_of("Resale at the end", *(usd(case["resale_usd"]) for case in found), "million USD"),
        row_of(
            "Net present value",
            *(_toned(case["net_present_usd"], decimals) for case in found),
            "million USD",
            kind="total",
        ),
        row_of(
            "Return",
            *(percent(case["internal_rate_share_per_year"], 1) for case in found),
            "% a year",
        ),
        row_of(
            "Paid back after",
            *(
                "never" if as_number(case["payback_years"]) is None else number(case["payback_years"], 1)
                for case in found
            ),
            "years",
        ),
    ]
    columns = (
        words("The investor in mining"),
        *(Column(CASES[name]) for name in CASES if name in cases),
        words("Unit"),
    )
    note = (
        "Low and high take every assumption at its end at once: outer bounds, not likely outcomes. "
        f"{_terms(summary)} A year in which the fleet cannot cover its costs counts as closed. A dash: sold "
        f"by then. {_resale(summary)}"
    ).strip()
    return Table(
        "table-investment",
        "What the investor in mining gets",
        columns,
        tuple(rows if found else ()),
        note,
        sources=cited(summary, "asic_catalogue", "site_georgia", "industry_costs", *_NETWORK),
    )


def _assumed(summary: dict[str, Any], parameter: str) -> dict[str, Any] | None:
    rows = summary["programme"]["assumptions"]
    return next((row for row in rows if row["parameter"] == parameter), None)


def _share_with_range(row: dict[str, Any]) -> str:
    """A share of one year and its range, such as "25.8% a year (17.7% to 39.8%)"."""
    ends = " to ".join(short_percent(row[end]) for end in ("low", "high"))
    return f"{short_percent(row['value'])} a year ({ends})"


def _terms(summary: dict[str, Any]) -> str:
    """What the investor reckons with, in a sentence."""
    fall = _assumed(summary, "mining_hashprice_decline_share_per_year")
    asked = _assumed(summary, "mining_discount_share_per_year")
    if fall is None or asked is None:
        return "Hashprice falls from year to year as assumed."
    return (
        f"Hashprice is taken to fall by {_share_with_range(fall)}; the return asked, at which the net "
        f"present value would be zero, is {_share_with_range(asked)}."
    )


def _resale(summary: dict[str, Any]) -> str:
    """Why resale is higher where all else is worse; empty where it is not."""
    cases = summary["loads"]["miners"]["investment"]
    site, life = (
        _assumed(summary, name) for name in ("mining_site_capex_usd_per_mw", "mining_machine_life_years")
    )
    if site is None or life is None or not {"low", "central"} <= set(cases):
        return ""
    if cases["low"]["resale_usd"] <= cases["central"]["resale_usd"]:
        return ""
    return (
        f"Resale is higher in the low case: it sells after {number(life['low'])} years, not "
        f"{number(life['value'])}, and from a dearer site ({number(site['high'])}, not "
        f"{number(site['value'])} USD/MW), of whose cost more is then left."
    )


def _toned(usd: Any, decimals: int) -> Cell:
    found = as_number(usd)
    text = signed(None if found is None else found / 1e6, decimals)
    return Cell(text, tone="" if found is None else "good" if found >= 0.0 else "bad")


def _inside(row: dict[str, Any]) -> bool:
    """Whether the published elasticity lies in the model's range."""
    return bool(row["low"] <= row["published"] <= row["high"])


def _within(row: dict[str, Any]) -> Cell:
    return Cell("yes", tone="good") if _inside(row) else Cell("no", tone="bad")


def _elasticity(summary: dict[str, Any]) -> Table:
    rows = tuple(
        row_of(
            f"{number(row['percentile'])}%",
            number(row["responding"], 2),
            number(row["published"], 2),
            _within(row),
            f"{number(row['low'], 2)} to {number(row['high'], 2)}",
            number(row["hashprice_usd_per_ph_day"], 1),
            number(row["all_hours"], 2),
            number(row["published_all_hours"], 2),
        )
        for row in summary["loads"]["elasticity"]
    )
    columns = (
        words("Hashprice at its percentile"),
        Column("Dear hours, model"),
        Column("Dear hours, published"),
        words("Published in range"),
        Column("Dear hours, range"),
        Column("Hashprice", "USD/PH/day"),
        Column("All hours, model"),
        Column("All hours, published"),
    )
    note = (
        "Elasticity: by how many percent miners' demand changes where the price of power rises by one "
        "percent. "
        "Dear hours are those in which the miners in Texas answered at all."
    )
    return Table(
        "table-elasticity",
        "Check: how miners in Texas answered to prices, model against published",
        columns,
        rows,
        note,
        sources=cited(summary, "texas_study", "ercot_monitor", "ercot_hours"),
    )
