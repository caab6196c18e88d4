"""What the figures were measured on: processor, cores, memory, versions. No name of any machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

__all__ = ["load", "machine"]

_PACKAGES = ("penstock", "numpy", "numba", "highspy", "pypsa", "linopy")


def machine() -> dict[str, Any]:
    """The machine and the versions, and how busy it is as the measurements start."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
        "load": load(),
    }


def load() -> float:
    """Processes that ran or waited to run, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _field(file: str, name: str) -> str:
    path = Path(file)
    if not path.exists():
        return ""
    found = (line.partition(":") for line in path.read_text("utf-8").splitlines())
    return next((value.strip() for key, _, value in found if key.strip() == name), "")
