"""Treasury policies as data: what a public body does with bitcoin, month by month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from penstock.country import Parameter, Table
from penstock.country.packaged import parameters_of, read_packaged
from penstock.errors import Fault, ReserveError

__all__ = ["RULES", "Rule", "TreasuryPolicy", "packaged_policies", "reserve_parameter", "reserve_tables"]

Rule = Literal["none", "receive", "receive_and_sell", "coins_a_day", "sum_a_month", "debt", "band"]
#: Rules in the order in which the compiled part numbers them.
RULES: tuple[Rule, ...] = get_args(Rule)
_FOLDER = Path(__file__).parent / "tables"


@dataclass(frozen=True, slots=True)
class TreasuryPolicy:
    """What a public body does with bitcoin.

    rule, amount: "receive" and "receive_and_sell" take `amount` of the income as coins [1], the second sells
        each month what the month's costs need; "coins_a_day" buys so many [BTC/day], "sum_a_month" for so
        much [USD/month]; "debt" borrows so much on the first day [USD]; "band" keeps the coins near that
        share of the foreign exchange reserves [1], and trades where they leave half to one and a half of it.
    cap_share: no purchase takes the coins above this share of the reserves [1]; None for no cap.
    payout_share: of the gain since the last payout that is sold and paid out at the end of each year. [1]
    own_share: own money put in beside the debt, over the debt. [1]
    coupon: of debt, paid each month [1/year]. maturity_years: after which it is repaid.
    ltv_limit: debt over worth of the coins above which coins are sold to get back to it [1]; None for none.

    Raises ReserveError with every number outside its limits.
    """

    key: str
    name: str
    rule: Rule
    amount: float
    cap_share: float | None = None
    payout_share: float = 0.0
    own_share: float = 0.0
    coupon: float = 0.0
    maturity_years: int = 0
    ltv_limit: float | None = None

    def __post_init__(self) -> None:
        limits: dict[str, tuple[float, float]] = {
            "amount": (0.0, 1.0 if self.rule in ("receive", "receive_and_sell", "band") else math.inf),
            "cap_share": (0.0, 1.0),
            "payout_share": (0.0, 1.0),
            "own_share": (0.0, 10.0),
            "coupon": (0.0, 1.0),
            "maturity_years": (1.0 if self.rule == "debt" else 0.0, 50.0),
            "ltv_limit": (0.0, 0.999),
        }
        faults = []
        if self.rule not in RULES:
            faults.append(
                Fault(f"policy {self.key}", "has an unknown rule", f"use one of {', '.join(RULES)}")
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in limits or value is None:
                continue
            low, high = limits[field.name]
            if not (math.isfinite(value) and low <= value <= high):
                problem = f"must be a finite number of {low:g} to {high:g}"
                place = f"policy {self.key}"
                faults.append(Fault(place, problem, "correct it", column=field.name, value=f"{value:g}"))
        if faults:
            raise ReserveError(faults)


@cache
def reserve_tables() -> Mapping[str, Table]:
    """The tables of this room by name, read once."""
    return read_packaged(_FOLDER)


def reserve_parameter(name: str) -> Parameter:
    """A single value of this room's tables."""
    return parameters_of(reserve_tables()["parameters"])[name]


@cache
def packaged_policies() -> Mapping[str, TreasuryPolicy]:
    """The policies that ship with Penstock, by key, in the order of the table."""
    return MappingProxyType(
        {
            row["policy"]: TreasuryPolicy(
                key=row["policy"],
                name=row["name"],
                rule=row["rule"],
                amount=row["amount"],
                cap_share=row["cap_share"],
                payout_share=row["payout_share"],
                own_share=row["own_share"] or 0.0,
                coupon=row["coupon"] or 0.0,
                maturity_years=row["maturity_years"] or 0,
                ltv_limit=row["ltv_limit"],
            )
            for row in reserve_tables()["policies"]
        }
    )
