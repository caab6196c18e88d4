"""Cycles of the corridors that have a reactance, for Kirchhoff's voltage law (the DC power flow).

Every basis of the cycles gives the same flows; a breadth-first tree gives one with short cycles
(Hörsch et al., Linear optimal power flow using cycle flows, Electric Power Systems Research 158, 2018).
"""

from __future__ import annotations

from collections import deque

from .system import System

__all__ = ["cycles"]

Cycle = tuple[tuple[int, float], ...]
_Neighbours = dict[str, list[tuple[str, int]]]


def cycles(system: System) -> tuple[Cycle, ...]:
    """A basis of the cycles of corridors with a reactance; parallel corridors form one of their own.

    Each cycle lists (position of a corridor, coefficient of its net forward flow): its reactance, negative
    where the cycle runs against it, divided by the cycle's largest. The sum of coefficient x flow is 0.
    """
    neighbours: _Neighbours = {}
    for index, corridor in enumerate(system.corridors):
        if corridor.reactance is not None:
            neighbours.setdefault(corridor.from_zone, []).append((corridor.to_zone, index))
            neighbours.setdefault(corridor.to_zone, []).append((corridor.from_zone, index))
    above = _forest(neighbours)
    tree = {index for _, index, _ in above.values()}
    found = []
    for index, corridor in enumerate(system.corridors):
        if corridor.reactance is not None and index not in tree:
            path = _path(above, corridor.to_zone, corridor.from_zone)
            found.append(_weighted(system, corridor.from_zone, [index, *path]))
    return tuple(found)


def _forest(neighbours: _Neighbours) -> dict[str, tuple[str, int, int]]:
    """A breadth-first forest: of each zone but the roots the zone above, the corridor there, the depth."""
    above: dict[str, tuple[str, int, int]] = {}
    seen: set[str] = set()
    for root in sorted(neighbours, key=lambda zone: -len(neighbours[zone])):
        if root in seen:
            continue
        seen.add(root)
        queue = deque([(root, 0)])
        while queue:
            zone, depth = queue.popleft()
            for other, index in neighbours[zone]:
                if other not in seen:
                    seen.add(other)
                    above[other] = (zone, index, depth + 1)
                    queue.append((other, depth + 1))
    return above


def _path(above: dict[str, tuple[str, int, int]], start: str, end: str) -> list[int]:
    """Corridors of the tree on the way from `start` to `end`."""
    head: list[int] = []
    tail: list[int] = []
    while start != end:
        depth_start = above[start][2] if start in above else 0
        depth_end = above[end][2] if end in above else 0
        if depth_start >= depth_end:
            start, index, _ = above[start]
            head.append(index)
        else:
            end, index, _ = above[end]
            tail.append(index)
    return head + tail[::-1]


def _weighted(system: System, start: str, way: list[int]) -> Cycle:
    """The corridors of a closed way from `start` with their signed reactance, the largest made 1."""
    zone = start
    signed = []
    for index in way:
        corridor = system.corridors[index]
        along = corridor.from_zone == zone
        zone = corridor.to_zone if along else corridor.from_zone
        signed.append((index, (corridor.reactance or 0.0) * (1.0 if along else -1.0)))
    largest = max(abs(value) for _, value in signed)
    return tuple((index, value / largest) for index, value in signed)
