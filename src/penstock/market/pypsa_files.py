"""Files of PyPSA networks: read one, clear it, write it with its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.errors import Fault, NetworkError

from .clear import clear
from .clearing import Clearing
from .pypsa_bridge import from_pypsa, load_pypsa, quiet, write_result

__all__ = ["clear_file", "figures", "read_network", "write_network"]

_WRITERS = {".nc": "export_to_netcdf", ".h5": "export_to_hdf5", "": "export_to_csv_folder"}


def clear_file(
    source: Path, target: Path, *, engine: str, gap: float, progress: Callable[[str, float], None]
) -> Clearing:
    """Clear the network at `source` and write it, results filled in, to `target`.

    engine, gap: as of `clear`. progress: told each step and the share of the work before it.

    Raises NetworkError where the network cannot be read, carried over or written, where `target` is
    `source`, and what `clear` raises.
    """
    _check_target(source, target)
    progress("Reading the network", 0.0)
    network = read_network(source)
    progress("Carrying it over", 0.2)
    system, bids = from_pypsa(network)
    progress("Clearing", 0.4)
    clearing = clear(system, bids, engine=engine, gap=gap)
    progress("Writing the network", 0.9)
    write_result(network, clearing)
    write_network(network, target)
    return clearing


def figures(clearing: Clearing) -> dict[str, Any]:
    """What a clearing says in a few numbers, units in the names; prices are plain means over the hours."""
    prices = clearing.price.mean(axis=0)
    return {
        "objective": clearing.net_cost,
        "lower_bound": clearing.lower_bound,
        "gap": clearing.gap,
        "engine": clearing.engine,
        "hours": clearing.system.hour_count,
        "unserved_mwh": float(clearing.unserved.sum()),
        "mean_price_per_mwh": {
            zone: float(price) for zone, price in zip(clearing.system.zones, prices, strict=True)
        },
    }


def _check_target(source: Path, target: Path) -> None:
    """Refuse, before any work, a target that is the source or of no format that can be written."""
    if target.suffix not in _WRITERS:
        raise NetworkError(
            Fault(
                str(target),
                "has a suffix of no format that can be written",
                "use .nc for netCDF, .h5 for HDF5, none for a folder of CSV tables",
                column="suffix",
                value=target.suffix,
            )
        )
    if target.resolve() == source.resolve():
        raise NetworkError(
            Fault(str(target), "is the network that is read; it is never overwritten", "name another file")
        )
    if target.is_dir() != (target.suffix == "") and target.exists():
        kind = "folder" if target.is_dir() else "file"
        raise NetworkError(Fault(str(target), f"is a {kind} that is there already", "name another file"))


def read_network(path: Path) -> Any:
    """The network in a netCDF or HDF5 file, an Excel workbook or a folder of CSV tables.

    Raises NetworkError where nothing is there or it is no network.
    """
    pypsa = load_pypsa()
    if not path.exists():
        raise NetworkError(
            Fault(str(path), "does not exist", "name a network's file, or its folder of CSV tables")
        )
    try:
        with quiet():
            network = pypsa.Network(path)
    except Exception as error:  # whatever the reader of that format raises
        raise NetworkError(
            Fault(
                str(path),
                f"is no network that PyPSA {pypsa.__version__} can read: {error}",
                "name a netCDF (.nc) or HDF5 (.h5) file or a folder of CSV tables written by PyPSA",
            )
        ) from error
    if network.components["Bus"].static.empty:
        raise NetworkError(Fault(str(path), "holds a network without buses", "name a network that has some"))
    return network


def write_network(network: Any, path: Path) -> None:
    """Write a network as netCDF (.nc), HDF5 (.h5) or, without a suffix, as a folder of CSV tables.

    Raises NetworkError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with quiet():
            getattr(network, _WRITERS[path.suffix])(path)
    except (OSError, ImportError) as error:
        raise NetworkError(
            Fault(str(path), f"cannot be written: {error}", "name a file in a folder that can be written")
        ) from error
