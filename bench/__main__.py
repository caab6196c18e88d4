"""`python -m bench`: time the kernel against HiGHS and PyPSA on the same systems, and write what is found.

Standard library only, as in cases.py: everything that is measured happens in child processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from typing import Any

from . import report
from .cases import CASES, CURVES, MEMORY_CASES, THREADED_YEARS, YEARS, Case
from .children import ask, run_text
from .machine import load, machine

_START = """
import time
start = time.perf_counter()
import penstock
from penstock.market import Bid, Corridor, Plant, Store, System, clear
imported = time.perf_counter()
import dataclasses
import numpy
system = System(
    hours=numpy.datetime64("2025-01-01T00", "h") + numpy.arange(24), zones=("A", "B"),
    demand=numpy.full((24, 2), 100.0), value_of_lost_load=1000.0,
    plants=(Plant("a", "A", 10.0, 150.0), Plant("b", "B", 30.0, 150.0)),
    corridors=(Corridor("A-B", "A", "B", 40.0, 40.0),),
)
clearing = clear(system, (Bid("c", "A", 20.0, 50.0),))
first = time.perf_counter()
clear(dataclasses.replace(system, stores=(Store("d", "B", 40.0, 10.0, 10.0, 0.9, 0.9),)))
print(imported - start, first - start, time.perf_counter() - first, clearing.engine)
"""
_BARE = """
import resource
try:
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(float(peak) / 1024)
"""
_Document = dict[str, Any]


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def _options(case: Case, quick: bool) -> dict[str, Any]:
    return {**case.options, "hours": 336} if quick else dict(case.options)


def _one_case(case: Case, arguments: argparse.Namespace, networks: dict[str, _Document]) -> _Document:
    options = _options(case, arguments.quick)
    _say(f"{case.name}: kernel and direct HiGHS")
    row = ask(
        "case", options=options, variants=case.variants, gap=case.gap, rounds=3 if arguments.quick else 5
    )
    row = {"name": case.name, "title": case.title, "gap": case.gap} | row
    row["expected"] = {"highs": case.over_highs, "pypsa": case.over_pypsa}
    key = json.dumps(options, sort_keys=True)
    if arguments.pypsa and key not in networks:
        _say(f"{case.name}: PyPSA")
        networks[key] = ask("pypsa", options=options)
    row["pypsa"] = networks.get(key, {"fault": "not run"})
    return row


def _memory(cases: list[Case], quick: bool, rows: list[_Document]) -> _Document:
    found: _Document = {"interpreter_mb": float(run_text(_BARE)), "cases": []}
    kernel = {row["name"]: "best_s" in row.get("kernel", {}) for row in rows}
    for case in cases:
        if case.name not in MEMORY_CASES or (not kernel[case.name] and case.name.startswith("stores")):
            continue
        _say(f"{case.name}: memory")
        engine = "kernel" if kernel[case.name] else "highs"
        built, cleared = (
            ask("memory", options=_options(case, quick), engine=engine, gap=case.gap, cleared=cleared)
            for cleared in (False, True)
        )
        if "fault" in built or "fault" in cleared:
            continue
        found["cases"].append(
            {
                "name": case.name,
                "title": case.title,
                "engine": engine,
                "built_mb": built["peak_mb"],
                "cleared_mb": cleared["peak_mb"],
            }
        )
    return found


def _curves(quick: bool) -> list[_Document]:
    found = []
    for curve in CURVES:
        _say(f"curve: {curve.name}")
        points = [dict(point) for point in curve.points]
        if quick:
            points = [{**point, "hours": 336} for point in points[: 1 if curve.name == "hours" else 3]]
        answer = ask("curve", points=points, peer=list(curve.peer), repeats=3)
        found.append(
            {"name": curve.name, "unit": curve.unit, "values": list(curve.values)[: len(points)]} | answer
        )
    return found


def _years(quick: bool) -> _Document:
    _say("years on one and two threads")
    options: dict[str, Any] = {"limit_mw": 700.0} | ({"hours": 336} if quick else {})
    return ask("years", options=options, counts=YEARS, threaded=10 if quick else THREADED_YEARS)


def _start() -> _Document:
    _say("first import and compilation")
    found: _Document = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("cold", "warm"):
            imported, cleared, stored, engine = run_text(_START, NUMBA_CACHE_DIR=cache).split()
            found[name] = {
                "import_s": float(imported),
                "cleared_s": float(cleared),
                "stores_s": float(stored),
                "engine": engine,
            }
    return found


def _variants(cases: list[Case], quick: bool) -> _Document:
    """Every way to call HiGHS on every case; the fastest that agrees with the best objective to the gap."""
    found: _Document = {}
    tried: dict[str, list[_Document]] = {}
    for case in cases:
        options = _options(case, quick)
        key = json.dumps(options, sort_keys=True)
        if key not in tried:
            _say(f"{case.name}: ways to call HiGHS")
            tried[key] = ask("variants", options=options).get("variants", [])
        rows = [dict(row) for row in tried[key]]
        solved = [row for row in rows if "objective" in row]
        least = min((row["objective"] for row in solved if "no crossover" not in row["title"]), default=0.0)
        for row in solved:
            row["difference"] = (row["objective"] - least) / max(abs(least), 1.0)
            row["correct"] = abs(row["difference"]) <= case.gap
        fastest = min((row for row in solved if row["correct"]), key=lambda row: row["seconds"], default=None)
        found[case.name] = {"rows": rows, "best": fastest["name"] if fastest else None}
    return found


def _chosen(name: str | None) -> list[Case]:
    cases = [case for case in CASES if name in (None, case.name)]
    if not cases:
        raise SystemExit(f"--case: not one of {', '.join(case.name for case in CASES)}")
    return cases


def _measure(arguments: argparse.Namespace) -> _Document:
    start = time.monotonic()
    cases = _chosen(arguments.case)
    document: _Document = {"schema": 1, "machine": machine(), "quick": arguments.quick}
    networks: dict[str, _Document] = {}
    document["cases"] = [_one_case(case, arguments, networks) for case in cases]
    document["memory"] = _memory(cases, arguments.quick, document["cases"])
    if arguments.case is None:
        document["curves"] = _curves(arguments.quick)
        document["years"] = _years(arguments.quick)
        document["start"] = _start()
    document["seconds"] = time.monotonic() - start
    document["machine"]["load_after"] = load()
    return document


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two weeks instead of a year: a smoke test")
    parser.add_argument("--case", metavar="NAME", help=", ".join(case.name for case in CASES))
    parser.add_argument("--no-pypsa", dest="pypsa", action="store_false", help="leave PyPSA out")
    parser.add_argument("--variants", action="store_true", help="only try every way to call HiGHS (long)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/ as it is")
    arguments = parser.parse_args()
    whole = arguments.write and not arguments.quick and arguments.case is None
    if arguments.variants:
        found = _variants(_chosen(arguments.case), arguments.quick)
        if whole:
            report.write_variants(found)
        print(json.dumps(found, indent=1) if arguments.json else report.variants(found))
        return
    document = _measure(arguments)
    if whole:
        report.write(document)
        _say("wrote docs/performance.md and docs/performance.json")
    print(json.dumps(document, indent=1) if arguments.json else report.tables(document))


if __name__ == "__main__":
    main()
