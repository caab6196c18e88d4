"""The catalogue of machines, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bitcoin import machines
from penstock.bitcoin.machines import Machine, load_machines, read_machines
from penstock.errors import BitcoinError, TableError

TABLES = Path(machines.__file__).parent / "tables"


def toy(**changes: object) -> Machine:
    values: dict[str, object] = {
        "id": "toy",
        "model": "Toy",
        "maker": "Nobody",
        "release_year": 2025,
        "hashrate_ths": 100.0,
        "power_w": 2000.0,
        "efficiency_j_per_th": 20.0,
        "cooling": "air",
        "status": "current",
        "segment": "industrial",
        "price_usd": None,
        "price_basis": "new",
    }
    return Machine(**values | changes)  # type: ignore[arg-type]


def test_the_catalogue_has_ninety_machines() -> None:
    assert len(load_machines()) == 90
    assert all(key == machine.id for key, machine in load_machines().items())
    kinds = [(m.status, m.segment) for m in load_machines().values()]
    assert [sum(s == status for s, _ in kinds) for status in ("current", "legacy", "announced")] == [
        44,
        40,
        6,
    ]
    assert sum(segment == "home" for _, segment in kinds) == 8


@pytest.mark.parametrize("machine", load_machines().values(), ids=lambda machine: machine.id)
def test_ratings_agree_within_three_per_cent(machine: Machine) -> None:
    off = machine.power_w / machine.hashrate_ths / machine.efficiency_j_per_th - 1
    assert abs(off) <= 0.03
    assert machine.power_per_hashrate_j_per_th == pytest.approx(machine.power_w / machine.hashrate_ths)
    assert 2017 <= machine.release_year <= 2026


def test_a_known_machine() -> None:
    s9 = load_machines()["s9"]
    assert (s9.model, s9.maker, s9.release_year) == ("Antminer S9", "Bitmain", 2017)
    assert (s9.hashrate_ths, s9.power_w, s9.efficiency_j_per_th) == (13.5, 1323, 98)
    assert (s9.cooling, s9.status, s9.price_usd, s9.price_basis) == ("air", "legacy", 100, "used")


def test_a_contradiction_names_all_ratings_and_the_limit() -> None:
    with pytest.raises(BitcoinError) as refused:
        toy(power_w=2100.0)
    message = str(refused.value)
    for part in ("machine toy", "2100 W", "100 TH/s", "21 J/TH", "5.0% off", "rated 20 J/TH", "3%", "Mend"):
        assert part in message


@given(st.floats(1, 1000), st.floats(5, 200), st.floats(-0.1, 0.1))
def test_three_per_cent_is_the_limit(hashrate: float, efficiency: float, off: float) -> None:
    if abs(abs(off) - 0.03) < 1e-9:
        return
    power = hashrate * efficiency * (1 + off)
    if abs(off) < 0.03:
        assert toy(hashrate_ths=hashrate, efficiency_j_per_th=efficiency, power_w=power).power_w == power
    else:
        with pytest.raises(BitcoinError, match="limit is 3%"):
            toy(hashrate_ths=hashrate, efficiency_j_per_th=efficiency, power_w=power)


@pytest.mark.parametrize("field", ["hashrate_ths", "power_w", "efficiency_j_per_th"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_ratings_are_above_zero(field: str, value: float) -> None:
    with pytest.raises(BitcoinError, match=f"machine toy, column {field}: must be above 0"):
        toy(**{field: value})


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(BitcoinError) as refused:
        toy(hashrate_ths=0.0, power_w=-5.0, price_usd=-1.0)
    assert [fault.column for fault in refused.value.faults] == ["hashrate_ths", "power_w", "price_usd"]


def test_a_machine_is_frozen_and_checked_when_replaced() -> None:
    with pytest.raises(BitcoinError, match="off the rated"):
        replace(toy(), efficiency_j_per_th=15.0)
    with pytest.raises(AttributeError):
        toy().power_w = 1.0  # type: ignore[misc]


def test_a_changed_table_is_refused_by_row(tmp_path: Path) -> None:
    folder = shutil.copytree(TABLES, tmp_path / "tables")
    file = folder / "machines.csv"
    text = file.read_text("utf-8")
    file.write_text(
        text.replace(",13.5,1323,98,", ",13.5,1500,98,").replace(",580,5510,9.5,", ",580,5510,12,")
    )
    with pytest.raises(BitcoinError) as refused:
        read_machines(folder)
    assert [fault.place for fault in refused.value.faults] == ["machine s23-hyd", "machine s9"]
    file.write_text(text.replace(",air,", ",water,", 1))
    with pytest.raises(TableError, match=r"machines\.csv, row \d+, column cooling"):
        read_machines(folder)
