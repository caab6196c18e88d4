"""What a child process measures; `python -m bench.measure TASK ARGUMENTS ANSWER` is called by children.py.

What is timed: everything from a `System` in memory to a `Clearing`. Every repeat clears a system made of new
objects, so nothing that an engine prepared for an earlier one is found again.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.market import Clearing, clear

from .systems import Market, congested_share, cut, fresh, make

__all__ = ["case", "curve", "memory", "pypsa", "timed", "variants", "years"]

_WARM_HOURS = 48
_PATIENCE_S = 6.0
_VARIANT_LIMIT_S = 60.0
Answer = dict[str, Any]


def _clear(market: Market, engine: str, gap: float = 1e-6) -> Clearing:
    more: dict[str, Any] = {"gap": gap} if "gap" in inspect.signature(clear).parameters else {}
    return clear(market.system, market.bids, engine=engine, **more)


def _has(engine: str) -> bool:
    try:
        _clear(make(hours=2, zones=2, plants=4), engine)
    except PenstockError:
        return False
    return True


def timed(action: Callable[[Market], Any], market: Market) -> tuple[float, Any]:
    """Seconds that `action` takes on a fresh copy of the market, and what it gives."""
    copy = fresh(market)
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        result = action(copy)
        seconds = time.perf_counter() - start
    finally:
        gc.enable()
    return seconds, result


def _summary(seconds: Sequence[float]) -> Answer:
    return {"best_s": min(seconds), "median_s": statistics.median(seconds), "repeats": len(seconds)}


def _peak_mb() -> float:
    """Peak resident memory of this process alone; without /proc, of its parent at the fork as well."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _shape(market: Market) -> Answer:
    system = market.system
    return {
        "hours": system.hour_count,
        "zones": len(system.zones),
        "corridors": len(system.corridors),
        "plants": len(system.plants),
        "stores": len(system.stores),
        "budgets": len(system.budgets),
        "bids": len(market.bids),
    }


class _Kernel:
    """The kernel on one market, or why it gives nothing."""

    def __init__(self, market: Market, gap: float) -> None:
        self.gap, self.fault, self.seconds = gap, "", list[float]()
        self.cleared: Clearing | None = None
        start = time.perf_counter()
        self._try(cut(market, _WARM_HOURS))
        self.first_s = time.perf_counter() - start
        self.seconds.clear()

    def _try(self, market: Market) -> None:
        self.cleared = None  # the last result is given back before the next is made
        try:
            seconds, self.cleared = timed(lambda copy: _clear(copy, "kernel", self.gap), market)
            self.seconds.append(seconds)
        except PenstockError as fault:
            self.fault = str(fault).splitlines()[0]

    def repeat(self, market: Market) -> None:
        """One more repeat, unless it failed before or has had its time."""
        if not self.fault and (not self.seconds or sum(self.seconds) < _PATIENCE_S):
            self._try(market)

    def answer(self) -> Answer:
        """Times and what was certified."""
        if self.fault or self.cleared is None:
            return {"fault": self.fault}
        return {
            **_summary(self.seconds),
            "objective": self.cleared.net_cost,
            "gap": getattr(self.cleared, "gap", None),
            "engine": self.cleared.engine,
            "first_s": self.first_s,
        }


class _Direct:
    """Direct HiGHS on one market, called in one way."""

    def __init__(self, market: Market, name: str) -> None:
        from . import direct

        self.title, self.seconds = direct.VARIANTS[name].title, list[float]()
        self._solve = direct.solve
        self.name = name
        self.optimum = direct.solve(cut(market, _WARM_HOURS), name)

    def repeat(self, market: Market) -> None:
        """One more repeat, unless it has had its time."""
        if not self.seconds or sum(self.seconds) < _PATIENCE_S:
            seconds, self.optimum = timed(lambda copy: self._solve(copy, self.name), market)
            self.seconds.append(seconds)

    def answer(self) -> Answer:
        """Times, the way and the objective."""
        return {**_summary(self.seconds), "variant": self.title, "objective": self.optimum.objective}


