"""External zones: their one plant must be able to serve, and be spared by, all that can cross the border."""

from __future__ import annotations

from penstock.country.country import Country, FloatArray
from penstock.errors import Fault

__all__ = ["check_external"]


def check_external(country: Country, demand: FloatArray, available: FloatArray, faults: list[Fault]) -> None:
    """Adds a fault for every external zone whose price would not hold whatever the country does.

    demand: shape (hours, zones); available: shape (hours, plants). [MW]

    The zone's demand must be at least what can be sent to it, and its plant's availability at least that
    demand and what can be sent from it: then one and the same plant sets its price in every hour.
    """
    zones = country.table("zones")
    for place, zone in enumerate(zones):
        if not zone["external"]:
            continue
        sent, received = (_limit(country, zone["zone"], leaving=leaving) for leaving in (True, False))
        plants = [n for n, row in enumerate(country.table("plants")) if row["zone"] == zone["zone"]]
        given = available[:, plants].sum(axis=1)
        for short, what, mend in (
            (
                received - demand[:, place],
                "its demand is below what its corridors can bring",
                "raise generation_gwh of its pool",
            ),
            (
                demand[:, place] + sent - given,
                "its plant cannot give its demand and all that its corridors can take away",
                "raise the plant's installed_mw",
            ),
        ):
            if short.max() > 1e-9:
                problem = f"external zone {zone['zone']}: {what}, by up to {short.max():.3f} MW"
                faults.append(Fault("zones.csv", problem, mend, column="external", value="yes"))


def _limit(country: Country, zone: str, *, leaving: bool) -> float:
    """Most that all corridors together can take out of a zone, or bring to it. [MW]"""
    total = 0.0
    for row in country.table("corridors"):
        if zone not in (row["from_zone"], row["to_zone"]):
            continue
        if leaving == (row["from_zone"] == zone):
            months = country.table("corridor_months").where(corridor=row["corridor"])
            total += max(row["forward_mw"], *months.column("forward_mw"), 0.0)
        else:
            total += row["backward_mw"]
    return total
