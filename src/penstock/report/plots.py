"""What every chart of the report is made of: Plotly's traces and layout in plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .cells import Cell
from .formats import label

__all__ = ["Chart", "Key", "frame", "key_style", "line_trace", "rounded"]

GRID = "#dde3ea"


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a chart's key. style: "area", "solid", "dash", "dot" or "marker"."""

    name: str
    colour: str
    style: str = "area"


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure: traces and layout for Plotly, caption, key and a sentence for those who see none."""

    ident: str
    title: str
    unit: str
    alt: str
    data: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    height: int = 340
    choices: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[Cell, ...] = ()

    def spec(self) -> dict[str, Any]:
        """What the page hands to Plotly."""
        return {"data": self.data, "layout": self.layout}


def frame(x_title: str, y_title: str, **changes: Any) -> dict[str, Any]:
    """Layout with titled axes; changes: parts of it in place of the usual ones."""
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": "#7b8794",
        "linecolor": "#7b8794",
        "automargin": True,
        "fixedrange": True,
    }
    found: dict[str, Any] = {
        "autosize": True,
        "showlegend": False,
        "margin": {"l": 56, "r": 22, "t": 10, "b": 46},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1c2733"},
        "hovermode": "x unified",
        "dragmode": False,
        "separators": ".,",
        "xaxis": {**axis, "title": {"text": x_title, "font": {"size": 13}}},
        "yaxis": {
            **axis,
            "title": {"text": y_title, "font": {"size": 13}},
            "tickformat": ",~r",
            "rangemode": "tozero",
        },
    }
    for key, value in changes.items():
        found[key] = {**found[key], **value} if isinstance(found.get(key), dict) else value
    return found


def rounded(values: npt.ArrayLike, decimals: int) -> list[float | None]:
    """Rounded values for JSON; None where there is no number, so that the line breaks there."""
    rounded = np.round(np.asarray(values, dtype=float), decimals)
    return [float(v) if np.isfinite(v) else None for v in rounded]


def line_trace(
    name: str, x: Any, y: Any, colour: str, dash: str = "solid", unit: str = "MW", decimals: int = 0
) -> Any:
    """One line; unit and decimals are those of its hover text."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name),
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"%{{y:,.{decimals}f}} {label(unit)}",
    }


def key_style(dash: str) -> str:
    """Style in the key of a line's dash."""
    return {"solid": "solid", "dash": "dash", "longdash": "dash", "longdashdot": "dash"}.get(dash, "dot")
