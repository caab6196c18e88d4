"""A schematic map: zones at their latitude and longitude, corridors as arrows as wide as their mean flow."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from .formats import as_number, number, percent

__all__ = ["Arrow", "Label", "Node", "ZoneMap", "zone_map"]

WIDTH, HEIGHT, EDGE = 760.0, 640.0, 80.0
# Height of the text and width of a letter; bold names in a wide fallback font still fit.
TEXT, LETTER = 15.0, 9.6
WIDEST, NARROWEST = 16.0, 2.0
RADIUS = 9.0
CONGESTED_HOURS = 100
NEAREST, SPREADING_ROUNDS = 135.0, 120


@dataclass(frozen=True, slots=True)
class Label:
    """Lines of text centred at x, y of the first line's base."""

    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One zone."""

    x: float
    y: float
    name: str
    label: Label


@dataclass(frozen=True, slots=True)
class Arrow:
    """One corridor, drawn in the direction of its mean flow. head: points of its arrowhead."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    head: str
    congested: bool
    title: str
    label: Label


@dataclass(frozen=True, slots=True)
class ZoneMap:
    """A map of one side. view: left, top, width and height of what is drawn, as an SVG viewBox."""

    ident: str
    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    view: str


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0

    def outside(self) -> float:
        over = max(0.0, -self.left) + max(0.0, -self.top)
        return 100 * (over + max(0.0, self.right - WIDTH) + max(0.0, self.bottom - HEIGHT))


def _box(found: Label) -> _Box:
    half = max(len(line) for line in found.lines) * LETTER / 2
    top = found.y - TEXT
    return _Box(found.x - half, top, found.x + half, top + TEXT * 1.2 * len(found.lines) + 2)


def _place(candidates: list[Label], taken: list[_Box]) -> Label:
    """The first candidate that lies on nothing, or the one that lies on least."""
    best = min(candidates, key=lambda c: sum(_box(c).overlap(t) for t in taken) + _box(c).outside())
    taken.append(_box(best))
    return best


def _positions(zones: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Degrees to the drawing's units, north up; a degree of longitude shrinks with latitude."""
    middle = sum(z["latitude"] for z in zones) / len(zones)
    east = {z["zone"]: z["longitude"] * math.cos(math.radians(middle)) for z in zones}
    north = {z["zone"]: float(z["latitude"]) for z in zones}
    wide = max(east.values()) - min(east.values()) or 1.0
    high = max(north.values()) - min(north.values()) or 1.0
    scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high)
    mid_east, mid_north = (max(d.values()) + min(d.values()) for d in (east, north))
    found = {
        zone: (
            WIDTH / 2 + (east[zone] - mid_east / 2) * scale,
            HEIGHT / 2 - (north[zone] - mid_north / 2) * scale,
        )
        for zone in east
    }
    return _apart(found)


