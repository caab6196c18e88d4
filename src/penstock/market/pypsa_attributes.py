"""What of a PyPSA network is carried over, what cannot matter to the dispatch, and that all else is refused.

Every input attribute that PyPSA's own tables list for a component is in exactly one of these classes:
carried; irrelevant to a dispatch with given capacities; read by PyPSA only where a switch is on, and the
switch itself is refused; refused where it differs from its default. An attribute that a later PyPSA adds is
in none of the lists, so it falls into the last class: it is refused by name, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from penstock.errors import Fault

__all__ = ["refusals"]

_INVESTMENT = ("capital_cost", "overnight_cost", "discount_rate", "fom_cost", "build_year", "lifetime")
_LABELS = ("name", "type", "carrier", "control", "q_set", "weight")

#: Components that no dispatch with given capacities depends on; `Carrier` apart from its growth limits.
_BYSTANDERS = {"Carrier", "LineType", "TransformerType", "ShuntImpedance", "Shape", "SubNetwork", "Bus"}

#: Attributes that become part of the system, or are checked one by one where that happens.
_CARRIED: dict[str, tuple[str, ...]] = {
    "Generator": (
        *("bus", "p_nom", "p_min_pu", "p_max_pu", "e_sum_min", "e_sum_max"),
        *("sign", "marginal_cost", "active"),
    ),
    "Load": ("bus", "p_set", "sign", "active"),
    "Line": ("bus0", "bus1", "type", "x", "r", "s_nom", "s_max_pu", "length", "num_parallel", "active"),
    "Transformer": (
        *("bus0", "bus1", "type", "model", "x", "r", "g", "b", "s_nom", "s_max_pu", "num_parallel"),
        *("tap_ratio", "tap_side", "tap_position", "active"),
    ),
    "Link": ("bus0", "bus1", "efficiency", "p_nom", "p_min_pu", "p_max_pu", "marginal_cost", "active"),
    "StorageUnit": (
        *("bus", "p_nom", "p_min_pu", "p_max_pu", "marginal_cost", "state_of_charge_initial"),
        *("cyclic_state_of_charge", "max_hours", "efficiency_store", "efficiency_dispatch", "inflow"),
        "active",
    ),
    "Store": ("bus", "e_nom", "e_max_pu", "e_initial", "e_cyclic", "active"),
}

#: Attributes that PyPSA does not read in a dispatch with given capacities and no ramp limits.
_IRRELEVANT: dict[str, tuple[str, ...]] = {
    "Generator": (*_LABELS, *_INVESTMENT, "p_init", "efficiency"),
    "Load": _LABELS,
    "Line": (*_LABELS, *_INVESTMENT, "g", "b", "terrain_factor", "v_ang_min"),
    "Transformer": (*_LABELS, *_INVESTMENT, "v_ang_min"),
    "Link": (*_LABELS, *_INVESTMENT, "p_init", "length", "terrain_factor", "cyclic_delay"),
    "StorageUnit": (*_LABELS, *_INVESTMENT),
    "Store": (*_LABELS, *_INVESTMENT),
}

#: Switches that are refused where they are on, and what PyPSA reads only then.
_SWITCHED: dict[str, tuple[str, ...]] = {
    "p_nom_extendable": ("p_nom_mod", "p_nom_min", "p_nom_max", "p_nom_set"),
    "e_nom_extendable": ("e_nom_mod", "e_nom_min", "e_nom_max", "e_nom_set"),
    "s_nom_extendable": ("s_nom_mod", "s_nom_min", "s_nom_max", "s_nom_set"),
    "committable": (
        *("start_up_cost", "shut_down_cost", "stand_by_cost", "min_up_time", "min_down_time"),
        *("up_time_before", "down_time_before", "ramp_limit_start_up", "ramp_limit_shut_down"),
    ),
    "maintainable": ("maintenance_duration", "maintenance_pu", "maintenance_events"),
}
_PARENT = {attribute: switch for switch, attributes in _SWITCHED.items() for attribute in attributes}

#: Why an attribute is refused, and what to do about it, where more can be said than that it is unknown.
_REASONS: tuple[tuple[str, str, str], ...] = (
    (r"._nom_extendable|._nom_.*", "capacity expansion is not cleared", "fix the capacity"),
    (r"committable|start_up.*|shut_down.*|stand_by.*|min_.*_time|.*_time_before|ramp_limit_(start|shut).*",
     "unit commitment needs whole numbers, and the market is a linear programme", "set committable to False"),
    (r"maint.*", "maintenance is not scheduled", "put the outage into p_max_pu"),
    (r"ramp_limit_.*", "ramp limits are not modelled", "leave it out"),
    (r".*quadratic", "costs are linear", "use marginal_cost"),
    (r".*_set", "fixed set points are not modelled", "set the limits in p_min_pu and p_max_pu instead"),
    (r"standing_loss", "stores keep what they hold", "leave it out"),
    (r"delay.*", "energy arrives in the hour that it is sent", "leave it out"),
    (r"phase_shift.*", "phase shifts are not modelled", "leave it out"),
    (r"v_ang_max", "limits on voltage angles are not modelled", "lower s_max_pu instead"),
    (r".*_per_period", "there is one period", "leave it out"),
)  # fmt: skip

_FURTHER_BUS = re.compile(r"bus([2-9]|\d\d+)")
_OF_FURTHER_BUS = re.compile(r"(efficiency|delay|cyclic_delay)([2-9]|\d\d+)")


def refusals(network: Any) -> Iterator[Fault]:
    """A fault for every component and attribute of an active component that is not carried over."""
    for component in network.components:
        static = component.static
        if static.empty:
            continue
        if component.name == "Carrier":
            yield from _growth_limits(static)
        elif component.name not in _CARRIED and component.name not in _BYSTANDERS:
            yield from _whole(component)
        elif component.name in _CARRIED:
            yield from _attributes(component)


def _growth_limits(static: pd.DataFrame) -> Iterator[Fault]:
    for attribute, neutral in (("max_growth", np.inf), ("max_relative_growth", 0.0)):
        for name, value in static.get(attribute, pd.Series(dtype=float)).items():
            if value != neutral:
                yield Fault(
                    f"Carrier {name}",
                    "growth limits belong to capacity expansion, which is not cleared",
                    f"leave it out ({neutral:g})",
                    column=attribute,
                    value=str(value),
                )


def _whole(component: Any) -> Iterator[Fault]:
    """Components of a kind that has no counterpart: each is refused, unless it is inactive."""
    active = component.static.get("active", pd.Series(True, index=component.static.index)).astype(bool)
    for name in component.static.index[active]:
        yield Fault(
            f"{component.name} {name}",
            f"a {component.name} has no counterpart in a market of zones, plants, corridors and stores",
            "remove it, or clear the network with PyPSA itself",
        )


def _attributes(component: Any) -> Iterator[Fault]:
    static, defaults = component.static, component.defaults
    names = static.index[static["active"].astype(bool)]
    known = {*_CARRIED[component.name], *_IRRELEVANT[component.name]}
    inputs = defaults.index[defaults["status"].str.contains("Input")]
    for attribute in (*inputs, *(column for column in static.columns if column not in defaults.index)):
        if attribute in known or _OF_FURTHER_BUS.fullmatch(attribute):
            continue
        if component.name == "Link" and _FURTHER_BUS.fullmatch(attribute):
            for name, value in static.loc[names, attribute].items():
                if isinstance(value, str) and value:
                    yield Fault(
                        f"Link {name}",
                        "links with more than two buses are not modelled",
                        "split it into links of two buses",
                        column=attribute,
                        value=value,
                    )
            continue
        if attribute not in defaults.index:
            continue  # a column of the user's own, which PyPSA does not read either
        for name, value in _unlike_default(component, attribute, names):
            switch = _PARENT.get(attribute)
            if switch is None or bool(static.at[name, switch]):
                yield _refused(component.name, name, attribute, value)
    yield from _piecewise(component, names)


def _unlike_default(component: Any, attribute: str, names: pd.Index) -> Iterator[tuple[str, object]]:
    """Active components whose attribute, or whose series of it, differs from its default."""
    neutral = component.defaults.at[attribute, "default"]
    series = component.dynamic.get(attribute, pd.DataFrame())
    for name in names[names.isin(series.columns)]:
        odd = [value for value in series[name].unique() if not _same(value, neutral)]
        if odd:
            yield name, odd[0]
    if attribute in component.static:
        fixed = component.static.loc[names[~names.isin(series.columns)], attribute]
        for name, value in fixed[~fixed.map(lambda value: _same(value, neutral))].items():
            yield str(name), value


def _same(value: object, neutral: object) -> bool:
    empty = pd.isna(value) or value == "" or value == "nan"  # type: ignore[call-overload]
    return bool(empty and (pd.isna(neutral) or neutral == "")) or bool(value == neutral)  # type: ignore[call-overload]


def _piecewise(component: Any, names: pd.Index) -> Iterator[Fault]:
    for attribute, frame in (getattr(component, "piecewise", None) or {}).items():
        if attribute in _IRRELEVANT[component.name] or frame.empty:
            continue
        for name in frame.columns.get_level_values(0).unique().intersection(names):
            yield Fault(
                f"{component.name} {name}",
                "a curve of pieces is not modelled",
                "give one number, or split it into several components",
                column=attribute,
            )


def _refused(component: str, name: str, attribute: str, value: object) -> Fault:
    why, mend = "is not carried over", "leave it at its default"
    for pattern, reason, cure in _REASONS:
        if re.fullmatch(pattern, attribute):
            why, mend = reason, cure
            break
    return Fault(f"{component} {name}", why, mend, column=attribute, value=str(value))
