"""From a country's year to the model of outages; stress years; years kept on disk; the document."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.country import Country, load_country
from penstock.country.capacity import net_capacity
from penstock.errors import BidError, InputError
from penstock.market.adequacy import BASE, BATCH, SYSTEM, ExtraLoad, OutageModel, Unit, assess
from penstock.market.adequacy.years import run_years
from penstock.programme import default_programme
from penstock.study.adequacy import LOAD, describe_adequacy, load_of, outage_model, year_of_outages
from penstock.study.adequacy import assess as assess_years
from penstock.study.prepared import Prepared, prepare
from penstock.study.stress import stress_name, stressed
from tests.country.toy import Tables, toy_tables, write_tables
from tests.market.adequacy.models import extra

YEARS = 3 * BATCH


def row(**cells: str) -> dict[str, str]:
    shared = {"name": "Hard", "first_month": "1", "last_month": "12", "low": "0.5", "high": "1.5"}
    return {"stress": "hard", **shared, "basis": "assumption", "source": "guess", **cells}


STRESS = [
    row(what="demand", factor="1.1", first_month="6", last_month="8"),
    row(what="generation", fuel="hydro", factor="0.8"),
    row(what="generation", fuel="wind", factor="0.5", first_month="2", last_month="2"),
    row(what="generation", fuel="coal", factor="0.5", stress="dispatched", name="No coal"),
]


def toy_of(folder: Path, **changed: Any) -> Country:
    tables: Tables = toy_tables() | {"contracts": [], "stress_years": STRESS} | changed
    write_tables(folder / "toyland", tables)
    return load_country(folder / "toyland")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(toy_of(tmp_path_factory.mktemp("adequacy")))


@pytest.fixture(scope="module")
def pakistan() -> Prepared:
    return prepare(load_country("pakistan"))


def hard(model: OutageModel) -> OutageModel:
    """The same with twice the demand, so that a short run sees shortages."""
    return OutageModel(model.zones, 2.0 * model.demand, model.steady, model.units, model.links)


def mean_supply(model: OutageModel) -> Any:
    """What is up on average, shape (hours, zones). [MW]"""
    supply = np.array(model.steady)
    for unit in model.units:
        supply[:, model.zones.index(unit.zone)] += np.asarray(unit.capacity) * (1.0 - unit.outage_rate)
    return supply


def available_by_zone(prepared: Prepared) -> Any:
    supply = np.zeros_like(prepared.hours.demand)
    for index, plant in enumerate(prepared.country.table("plants")):
        supply[:, prepared.country.zones.index(plant["zone"])] += prepared.hours.available[:, index]
    return supply


# --- the model -------------------------------------------------------------------------------------------


def test_units_of_the_toy_by_hand(toy: Prepared) -> None:
    """Coal: 600 MW x 0.92 in two, x 0.92 for planned outages; down 0.06 / 0.92 of the time for 100 h."""
    model = outage_model(toy)
    assert [unit.name for unit in model.units] == [
        *("COAL1 1", "COAL1 2"),
        *(f"GAS1 {n}" for n in range(1, 5)),
        *(f"HYDRO1 {n}" for n in range(1, 4)),
    ]
    coal = model.units[0]
    assert (coal.zone, coal.repair_hours) == ("SOUTH", 100.0)
    assert coal.outage_rate == pytest.approx(0.06 / 0.92)
    assert coal.capacity == pytest.approx(np.full(8760, 600 * 0.92 * 0.92 / 2))
    wind_and_sun = toy.hours.available[:, 3:].sum(axis=1)
    assert model.steady == pytest.approx(np.stack([np.zeros(8760), wind_and_sun], axis=1))
    assert np.array_equal(model.demand, toy.hours.demand)
    assert [(link.name, link.loss) for link in model.links] == [("NS", 0.02)]
    assert np.asarray(model.links[0].forward_limit)[toy.hours.month == 7] == pytest.approx(200.0)


def test_mean_of_the_units_is_what_the_market_year_stands_at(toy: Prepared, pakistan: Prepared) -> None:
    """Hour by hour and zone by zone. Only nuclear, whose month may run beyond (1 - q) of its capacity, has
    less: it cannot give more than its net capacity while it is up."""
    assert mean_supply(outage_model(toy)) == pytest.approx(available_by_zone(toy))
    country, available = pakistan.country, pakistan.hours.available
    lost = np.zeros_like(pakistan.hours.demand)
    net = net_capacity(country)
    for index, plant in enumerate(country.table("plants")):
        rate = country.table("technologies").where(
            technology=plant["technology"], attribute="sampled_outage_rate"
        )
        if len(rate):
            most = net[index] * (1.0 - rate.rows[0]["value"])
            beyond = np.maximum(available[:, index] - most, 0.0)
            lost[:, country.zones.index(plant["zone"])] += beyond
    assert mean_supply(outage_model(pakistan)) == pytest.approx(available_by_zone(pakistan) - lost)
    assert 0.0 <= lost.sum() < 0.02 * available.sum()


def test_units_of_pakistan_are_as_large_as_the_table_says(pakistan: Prepared) -> None:
    model = outage_model(pakistan)
    size = {plant["plant"]: plant["installed_mw"] for plant in pakistan.country.table("plants")}
    count = {name: sum(unit.name.rsplit(" ", 1)[0] == name for unit in model.units) for name in size}
    most = {
        row["technology"]: row["value"]
        for row in pakistan.country.table("technologies").where(attribute="unit_mw")
    }
    for plant in pakistan.country.table("plants"):
        parts = count[plant["plant"]]
        if parts:
            assert size[plant["plant"]] / parts <= most[plant["technology"]] + 1e-6
            assert parts == 1 or size[plant["plant"]] / (parts - 1) > most[plant["technology"]]
    assert {unit.zone for unit in model.units} == set(pakistan.country.home_zones)


def test_what_sampling_lacks_is_named_by_technology_all_at_once(tmp_path: Path) -> None:
    rows = [
        facts
        for facts in toy_tables()["technologies"]
        if (facts["technology"], facts["attribute"])
        not in {("steam", "mean_time_to_repair_h"), ("combined_cycle", "unit_mw")}
    ]
    next(r for r in rows if r["technology"] == "river" and r["attribute"] == "unit_mw")["value"] = "0.5"
    with pytest.raises(InputError) as caught:
        outage_model(prepare(toy_of(tmp_path, technologies=rows)))
    assert [(fault.place, fault.column, fault.value) for fault in caught.value.faults] == [
        ("technologies.csv", "attribute", None),
        ("technologies.csv", "attribute", None),
        ("technologies.csv", "value", "0.5"),
    ]
    for words in (
        "technology steam fails (0.06 of the time) and has no mean_time_to_repair_h [h]",
        "combined_cycle",
        "river",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("technology", "attribute", "value", "problem"),
    [
        ("steam", "forced_outage_rate", "1.2", "forced_outage_rate is above the maximum of 1"),
        ("steam", "forced_outage_rate", "-0.1", "at least 0|below the minimum"),
        ("steam", "forced_outage_rate", "0.92", "outage_rate: must lie in"),
        ("steam", "mean_time_to_repair_h", "0", "mean_time_to_repair_h must be at least 1 h"),
        ("turbine", "sampled_outage_rate", "1", "turbine: sampled_outage_rate must be below 1"),
    ],
)
def test_rates_and_repair_times_that_cannot_be(
    tmp_path: Path, technology: str, attribute: str, value: str, problem: str
) -> None:
    rows = toy_tables()["technologies"]
    given = {"technology": technology, "attribute": attribute}
    row = next((row for row in rows if given.items() <= row.items()), None)
    if row is None:
        rows.append(row := rows[0] | given)
    row["value"] = value
    with pytest.raises(InputError, match=problem):
        outage_model(prepare(toy_of(tmp_path, technologies=rows)))


def test_loads_are_firm_or_cut_first() -> None:
    taken = np.array([[1.0, 2.0]])
    firm, soft = load_of(taken, firm=True), load_of(taken, firm=False)
    assert np.array_equal(firm.firm, taken)
    assert not firm.interruptible.any()
    assert np.array_equal(soft.interruptible, taken)
    assert not soft.firm.any()


# --- stress years ----------------------------------------------------------------------------------------


def test_a_stress_year_multiplies_what_its_rows_name(toy: Prepared) -> None:
    hours = toy.hours
    before = {
        name: np.array(getattr(hours, name)) for name in ("demand", "available", "minimum", "hydro_energy")
    }
    found = stressed(toy, "hard")
    summer, february = (hours.month >= 6) & (hours.month <= 8), hours.month == 2
    assert found.hours.demand[summer] == pytest.approx(1.1 * hours.demand[summer])
    assert np.array_equal(found.hours.demand[~summer], hours.demand[~summer])
    wind = toy.country.table("plants").column("plant").index("WIND1")
    assert found.hours.available[february, wind] == pytest.approx(0.5 * hours.available[february, wind])
    assert found.hours.minimum[february, wind] == pytest.approx(0.5 * hours.minimum[february, wind])
    assert np.array_equal(found.hours.available[~february, wind], hours.available[~february, wind])
    hydro = toy.country.table("plants").column("plant").index("HYDRO1")
    assert found.hours.hydro_energy[:, hydro] == pytest.approx(0.8 * hours.hydro_energy[:, hydro])
    assert np.array_equal(found.hours.available[:, hydro], hours.available[:, hydro]), (
        "a reservoir's capacity"
    )
    rest = [n for n in range(5) if n not in (wind, hydro)]
    assert np.array_equal(found.hours.available[:, rest], hours.available[:, rest])
    assert np.array_equal(found.system.demand, found.hours.demand)
    for name, values in before.items():
        assert np.array_equal(getattr(toy.hours, name), values), "the year itself is untouched"
    assert stress_name(toy, "hard") == "Hard"


def test_a_stress_year_that_is_not_there_or_names_a_dispatched_fuel(toy: Prepared) -> None:
    with pytest.raises(InputError, match="is no stress year of Toyland; there are: hard, dispatched"):
        stressed(toy, "nope")
    with pytest.raises(InputError, match="the market dispatches this fuel"):
        stressed(toy, "dispatched")


def test_stress_years_of_pakistan(pakistan: Prepared) -> None:
    home = np.array([zone in pakistan.country.home_zones for zone in pakistan.country.zones])
    summer = (pakistan.hours.month >= 5) & (pakistan.hours.month <= 8)
    hot, dry = stressed(pakistan, "hot"), stressed(pakistan, "hydro_dry")
    assert hot.hours.demand[np.ix_(summer, home)] == pytest.approx(
        1.05 * pakistan.hours.demand[np.ix_(summer, home)]
    )
    assert np.array_equal(hot.hours.demand[~summer], pakistan.hours.demand[~summer])
    assert dry.hours.hydro_energy == pytest.approx(0.9 * pakistan.hours.hydro_energy)
    both = stressed(pakistan, "dry_and_hot")
    assert np.array_equal(both.hours.demand, hot.hours.demand)
    assert np.array_equal(both.hours.available, dry.hours.available)


# --- years kept on disk ----------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The years that are drawn, in place of those found."""
    numbers: list[int] = []

    def counted(arrays: Any, seed: int, years: Any) -> Any:
        numbers.extend(years.tolist())
        return run_years(arrays, seed, years)

    monkeypatch.setattr(assess, "run_years", counted)
    return numbers


