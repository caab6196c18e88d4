"""PyPSA networks in and out: `from_pypsa`, `to_pypsa` and `write_result`.

PyPSA is asked for only when one of these is called. What has no counterpart is refused, every component and
attribute at once (`NetworkError`): see pypsa_attributes.py and docs/pypsa.md.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.errors import Fault, NetworkError

from .bid import Bid
from .clearing import Clearing
from .system import System

__all__ = ["from_pypsa", "load_pypsa", "quiet", "to_pypsa", "write_result"]

INSTALL = 'pip install "penstock[pypsa]"'


def from_pypsa(network: Any) -> tuple[System, list[Bid]]:
    """A PyPSA network as a system and bids, such that `clear(system, bids).net_cost` is PyPSA's objective.

    network: a `pypsa.Network` with given capacities and snapshots of 1 h; it is not changed. Snapshots that
        are not consecutive whole hours become the hours from 2000-01-01T00Z on.

    Raises NetworkError naming every component and attribute that cannot be carried over.
    """
    from .pypsa_carry import carry

    _check_network(network)
    with quiet():
        carried = carry(network)
    return carried.system, list(carried.bids)


def write_result(network: Any, clearing: Clearing) -> None:
    """Write a clearing of `from_pypsa(network)` into the network's result tables, as its optimiser would.

    Filled are the dispatch of generators, loads, storage units and stores, flows (p0, p1), levels, prices
    (`buses_t.marginal_price`), injections (`buses_t.p`) and the objective.

    Raises NetworkError where the clearing is one of another system.
    """
    from .pypsa_carry import carry
    from .pypsa_results import write_carried

    _check_network(network)
    with quiet():
        write_carried(network, carry(network), clearing)


def to_pypsa(system: System, bids: Sequence[Bid] = (), clearing: Clearing | None = None) -> Any:
    """A system and bids as a `pypsa.Network` with the same least cost; with a clearing, its results too.

    Bids and dumped energy become generators of sign -1, unserved demand a generator at the value of lost
    load ("unserved ZONE"), corridors links or, with a reactance, lines; a corridor that is lossy or costly
    and runs both ways becomes two links.

    Raises NetworkError naming everything that PyPSA has no place for: energy budgets of several members or
    periods, corridors with a reactance and two different limits, stores without power; and where the
    clearing is one of another system or of other bids. Whether a plant is curtailable is lost: PyPSA does
    not know it.
    """
    from .pypsa_network import build

    pypsa = load_pypsa()
    with quiet():
        return build(pypsa, system, tuple(bids), clearing)


def _check_network(network: Any) -> None:
    """NetworkError where this is no `pypsa.Network`, or PyPSA is not there."""
    if not isinstance(network, load_pypsa().Network):
        kind = type(network).__name__
        mend = "give a pypsa.Network; pypsa.Network(path) reads one from a file"
        raise NetworkError(
            Fault("network", f"is no pypsa.Network but a {kind}", mend, value=repr(network)[:80])
        )


def load_pypsa() -> Any:
    """The package, imported. NetworkError with the command that installs it where it is not there."""
    try:
        with quiet():
            import pypsa
    except ImportError as error:
        raise NetworkError(Fault("pypsa", f"is not installed ({error})", f"run: {INSTALL}")) from error
    return pypsa


@contextmanager
def quiet() -> Iterator[None]:
    """PyPSA's warnings on its own future and its notes on what it reads stay inside."""
    logger = logging.getLogger("pypsa")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)
