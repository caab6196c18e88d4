"""Years that several tests try loads on: the toy under two policies, and Pakistan's."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.country import load_country
from penstock.programme import Programme, default_programme
from penstock.proof.tariff import TariffProof, prove_tariff
from penstock.proof.trials import Trials, make_trials
from penstock.study.policies import load_policy
from penstock.study.prepared import Prepared, prepare

from .toyland import DAY, toy_trials, write_toyland


@pytest.fixture(scope="session")
def toyland(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toyland(tmp_path_factory.mktemp("proof") / "toyland")


@pytest.fixture(scope="session")
def toy(toyland: Path) -> Trials:
    return toy_trials(toyland)


@pytest.fixture(scope="session")
def strict_toy(toyland: Path) -> Trials:
    """The programme must pay 4 XTC/kWh more than it causes: no tariff up to the highest does."""
    return toy_trials(toyland, most=-4.0)


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    return prepare(load_country("pakistan"))


@pytest.fixture(scope="session")
def trials(prepared: Prepared) -> Trials:
    return make_trials(prepared, load_policy("pakistan"), DAY)


@pytest.fixture(scope="session")
def programme(prepared: Prepared) -> Programme:
    return default_programme(prepared.country)


@pytest.fixture(scope="session")
def proof(trials: Trials, programme: Programme) -> TariffProof:
    return prove_tariff(trials, programme)
