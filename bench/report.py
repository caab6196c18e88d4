"""The figures as tables, and the page and the file in docs/ that keep them. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["tables", "variants", "write", "write_variants"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
START, STOP = "<!-- figures -->", "<!-- /figures -->"
MISSING, NOT_RUN = "not available", "not run"
_BARS = 40
_TARGET_MB, _TARGET_COLD_S, _TARGET_WARM_S, _TARGET_THREADS = 300.0, 3.0, 0.5, 0.6


def write(document: dict[str, Any]) -> None:
    """Rewrite docs/performance.json and the tables of docs/performance.md; keep the ways to call HiGHS."""
    raw = DOCS / "performance.json"
    if raw.exists() and (earlier := json.loads(raw.read_text("utf-8")).get("variants")):
        document = {**document, "variants": earlier}
    _rewrite(document)


def write_variants(found: dict[str, Any]) -> None:
    """Put ways to call HiGHS into both files and leave the rest."""
    raw = DOCS / "performance.json"
    if raw.exists():
        _rewrite({**json.loads(raw.read_text("utf-8")), "variants": found})


def _rewrite(document: dict[str, Any]) -> None:
    (DOCS / "performance.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    page = DOCS / "performance.md"
    before, _, rest = page.read_text("utf-8").partition(START)
    after = rest.partition(STOP)[2]
    page.write_text(f"{before}{START}\n\n{tables(document)}\n\n{STOP}{after}", "utf-8")


def tables(document: dict[str, Any]) -> str:
    """All tables, as Markdown."""
    parts = [_machine(document), "### Seconds and ratios", _ratios(document["cases"])]
    parts += ["### What agrees", _agreement(document["cases"])]
    parts += ["### Memory", _memory(document["memory"], document["cases"])]
    if "curves" in document:
        parts += ["### How the time grows", _curves(document["curves"])]
    if "years" in document:
        parts += ["### Years and threads", _years(document["years"])]
    if "start" in document:
        parts += ["### First import and compilation", _start(document["start"])]
    if "variants" in document:
        parts += ["### Ways to call HiGHS", variants(document["variants"])]
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _seconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 1.0 else f"{value:.1f}"


def _best(part: dict[str, Any] | None) -> str:
    if not part or "best_s" not in part:
        fault = (part or {}).get("fault")
        return MISSING if not fault else NOT_RUN if fault == NOT_RUN else "no result"
    if part.get("repeats", 1) == 1:
        return _seconds(part["best_s"])
    return f"{_seconds(part['best_s'])} ({_seconds(part['median_s'])}, {part['repeats']})"


def _ratio(part: dict[str, Any] | None, kernel: dict[str, Any] | None, expected: float) -> str:
    if not kernel or "best_s" not in kernel or not part or "best_s" not in part:
        return f"{MISSING} (at least {expected:,.0f})"
    ratio = part["best_s"] / kernel["best_s"]
    verdict = "" if ratio >= expected else ", missed"
    return f"{ratio:,.0f} (at least {expected:,.0f}{verdict})"


def _difference(objective: float | None, reference: float | None) -> str:
    if objective is None or reference is None:
        return MISSING
    return f"{(objective - reference) / max(abs(reference), 1.0):.1e}"


def _ratios(cases: list[dict[str, Any]]) -> str:
    head = (
        "case",
        "kernel, s",
        "direct HiGHS, s",
        '`clear(engine="highs")`, s',
        "PyPSA, s",
        "HiGHS / kernel",
    )
    rows = []
    for row in cases:
        if "fault" in row:
            rows.append((row["title"], row["fault"], *[MISSING] * 5))
            continue
        kernel, direct, expected = row["kernel"], row["direct"], row["expected"]
        rows.append(
            (
                row["title"],
                _best(kernel),
                _best(direct),
                _best(row["reference"]) if row["reference"] else NOT_RUN,
                _best(row["pypsa"]),
                _ratio(direct, kernel, expected["highs"]),
                _ratio(row["pypsa"], kernel, expected["pypsa"]),
            )
        )
    table = _table((*head, "PyPSA / kernel"), rows)
    faults = [
        f"- {row['title']}, {name}: {row[key]['fault']}"
        for row in cases
        for key, name in (("kernel", "kernel"), ("pypsa", "PyPSA"))
        if (row.get(key) or {}).get("fault", NOT_RUN) != NOT_RUN
    ]
    return "\n\n".join([table, *(["No result:\n\n" + "\n".join(faults)] if faults else [])])


def _agreement(cases: list[dict[str, Any]]) -> str:
    """Objectives against direct HiGHS's as shares of it, the gap, and the share of hours with congestion."""
    rows = []
    for row in cases:
        if "fault" in row:
            continue
        kernel, optimum = row["kernel"] or {}, row["direct"]["objective"]
        gap = kernel.get("gap")
        rows.append(
            (
                row["title"],
                f"{optimum:,.2f}",
                _difference(kernel.get("objective"), optimum),
                _difference((row["reference"] or {}).get("objective"), optimum),
                _difference(row["pypsa"].get("objective"), optimum),
                MISSING if gap is None else f"{gap:.1e}",
                f"{row['congested']:.0%}" if "congested" in row else "no corridors",
                row["direct"]["variant"],
            )
        )
    head = ("case", "objective of direct HiGHS, USD", "kernel", '`clear(engine="highs")`', "PyPSA")
    return _table((*head, "gap certified", "hours congested", "direct HiGHS"), rows)


