"""Files of PyPSA networks: read one, clear it, write it with its results."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.errors import Fault, NetworkError

from .clear import ENGINES, clear
from .clearing import Clearing
from .pypsa_bridge import from_pypsa, load_pypsa, quiet, write_result

__all__ = ["clear_file", "figures", "read_network", "write_network"]

_WRITERS = {".nc": "export_to_netcdf", ".h5": "export_to_hdf5", "": "export_to_csv_folder"}
_FOLDER_MEND = "name a file in a folder that can be written"


def clear_file(
    source: Path,
    target: Path | None,
    *,
    engine: str,
    gap: float,
    progress: Callable[[str, float], None],
) -> tuple[Clearing, Path]:
    """Clear the network at `source`; write it, results filled in, and say where it is.

    target: where it goes, and replaces a file that is there; None: <source>-cleared.nc in the working
        directory, where there must be none yet.
    engine, gap: as of `clear`. progress: told each step and the share of the work before it.

    Raises NetworkError, before anything is read, with every fault of the options, `source` and `target`;
    later where the network cannot be read, carried over or written; and what `clear` raises.
    """
    overwrite = target is not None
    target = Path(f"{source.stem}-cleared.nc") if target is None else target
    faults = [*_option_faults(engine, gap), *_source_faults(source)]
    faults += _check_target(source, target, overwrite)
    if faults:
        raise NetworkError(faults)
    progress("Reading the network", 0.0)
    network = read_network(source)
    progress("Carrying it over", 0.2)
    system, bids = from_pypsa(network)
    progress("Clearing", 0.4)
    clearing = clear(system, bids, engine=engine, gap=gap)
    progress("Writing the network", 0.9)
    write_result(network, clearing)
    write_network(network, target)
    return clearing, target


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


def _option_faults(engine: str, gap: float) -> Iterator[Fault]:
    if engine not in ENGINES:
        yield Fault("--engine", f"is not one of {', '.join(ENGINES)}", "choose one", value=engine)
    if not 0.0 < gap <= 1.0:
        yield Fault("--gap", "must lie in (0, 1]", "give a share, such as 1e-6", value=f"{gap:g}")


def _source_faults(path: Path) -> Iterator[Fault]:
    if not os.access(path, os.F_OK):
        yield Fault(str(path), "does not exist", "name a network's file, or its folder of CSV tables")


def _check_target(source: Path, target: Path, overwrite: bool) -> Iterator[Fault]:
    """What forbids, before any work, to write the network read from `source` to `target`."""
    if os.path.realpath(target) == os.path.realpath(source):
        yield Fault(str(target), "is the network that is read; it is never overwritten", "name another file")
        return
    faults = [*_target_faults(target)]
    yield from faults
    if not faults and not overwrite and os.path.lexists(target):
        yield Fault(
            str(target),
            "is there already; it is overwritten only where --output names it",
            f"move it away, or add: --output {target}",
        )


def _target_faults(path: Path) -> Iterator[Fault]:
    """What forbids to write a network to `path`: format, what is there already, the folder that it is in."""
    if path.suffix not in _WRITERS:
        yield Fault(
            str(path),
            "has a suffix of no format that can be written",
            "use .nc for netCDF, .h5 for HDF5, none for a folder of CSV tables",
            column="suffix",
            value=path.suffix,
        )
        return
    if path.suffix == ".h5":
        try:
            importlib.import_module("tables")
        except ImportError as error:
            mend = "run: pip install tables, or name a .nc file"
            yield Fault(str(path), f"needs the package tables for HDF5: {error}", mend)
    place = Path(os.path.realpath(path))
    if os.path.lexists(place):
        if place.is_dir() != (path.suffix == ""):
            kind = "folder" if place.is_dir() else "file"
            yield Fault(str(path), f"is a {kind} that is there already", "name another file")
            return
        if not os.access(place, os.W_OK if path.suffix else os.R_OK | os.W_OK | os.X_OK):
            yield Fault(str(path), "is there already and cannot be written", "name another file")
            return
        if path.suffix == "":
            if any(place.iterdir()):
                mend = "name a new or an empty folder"
                yield Fault(str(path), "is a folder that holds files already", mend)
            return
    folder = next(parent for parent in place.parents if os.path.lexists(parent))
    if not folder.is_dir():
        yield Fault(str(path), f"cannot be written: {folder} is a file, not a folder", _FOLDER_MEND)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Fault(str(path), f"cannot be written: there is no right to write in {folder}", _FOLDER_MEND)


def read_network(path: Path) -> Any:
    """The network in a netCDF or HDF5 file, an Excel workbook or a folder of CSV tables.

    Raises NetworkError where nothing is there or it is no network.
    """
    pypsa = load_pypsa()
    if faults := [*_source_faults(path)]:
        raise NetworkError(faults)
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

    A file that is there is replaced, once the new one is complete; a folder must be new or empty. Where it
    fails, everything is as it was.

    Raises NetworkError where it cannot be written.
    """
    if faults := [*_target_faults(path)]:
        raise NetworkError(faults)
    target = Path(os.path.realpath(path))
    filled = path.suffix == "" and os.path.lexists(target)  # not replaced: it may be a mount point
    folder = target if filled else target.parent
    missing = [parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)]
    staged = folder / f".penstock-{os.getpid()}{path.suffix}"
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with quiet():
            getattr(network, _WRITERS[path.suffix])(staged)
        if filled:
            for part in sorted(staged.iterdir()):
                moved.append(part.replace(target / part.name))
            staged.rmdir()
        else:
            staged.replace(target)
    except BaseException as error:
        if path.suffix == "":
            shutil.rmtree(staged, ignore_errors=True)
        for left in (staged, *moved):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        for parent in missing:  # innermost first
            with suppress(OSError):
                parent.rmdir()
        if isinstance(error, (RuntimeError, ValueError, TypeError, OSError, ImportError)):
            other = "name another format: .nc, .h5, or a folder without a suffix"
            mend = _FOLDER_MEND if isinstance(error, OSError) else other
            raise NetworkError(Fault(str(path), f"cannot be written: {error}", mend)) from error
        raise