def case(options: Mapping[str, Any], variants: Sequence[str], gap: float, rounds: int) -> Answer:
    """Kernel and direct HiGHS in turns on one market, then Penstock's own HiGHS engine once."""
    market = make(**options)
    kernel = _Kernel(market, gap)
    ways = [_Direct(market, name) for name in variants]
    for _ in range(rounds):
        for way in ways:
            kernel.repeat(market)
            way.repeat(market)
    fastest = min(ways, key=lambda way: min(way.seconds))
    answer: Answer = {
        "shape": _shape(market),
        "kernel": kernel.answer(),
        "direct": {**fastest.answer(), "tried": {way.name: way.answer() for way in ways}},
        "reference": None,
        "congested": congested_share(market.system, fastest.optimum.price),
    }
    if min(fastest.seconds) < _PATIENCE_S:
        seconds, cleared = timed(lambda copy: _clear(copy, "highs"), market)
        answer["reference"] = {**_summary([seconds]), "objective": cleared.net_cost}
    return answer


def variants(options: Mapping[str, Any]) -> Answer:
    """Every way to call HiGHS that fits the market, once each."""
    from . import direct

    market, found = make(**options), []
    for name in direct.variants_for(market):
        row: Answer = {"name": name, "title": direct.VARIANTS[name].title}
        try:
            limited = replace(
                direct.VARIANTS[name],
                options={**direct.VARIANTS[name].options, "time_limit": _VARIANT_LIMIT_S},
            )
            seconds, optimum = timed(lambda copy, way=limited: direct.solve(copy, way), market)  # type: ignore[misc]
            row |= {"seconds": seconds, "objective": optimum.objective}
        except RuntimeError as fault:
            row["fault"] = str(fault)
        found.append(row)
        print(f"  {row}", file=sys.stderr, flush=True)
    return {"variants": found}


def pypsa(options: Mapping[str, Any]) -> Answer:
    """PyPSA once: building the network, `optimize`, and the process's peak memory."""
    from . import pypsa_peer

    if not pypsa_peer.available():
        return {"fault": "PyPSA is not installed"}
    market = make(**options)
    pypsa_peer.optimise(small := cut(market, 24), pypsa_peer.build(small))
    before = time.perf_counter()
    network = pypsa_peer.build(market)
    built = time.perf_counter()
    objective = pypsa_peer.optimise(market, network)
    return {
        "build_s": built - before,
        "best_s": time.perf_counter() - built,
        "objective": objective,
        "peak_mb": _peak_mb(),
    }


def memory(options: Mapping[str, Any], engine: str, gap: float, cleared: bool) -> Answer:
    """Peak memory of this process once the market is built, or once it is cleared as well."""
    market = make(**options)
    if cleared:
        _clear(market, engine, gap)
    return {"peak_mb": _peak_mb()}


def curve(points: Sequence[Mapping[str, Any]], peer: Sequence[int], repeats: int) -> Answer:
    """Seconds of the kernel at every point, and of direct HiGHS at those whose number is in `peer`."""
    from . import direct

    found = []
    for index, options in enumerate(points):
        market = make(**options)
        kernel = _Kernel(market, 1e-6)
        for _ in range(repeats):
            kernel.repeat(market)
        row: Answer = {"kernel_s": min(kernel.seconds, default=None), "direct_s": None}
        if index in peer:
            way = "span-free" if market.system.stores or market.system.budgets else "hot-24"
            row["direct_s"] = timed(lambda copy, way=way: direct.solve(copy, way), market)[0]  # type: ignore[misc]
        found.append(row)
    return {"points": found}


def years(options: Mapping[str, Any], counts: Sequence[int], threaded: int) -> Answer:
    """Seconds for so many years one after another, and for `threaded` years on one and on two threads."""
    if not _has("kernel"):
        return {"fault": "the kernel is not available"}
    base = [make(**options, seed=seed) for seed in range(1, 5)]
    _clear(cut(base[0], _WARM_HOURS), "kernel")

    def several(count: int, threads: int) -> float:
        markets = [fresh(base[year % len(base)]) for year in range(count)]
        gc.collect()
        start = time.perf_counter()
        if threads == 0:
            for market in markets:
                _clear(market, "kernel")
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda market: _clear(market, "kernel").net_cost, markets))
        return time.perf_counter() - start

    one, two = (min(several(threaded, threads) for _ in range(2)) for threads in (1, 2))
    return {
        "points": [{"years": count, "seconds": several(count, 0)} for count in counts],
        "threads": {"years": threaded, "one_s": one, "two_s": two},
    }


def main(task: str, arguments: str, answer: str) -> None:
    """Run one task and write what it gives."""
    if task not in __all__:
        raise SystemExit(f"{task} is not one of {', '.join(__all__)}")
    module = importlib.import_module("bench.measure")
    Path(answer).write_text(json.dumps(getattr(module, task)(**json.loads(arguments))), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