def small() -> OutageModel:
    demand = np.full((200, 1), 19.0)
    units = tuple(Unit(f"{n}", "A", 10.0, 0.1, 20.0) for n in range(3))
    return OutageModel(("A",), demand, np.zeros_like(demand), units)


def test_kept_years_are_not_drawn_again(tmp_path: Path, drawn: list[int]) -> None:
    model, cases = small(), {"load": extra(small(), firm=2.0)}
    first = assess_years(model, cases, years=YEARS, checkpoint=tmp_path / "deep" / "kept")
    assert sorted(drawn) == list(range(YEARS))
    drawn.clear()
    again = assess_years(model, cases, years=YEARS, checkpoint=tmp_path / "deep" / "kept")
    assert drawn == []
    assert np.array_equal(first.years, again.years)
    assert np.array_equal(first.years, assess_years(model, cases, years=YEARS).years)


def test_a_checkpoint_of_another_study_is_refused(tmp_path: Path, drawn: list[int]) -> None:
    """Another demand, seed, load or its name; the years that are there stay."""
    model = small()
    load = extra(model, firm=2.0)
    assess_years(model, {"load": load}, years=BATCH, checkpoint=tmp_path)
    other = OutageModel(model.zones, model.demand + 1.0, model.steady, model.units)
    for given_model, cases, seed in (
        (other, {"load": load}, 1),
        (model, {"load": load}, 2),
        (model, {"load": extra(model, firm=3.0)}, 1),
        (model, {"load": ExtraLoad(load.interruptible, load.firm)}, 1),
        (model, {"other": load}, 1),
        (model, {}, 1),
    ):
        with pytest.raises(InputError, match="checkpoint: holds the years of another study"):
            assess_years(given_model, cases, years=BATCH, seed=seed, checkpoint=tmp_path)
    drawn.clear()
    assess_years(model, {"load": load}, years=BATCH, checkpoint=tmp_path)
    assert drawn == []


