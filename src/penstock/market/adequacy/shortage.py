"""Who is short in an hour: help flows from zones with a surplus to zones without, the best way first.

The least total shortage is a greatest flow with losses from surplus to shortage. Augmenting along the path
that keeps most of what is sent, backward over what flows already as well, ends with a greatest flow (Onaga,
1967; Truemper, 1977). Losses are shares, so no cycle gains.

Where the optimum leaves a choice: a zone's own surplus serves itself before it helps others; help takes the
way with the least loss; of equal ways, zones in their order.
"""

from __future__ import annotations

from penstock.market.compiled import compiled

__all__ = ["settle"]

_TINY = 1e-9
_GAIN = 1.0 + 1e-12


@compiled
def settle(margin, tail, head, gain, room, sent, kept, via):
    """Spreads surplus over shortage, in place.

    margin: supply less demand of every zone; afterwards what is left, negative where short. [MW]
    tail, head, gain: of the arcs, each twice: arc 2i forward and 2i + 1 backward of link i, with their gains.
    room: what each arc may send, taken up in place. sent: scratch: what each arc sends, shape (arcs,). [MW]
    kept: scratch, shape (zones,). via: scratch, shape (zones,), whole numbers.
    """
    zones, arcs = margin.shape[0], tail.shape[0]
    for arc in range(arcs):
        sent[arc] = 0.0
    # Every round settles a zone or an arc; a bound beyond that guards against rounding.
    for _ in range(8 * (zones + arcs) + 8):
        _best_ways(margin, tail, head, gain, room, sent, kept, via)
        best = -1
        for zone in range(zones):
            if margin[zone] < -_TINY and kept[zone] > 0.0 and (best < 0 or kept[zone] > kept[best] * _GAIN):
                best = zone
        if best < 0:
            return
        _augment(best, margin, tail, head, gain, room, sent, kept, via)


@compiled
def _step(arc, gain, room, sent):
    """Of an arc in the rest of the network: its gain and what it may still take at its tail.

    Its own room; or, back against its twin, what the twin sends: a MW taken off the twin's end saves 1 / gain
    at its start.
    """
    twin = arc ^ 1
    if sent[twin] > _TINY:
        return 1.0 / gain[twin], sent[twin] * gain[twin]
    return gain[arc], room[arc] - sent[arc]


@compiled
def _best_ways(margin, tail, head, gain, room, sent, kept, via):
    """For every zone, the greatest share of a MW of surplus that may arrive there, and over which arc."""
    zones, arcs = margin.shape[0], tail.shape[0]
    for zone in range(zones):
        kept[zone] = 1.0 if margin[zone] > _TINY else 0.0
        via[zone] = -1
    for _ in range(zones):
        changed = False
        for arc in range(arcs):
            start = tail[arc]
            if kept[start] <= 0.0:
                continue
            share, most = _step(arc, gain, room, sent)
            if most <= _TINY:
                continue
            if kept[start] * share > kept[head[arc]] * _GAIN:
                kept[head[arc]] = kept[start] * share
                via[head[arc]] = arc
                changed = True
        if not changed:
            return


@compiled
def _augment(best, margin, tail, head, gain, room, sent, kept, via):
    """Sends along the best way to a zone as much as fits."""
    amount, zone = -margin[best], best
    while via[zone] >= 0:  # amount: at the zone in hand, going back from the end
        arc = via[zone]
        step, most = _step(arc, gain, room, sent)
        amount = min(amount / step, most)
        zone = tail[arc]
    amount = min(amount, margin[zone])
    margin[zone] -= amount
    _forward(best, amount, margin, tail, gain, room, sent, via)


@compiled
def _forward(best, amount, margin, tail, gain, room, sent, via):
    """Books an amount sent from the source of the way to `best`; what each arc takes, from its end back."""
    whole, zone = 1.0, best
    while via[zone] >= 0:
        step, _ = _step(via[zone], gain, room, sent)
        whole *= step
        zone = tail[via[zone]]
    arrives = amount * whole
    margin[best] += arrives
    zone = best
    while via[zone] >= 0:
        arc = via[zone]
        twin = arc ^ 1
        step, _ = _step(arc, gain, room, sent)
        taken = arrives / step
        if sent[twin] > _TINY:
            sent[twin] = max(sent[twin] - arrives, 0.0)
        else:
            sent[arc] += taken
        arrives = taken
        zone = tail[arc]
