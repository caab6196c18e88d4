"""Studies that several tests read: Pakistan's year, and the toy's under a few programmes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from penstock.bitcoin.history import YearOfNetwork, monthly
from penstock.country import Country, load_country
from penstock.programme import default_programme
from penstock.study import Study, run
from tests.country.toy import toy_tables, write_tables

ToyRun = Callable[..., Study]


def dearer_network(factor: float) -> YearOfNetwork:
    """The network of 2025 had a bitcoin been worth more by that factor: the same machines earn more."""
    months = monthly(2025)
    return replace(
        months,
        revenue_usd_per_day=months.revenue_usd_per_day * factor,
        hashprice_usd_per_ph_day=months.hashprice_usd_per_ph_day * factor,
    )


@pytest.fixture(scope="session")
def pakistan_study() -> Study:
    return run("pakistan")


@pytest.fixture(scope="session")
def toy_country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """The toy without contracts, so that a study is two clearings."""
    folder = tmp_path_factory.mktemp("study") / "toyland"
    write_tables(folder, toy_tables() | {"contracts": []})
    return load_country(folder)


@pytest.fixture(scope="session")
def toy_run(toy_country: Country) -> ToyRun:
    """A study of the toy with what is given in place of its programme; each programme is run once."""

    @cache
    def study(
        mw: float = 100.0,
        mining_share: float = 0.5,
        tariff_per_kwh: float = 6.0,
        firm: bool = False,
        hashprice_factor: float = 1.0,
    ) -> Study:
        programme = default_programme(
            toy_country, mw=mw, mining_share=mining_share, tariff_per_kwh=tariff_per_kwh, firm=firm
        )
        network = None if hashprice_factor == 1.0 else dearer_network(hashprice_factor)
        return run(toy_country, programme, network=network)

    return study