def _apart(place: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Zones pushed away from each other, a little at a time, until an arrow fits between them."""
    found = dict(place)
    names = sorted(found)
    for _ in range(SPREADING_ROUNDS):
        for first in names:
            for second in names:
                (ax, ay), (bx, by) = found[first], found[second]
                away = math.hypot(bx - ax, by - ay)
                if first >= second or away >= NEAREST:
                    continue
                # Two zones in one place part sideways.
                ux, uy = ((bx - ax) / away, (by - ay) / away) if away > 0 else (1.0, 0.0)
                push = (NEAREST - away) * 0.25
                found[first] = _inside(ax - ux * push, ay - uy * push)
                found[second] = _inside(bx + ux * push, by + uy * push)
    return found


def _inside(x: float, y: float) -> tuple[float, float]:
    return min(max(x, EDGE), WIDTH - EDGE), min(max(y, EDGE / 2), HEIGHT - EDGE / 2)


def zone_map(side: str, ident: str, title: str, summary: dict[str, Any]) -> ZoneMap | None:
    """Map of `summary[side]`; None without zones. Corridors of the same two zones lie side by side."""
    zones = summary["country"]["zones"]
    if not zones:
        return None
    place = _positions(zones)
    rows = [r for r in summary[side]["corridors"] if r["from_zone"] in place and r["to_zone"] in place]
    both = [*summary["base"]["corridors"], *summary["with_programme"]["corridors"]]
    greatest = max((abs(as_number(r["mean_mw"]) or 0.0) for r in both), default=0.0) or 1.0
    taken = [_Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in place.values()]
    pairs: dict[frozenset[str], int] = {}
    arrows = []
    for row in rows:
        pair = frozenset((row["from_zone"], row["to_zone"]))
        pairs[pair] = pairs.get(pair, 0) + 1
        siblings = sum(frozenset((r["from_zone"], r["to_zone"])) == pair for r in rows)
        shift = (pairs[pair] - 1 - (siblings - 1) / 2) * 26
        arrows.append(_arrow(row, place, shift, greatest))
    taken += [box for arrow in arrows for box in _along(arrow)]
    nodes = []
    for zone in zones:
        x, y = place[zone["zone"]]
        name = str(zone["name"])
        short = name if len(name) <= 22 else name[:21] + "…"
        half = len(short) * LETTER / 2 + RADIUS + 3
        spots = (
            (x + half, y + 5),
            (x - half, y + 5),
            (x, y - 16),
            (x, y + 27),
            (x + half, y - 14),
            (x - half, y + 24),
        )
        found = _place([Label(px, py, (short,)) for px, py in spots], taken)
        nodes.append(Node(x, y, name, found))
    arrows = [replace(a, label=_place(_beside(a), taken)) for a in arrows]
    return ZoneMap(ident, title, tuple(nodes), tuple(arrows), _view(taken))


def _arrow(
    row: dict[str, Any], place: dict[str, tuple[float, float]], shift: float, greatest: float
) -> Arrow:
    flow = as_number(row["mean_mw"]) or 0.0
    ends = (row["from_zone"], row["to_zone"])
    # Which side is "beside" must not turn with the flow.
    (ax, ay), (bx, by) = place[min(ends)], place[max(ends)]
    long = math.hypot(bx - ax, by - ay) or 1.0
    dx, dy = -(by - ay) / long * shift, (bx - ax) / long * shift
    (x1, y1), (x2, y2) = (place[z] for z in (ends if flow >= 0 else ends[::-1]))
    ux, uy = (x2 - x1) / long, (y2 - y1) / long
    gap = RADIUS + 4
    x1, y1, x2, y2 = x1 + dx + ux * gap, y1 + dy + uy * gap, x2 + dx - ux * gap, y2 + dy - uy * gap
    width = NARROWEST + (WIDEST - NARROWEST) * abs(flow) / greatest
    size = 9 + width * 0.9
    neck_x, neck_y = x2 - ux * size, y2 - uy * size
    points = (
        (x2, y2),
        (neck_x - uy * size * 0.62, neck_y + ux * size * 0.62),
        (neck_x + uy * size * 0.62, neck_y - ux * size * 0.62),
    )
    hours = as_number(row["congested_hours"]) or 0.0
    lines: tuple[str, ...] = (f"{number(abs(flow))} MW · {percent(row['use_share'])}",)
    if hours >= 1:
        lines += (f"full {number(hours)} h",)
    title = (
        f"{row['name']}: mean {number(abs(flow))} MW, {percent(row['use_share'])} of "
        f"{number(row['limit_mw'])} MW, congested {number(hours)} hours a year"
    )
    return Arrow(
        x1,
        y1,
        neck_x + ux,
        neck_y + uy,
        width,
        " ".join(f"{px:.1f},{py:.1f}" for px, py in points),
        hours >= CONGESTED_HOURS,
        title,
        Label((x1 + x2) / 2, (y1 + y2) / 2, lines),
    )


def _view(drawn: list[_Box]) -> str:
    margin = 14.0
    left, top = min(box.left for box in drawn) - margin, min(box.top for box in drawn) - margin
    right, bottom = max(box.right for box in drawn) + margin, max(box.bottom for box in drawn) + margin
    return f"{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}"


def _along(arrow: Arrow) -> list[_Box]:
    """Boxes that cover an arrow, for labels to keep off."""
    steps = max(2, int(math.hypot(arrow.x2 - arrow.x1, arrow.y2 - arrow.y1) / 8))
    half = arrow.width / 2 + 1
    spots = (
        (
            arrow.x1 + (arrow.x2 - arrow.x1) * n / steps,
            arrow.y1 + (arrow.y2 - arrow.y1) * n / steps,
        )
        for n in range(steps + 1)
    )
    return [_Box(x - half, y - half, x + half, y + half) for x, y in spots]


def _beside(arrow: Arrow) -> list[Label]:
    """Places for an arrow's label, the best first: by its middle, on either side of it."""
    long = math.hypot(arrow.x2 - arrow.x1, arrow.y2 - arrow.y1) or 1.0
    ux, uy = (arrow.x2 - arrow.x1) / long, (arrow.y2 - arrow.y1) / long
    half = max(len(line) for line in arrow.label.lines) * LETTER / 2
    high = TEXT * 0.6 * len(arrow.label.lines)
    # Far enough from the line that the text's box clears it, whatever the slope.
    away = abs(uy) * half + abs(ux) * high + arrow.width / 2 + 4
    found = []
    for along in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8):
        for side in (1, -1):
            x = arrow.x1 + (arrow.x2 - arrow.x1) * along - uy * away * side
            y = arrow.y1 + (arrow.y2 - arrow.y1) * along + ux * away * side
            found.append(Label(x, y + TEXT - high, arrow.label.lines))
    return found
