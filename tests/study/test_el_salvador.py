"""El Salvador's year 2024 beside what was published."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.study import Study, run
from tests.summary import validate_summary

pytestmark = pytest.mark.xdist_group("el-salvador")


@pytest.fixture(scope="module")
def study() -> Study:
    return run("el_salvador")


def test_summary_follows_its_schema(study: Study) -> None:
    validate_summary(study.summary)


def test_published_figures_are_within_their_limits(study: Study) -> None:
    """Energy within 1 %, peak within 2 %, months' price within 20 %, generation by source within 10 %."""
    rows: list[dict[str, Any]] = study.summary["validation"]["figures"]
    judged = [row for row in rows if row["limit"] is not None and not row["input"]]
    assert judged
    missed = {row["figure"]: (row["model"], row["published"]) for row in judged if row["within"] is not True}
    # Oil, which the market decides beside LNG and trade, is an eighth low: docs/validation.md says why.
    assert set(missed) == {"generation_oil"}
    model, published = missed["generation_oil"]
    assert abs(model / published - 1.0) < 0.13


def test_the_regional_market_is_no_part_of_the_country(study: Study) -> None:
    assert len(study.country.home_zones) < len(study.country.zones)
    assert set(study.summary["base"]["price_usd_per_mwh_by_zone"]) == set(study.country.home_zones)
