"""Blocks of one step of the interior-point solver, for all lanes at once.

Rows of a step are its zones, its stores and the budgets; see `interior_passes.Layout` for the arguments.
Parts of long arrays are taken as slices before they are indexed by lane: the compiler then knows that no
index is negative and turns the loops into vector instructions.
"""

from __future__ import annotations

from .interior_linear import LANES, FloatArray, IntArray, invert, leaf, parallel_sum, symmetric_times

__all__ = [
    "advance_matrix",
    "advance_rhs",
    "back_step",
    "distribute",
    "eliminate_zones",
    "forward_zones",
    "gather",
    "normal_matrix",
    "product",
    "split_levels",
]

_REGULARISATION = 1e-13


@leaf
def gather(
    t: int,
    zones: int,
    segments: int,
    row: IntArray,
    base: int,
    pattern_start: IntArray,
    pattern_row: IntArray,
    pattern_value: FloatArray,
    first: IntArray,
    previous: IntArray,
    link: FloatArray,
    y: FloatArray,
    flat: FloatArray,
    out: FloatArray,
) -> None:
    """out = A'y for the columns of step t; `flat` is y as one axis."""
    rows, here = row[base : base + segments], flat[t * y.shape[1] * LANES :]
    for i in range(segments):
        out[i] = here[rows[i]]
    j = segments
    for k in range(len(pattern_start) - 1):
        part = out[j : j + LANES]
        for lane in range(LANES):
            part[lane] = 0.0
        for e in range(pattern_start[k], pattern_start[k + 1]):
            share, source = pattern_value[e], y[t, pattern_row[e]]
            for lane in range(LANES):
                part[lane] += share * source[lane]
        j += LANES
    last = len(y) - 1
    for s in range(len(link)):
        r = zones + s
        if t > 1:
            part, before, own = out[j : j + LANES], y[t - 1, r], y[t, r]
            for lane in range(LANES):
                part[lane] = before[lane] - own[lane]
        else:
            for lane in range(LANES):
                out[j + lane] = 0.0
                if t > first[lane]:
                    out[j + lane] = y[t - 1, r, lane] - y[t, r, lane]
                elif t == first[lane]:
                    out[j + lane] = y[last, r, previous[lane]] - link[s, lane] * y[t, r, lane]
        j += LANES


@leaf
def product(
    t: int,
    zones: int,
    segments: int,
    start: IntArray,
    pattern_start: IntArray,
    pattern_row: IntArray,
    pattern_value: FloatArray,
    first: IntArray,
    previous: IntArray,
    link: FloatArray,
    v: FloatArray,
    at: int,
    sign: float,
    out: FloatArray,
    tail: FloatArray,
) -> None:
    """out[t] = sign A v of step t; the levels add to the rows before, in `tail` to the lanes' last rows."""
    first_row = t * zones * LANES
    base = start[first_row]
    for r in range(out.shape[1]):
        for lane in range(LANES):
            out[t, r, lane] = 0.0
    for z in range(zones):
        for lane in range(LANES):
            row = first_row + z * LANES + lane
            total = 0.0
            for i in range(start[row], start[row + 1]):
                total += v[at + i - base]
            out[t, z, lane] = sign * total
    j = at + segments
    for k in range(len(pattern_start) - 1):
        for e in range(pattern_start[k], pattern_start[k + 1]):
            share, target, part = sign * pattern_value[e], out[t, pattern_row[e]], v[j : j + LANES]
            for lane in range(LANES):
                target[lane] += share * part[lane]
        j += LANES
    for s in range(len(link)):
        r = zones + s
        if t > 1:
            part, before, own = v[j : j + LANES], out[t - 1, r], out[t, r]
            for lane in range(LANES):
                own[lane] -= sign * part[lane]
            for lane in range(LANES):
                before[lane] += sign * part[lane]
        else:
            for lane in range(LANES):
                if t > first[lane]:
                    out[t, r, lane] -= sign * v[j + lane]
                    out[t - 1, r, lane] += sign * v[j + lane]
                elif t == first[lane]:
                    out[t, r, lane] -= sign * link[s, lane] * v[j + lane]
                    tail[s, previous[lane]] += sign * v[j + lane]
        j += LANES
    if t == 0:
        for r in range(out.shape[1]):
            for lane in range(LANES):
                if first[lane] > 0:
                    out[0, r, lane] = 0.0