def test_a_folder_of_other_things_is_no_checkpoint(tmp_path: Path) -> None:
    """What a killed run left half written does not count."""
    (tmp_path / "left.part").touch()
    assess_years(small(), {}, years=1, checkpoint=tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").touch()
    with pytest.raises(InputError, match="is no checkpoint and not empty"):
        assess_years(small(), {}, years=1, checkpoint=other)
    assert [file.name for file in other.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("damage", ["empty", "cut", "one bit", "text"])
def test_a_damaged_batch_is_drawn_again(tmp_path: Path, drawn: list[int], damage: str) -> None:
    model = small()
    first = assess_years(model, {}, years=YEARS, checkpoint=tmp_path)
    file = sorted(tmp_path.rglob("batch-*"))[1]
    data = file.read_bytes()
    changed = data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]
    damaged = {"empty": b"", "cut": data[:-8], "one bit": changed, "text": b"PK\x03\x04 not a batch"}
    file.write_bytes(damaged[damage])
    drawn.clear()
    again = assess_years(model, {}, years=YEARS, checkpoint=tmp_path)
    assert sorted(drawn) == list(range(BATCH, 2 * BATCH))
    assert np.array_equal(first.years, again.years)
    assert len(list(tmp_path.rglob("*"))) == 1 + YEARS // BATCH, "nothing half written stays"


def test_a_checkpoint_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputError, match="checkpoint: cannot be made") as caught:
        assess_years(small(), {}, years=1, checkpoint=file / "deeper")
    assert str(file) in str(caught.value)
    assess_years(small(), {}, years=1, checkpoint=tmp_path / "kept")
    (tmp_path / "kept" / "batch-000001.years").mkdir()
    with pytest.raises(InputError, match="checkpoint: cannot be written"):
        assess_years(small(), {}, years=2 * BATCH, checkpoint=tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*.part"))


# --- a programme, and the document -----------------------------------------------------------------------


def test_a_programme_is_demand_or_is_cut_first(toy: Prepared) -> None:
    """What it takes in the cleared year; people miss more where it is firm, and no more where it is cut."""
    for firm in (True, False):
        programme = default_programme(toy.country, firm=firm)
        found = year_of_outages(toy, programme, years=20)
        change = found.years[:, 1] - found.years[:, 0]
        assert (found.years[:, 1, -1, 3].sum() == 0.0) == firm
        assert change[:, -1, 1].sum() > 0.0 if firm else not change[..., :2].any()


def test_the_document_is_plain_and_says_what_it_is(toy: Prepared) -> None:
    programme = default_programme(toy.country, mw=200.0, firm=True)
    found = year_of_outages(toy, programme, years=10, seed=4)
    document = json.loads(json.dumps(describe_adequacy(toy, programme, found, "hard"), allow_nan=False))
    assert document["country"]["id"] == toy.country.id
    assert document["stress"] == {"key": "hard", "name": "Hard"}
    assert (document["mw"], document["firm"], document["years"], document["seed"]) == (200.0, True, 10, 4)
    for case, given in (
        ("base", found.case(BASE)),
        ("programme", found.case(LOAD)),
        ("change", found.change(LOAD)),
    ):
        assert list(document[case]) == ["NORTH", "SOUTH", SYSTEM]
        for zone, figures in document[case].items():
            for key in ("lole_h", "eue_mwh", "cut_h", "cut_mwh"):
                estimate = getattr(given, key)[zone]
                assert figures[key] == {"value": estimate.value, "standard_error": estimate.standard_error}


def test_one_year_has_no_standard_error_in_the_document(toy: Prepared) -> None:
    programme = default_programme(toy.country)
    document = describe_adequacy(toy, programme, year_of_outages(toy, programme, years=1), None)
    json.dumps(document, allow_nan=False)
    assert document["stress"] is None
    assert document["base"][SYSTEM]["lole_h"]["standard_error"] is None


def test_where_nothing_was_seen_the_document_gives_the_bound(toy: Prepared) -> None:
    easy = assess_years(
        OutageModel(
            toy.country.zones, 0.0 * toy.hours.demand, outage_model(toy).steady, outage_model(toy).units
        ),
        {LOAD: load_of(np.zeros_like(toy.hours.demand), firm=True)},
        years=60,
    )
    document = describe_adequacy(toy, default_programme(toy.country), easy, None)
    assert document["base"][SYSTEM]["eue_mwh"]["value"] == 0.0
    assert math.isclose(document["never_seen"], 3.0 / 60)


def test_a_seed_out_of_range_is_refused(toy: Prepared) -> None:
    with pytest.raises(BidError, match="seed"):
        assess_years(hard(outage_model(toy)), {}, years=1, seed=-1)