def _memory(memory: dict[str, Any], cases: list[dict[str, Any]]) -> str:
    bare = memory["interpreter_mb"]
    peers = {row["name"]: row["pypsa"].get("peak_mb") for row in cases if "pypsa" in row}
    rows = [
        (
            row["title"],
            row["engine"],
            f"{row['built_mb'] - bare:,.0f}",
            f"{row['cleared_mb'] - row['built_mb']:,.0f}",
            f"{row['cleared_mb'] - bare:,.0f}",
            "yes" if row["cleared_mb"] - bare <= _TARGET_MB else "no",
            f"{peers[row['name']] - bare:,.0f}" if peers.get(row["name"]) else NOT_RUN,
        )
        for row in memory["cases"]
    ]
    head = ("case", "engine", "imports and system, MB", "clearing, MB", "all above the interpreter, MB")
    note = f"Peak resident memory of a fresh process; the bare interpreter takes {bare:.0f} MB."
    table = _table((*head, f"at most {_TARGET_MB:.0f} MB", "PyPSA, all above the interpreter, MB"), rows)
    return f"{note}\n\n{table}"


def _bar(value: float | None, most: float) -> str:
    return "" if value is None else "`" + "#" * max(1, round(_BARS * value / most)) + "`"


def _curves(curves: list[dict[str, Any]]) -> str:
    parts = []
    for curve in curves:
        if "fault" in curve:
            parts.append(f"{curve['name']}: {curve['fault']}")
            continue
        points = curve["points"]
        key = "kernel_s" if points[0]["kernel_s"] is not None else "direct_s"
        most = max((point[key] for point in points if point[key] is not None), default=1.0)
        rows = []
        for value, point in zip(curve["values"], points, strict=True):
            kernel, direct = point["kernel_s"], point["direct_s"]
            ratio = f"{direct / kernel:,.0f}" if kernel and direct else ""
            direct_cell = "" if direct is None else _seconds(direct)
            rows.append((f"{value:,}", _seconds(kernel), direct_cell, ratio, _bar(point[key], most)))
        bars = "kernel" if key == "kernel_s" else "direct HiGHS"
        head = (
            curve["unit"],
            "kernel, s",
            "direct HiGHS, s",
            "ratio",
            f"{bars}: a full bar is {_seconds(most)} s",
        )
        parts.append(_table(head, rows))
    return "\n\n".join(parts)


def _years(years: dict[str, Any]) -> str:
    if "fault" in years:
        return f"Not measured: {years['fault']}."
    table = _table(
        ("years, one after another", "s", "s per year"),
        [
            (f"{row['years']}", _seconds(row["seconds"]), _seconds(row["seconds"] / row["years"]))
            for row in years["points"]
        ],
    )
    pool = years["threads"]
    share = pool["two_s"] / pool["one_s"]
    verdict = "held" if share <= _TARGET_THREADS else "missed"
    return (
        f"{table}\n\n{pool['years']} years on one thread {_seconds(pool['one_s'])} s, on two threads "
        f"{_seconds(pool['two_s'])} s: {share:.0%} of the time (at most {_TARGET_THREADS:.0%}: {verdict})."
    )


def _start(start: dict[str, Any]) -> str:
    rows = []
    for name, title, target in (
        ("cold", "nothing compiled before", _TARGET_COLD_S),
        ("warm", "compiled before", _TARGET_WARM_S),
    ):
        row = start[name]
        held = f"{target:g} s: {'yes' if row['cleared_s'] <= target else 'no'}"
        times = (_seconds(row[key]) for key in ("import_s", "cleared_s"))
        rows.append((title, *times, held, _seconds(row["stores_s"]), row["engine"]))
    head = ("a new process", "import, s", "import and first clearing, s", "at most")
    return _table((*head, "first clearing with a store after that, s", "engine"), rows)


def variants(tried: dict[str, Any]) -> str:
    """Every way to call HiGHS on every case, as Markdown."""
    rows = []
    for name, found in tried.items():
        for row in found["rows"]:
            chosen = "fastest" if row["name"] == found["best"] else ""
            if "fault" in row:
                rows.append((name, row["title"], "", row["fault"], chosen))
                continue
            correct = f"{row['difference']:.0e}" + ("" if row["correct"] else ", too far off")
            rows.append((name, row["title"], _seconds(row["seconds"]), correct, chosen))
    return _table(("case", "HiGHS called with", "s", "objective off by", ""), rows)


def _machine(document: dict[str, Any]) -> str:
    found = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    taken = f"; all measurements took {document['seconds'] / 60:.0f} minutes" if "seconds" in document else ""
    after = f", after the last {found['load_after']:g}" if "load_after" in found else ""
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gb']:g} GB; {found['system']}; "
        f"Python {found['python']}, {versions}. Load before the first measurement {found['load']:g}"
        f"{after}; above 1, other work was in the way{taken}."
    )