@leaf
def normal_matrix(
    t: int,
    zones: int,
    rows: int,
    segments: int,
    start: IntArray,
    pattern_start: IntArray,
    pattern_row: IntArray,
    pattern_value: FloatArray,
    first: IntArray,
    theta: FloatArray,
    out: FloatArray,
) -> None:
    """A theta A' of the rows of step t, packed, but for the levels; the identity where a lane has no hour."""
    first_row = t * zones * LANES
    base = start[first_row]
    for i in range(rows * (rows + 1) // 2):
        for lane in range(LANES):
            out[i, lane] = 0.0
    for z in range(zones):
        zz = z * (z + 1) // 2 + z
        for lane in range(LANES):
            row = first_row + z * LANES + lane
            total = _REGULARISATION
            for i in range(start[row], start[row + 1]):
                total += theta[i - base]
            out[zz, lane] = total
    j = segments
    for k in range(len(pattern_start) - 1):
        for e in range(pattern_start[k], pattern_start[k + 1]):
            for d in range(pattern_start[k], e + 1):
                a, b = max(pattern_row[e], pattern_row[d]), min(pattern_row[e], pattern_row[d])
                share = pattern_value[e] * pattern_value[d]
                target, part = out[a * (a + 1) // 2 + b], theta[j : j + LANES]
                for lane in range(LANES):
                    target[lane] += share * part[lane]
        j += LANES
    if t == 0:
        for i in range(rows):
            for k in range(i + 1):
                for lane in range(LANES):
                    if first[lane] > 0:
                        out[i * (i + 1) // 2 + k, lane] = 1.0 if i == k else 0.0


@leaf
def eliminate_zones(
    zones: int, rows: int, matrix: FloatArray, inverse: FloatArray, gain: FloatArray, work: FloatArray
) -> None:
    """Invert the zone block of the packed matrix and leave its Schur complement in the other rows."""
    for i in range(zones * (zones + 1) // 2):
        for lane in range(LANES):
            inverse[i, lane] = matrix[i, lane]
    invert(inverse, zones, work)
    for i in range(zones, rows):
        ii = i * (i + 1) // 2
        symmetric_times(inverse, zones, matrix[ii:], gain[i - zones])
        for j in range(zones, i + 1):
            jj = j * (j + 1) // 2
            for lane in range(LANES):
                work[lane] = matrix[ii + j, lane]
            for z in range(zones):
                for lane in range(LANES):
                    work[lane] -= gain[i - zones, z, lane] * matrix[jj + z, lane]
            for lane in range(LANES):
                matrix[ii + j, lane] = work[lane]


@leaf
def distribute(
    t: int,
    zones: int,
    stores: int,
    matrix: FloatArray,
    first: IntArray,
    link: FloatArray,
    slot: IntArray,
    chain: FloatArray,
    f: FloatArray,
    border: FloatArray,
) -> None:
    """Add the eliminated block to the chain of the stores, to their coupling and to the border."""
    for i in range(stores):
        row = zones + i
        for j in range(i + 1):
            for lane in range(LANES):
                chain[i * (i + 1) // 2 + j, lane] += matrix[row * (row + 1) // 2 + zones + j, lane]
    for b in range(len(slot)):
        row = zones + stores + b
        at = row * (row + 1) // 2 + zones
        for lane in range(LANES):
            if t < first[lane]:
                continue
            i = stores + slot[b, t, lane]
            for s in range(stores):
                f[s, i, lane] += matrix[at + s, lane]
            for c in range(b + 1):
                j = stores + slot[c, t, lane]
                border[i * (i + 1) // 2 + j, lane] -= matrix[at + stores + c, lane]
    if t < 2:
        for s in range(stores):
            for lane in range(LANES):
                if t == first[lane]:
                    f[s, s, lane] -= link[s, lane]


@leaf
def forward_zones(
    t: int,
    zones: int,
    stores: int,
    gain: FloatArray,
    first: IntArray,
    slot: IntArray,
    rhs: FloatArray,
    border_rhs: FloatArray,
) -> None:
    """Right sides of the stores and budgets once the zone rows are eliminated."""
    for i in range(gain.shape[0]):
        for z in range(zones):
            for lane in range(LANES):
                rhs[zones + i, lane] -= gain[i, z, lane] * rhs[z, lane]
    for b in range(len(slot)):
        for lane in range(LANES):
            if t >= first[lane]:
                border_rhs[stores + slot[b, t, lane], lane] -= rhs[zones + stores + b, lane]


@leaf
def advance_matrix(
    stores: int,
    weight: FloatArray,
    p: FloatArray,
    chain: FloatArray,
    f: FloatArray,
    following: FloatArray,
    following_f: FloatArray,
    border: FloatArray,
    work: FloatArray,
) -> None:
    """Eliminate a block of store rows: its inverse p; starts the next block, adds to the border.

    weight: of the level after it; chain: its matrix R; f: its coupling to the border.
    """
    lane_work, column = work[0], work[1:]
    for i in range(stores * (stores + 1) // 2):
        for lane in range(LANES):
            p[i, lane] = chain[i, lane]
    for i in range(stores):
        for lane in range(LANES):
            p[i * (i + 1) // 2 + i, lane] += weight[i, lane]
    invert(p, stores, lane_work)
    parallel_sum(weight, p, chain, stores, following, lane_work)
    for c in range(f.shape[1]):
        symmetric_times(p, stores, f[:, c], column)
        for d in range(c, f.shape[1]):
            dc = d * (d + 1) // 2 + c
            for i in range(stores):
                for lane in range(LANES):
                    border[dc, lane] += f[i, d, lane] * column[i, lane]
        for i in range(stores):
            for lane in range(LANES):
                following_f[i, c, lane] = weight[i, lane] * column[i, lane]


@leaf
def advance_rhs(
    stores: int,
    weight: FloatArray,
    p: FloatArray,
    f: FloatArray,
    rhs: FloatArray,
    following: FloatArray,
    border_rhs: FloatArray,
    work: FloatArray,
) -> None:
    """The same for the right side."""
    symmetric_times(p, stores, rhs, work)
    for i in range(stores):
        for lane in range(LANES):
            following[i, lane] += weight[i, lane] * work[i, lane]
    for c in range(f.shape[1]):
        for i in range(stores):
            for lane in range(LANES):
                border_rhs[c, lane] += f[i, c, lane] * work[i, lane]


@leaf
def split_levels(
    t: int,
    levels: int,
    first: IntArray,
    matrix: bool,
    theta: FloatArray,
    moved: FloatArray,
    k: FloatArray,
    weight: FloatArray,
    slack: FloatArray,
    slack_k: FloatArray,
) -> None:
    """Levels before step t: those between lanes go to the root, the others give the chain its weight."""
    for s in range(len(weight)):
        j = levels + s * LANES
        if t > 1:
            if matrix:
                part, target = theta[j : j + LANES], weight[s]
                for lane in range(LANES):
                    target[lane] = part[lane]
            continue
        for lane in range(LANES):
            inside = t > first[lane]
            if matrix:
                weight[s, lane] = theta[j + lane] if inside else 0.0
            if t == first[lane]:
                slack_k[s, lane] = k[j + lane]
                if matrix:
                    slack[s, lane] = 1.0 / theta[j + lane]
            if not inside:
                moved[j + lane] = 0.0


@leaf
def back_step(
    t: int,
    zones: int,
    stores: int,
    inverse: FloatArray,
    gain: FloatArray,
    weight: FloatArray,
    p: FloatArray,
    f: FloatArray,
    slot: IntArray,
    rhs: FloatArray,
    border: FloatArray,
    after: FloatArray,
    out: FloatArray,
    work: FloatArray,
) -> None:
    """Duals of step t: stores P (rhs + weight x the row after - f x border), budgets, zones."""
    for i in range(stores):
        for lane in range(LANES):
            work[i, lane] = rhs[zones + i, lane] + weight[i, lane] * after[i, lane]
        for c in range(len(border)):
            for lane in range(LANES):
                work[i, lane] -= f[i, c, lane] * border[c, lane]
    symmetric_times(p, stores, work, out[zones:])
    for b in range(len(slot)):
        for lane in range(LANES):
            out[zones + stores + b, lane] = border[stores + slot[b, t, lane], lane]
    symmetric_times(inverse, zones, rhs, out)
    for i in range(gain.shape[0]):
        for z in range(zones):
            for lane in range(LANES):
                out[z, lane] -= gain[i, z, lane] * out[zones + i, lane]
