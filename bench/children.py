"""Child processes: each measurement runs in a fresh one, on one thread. Standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["ask", "run_text"]

ROOT = Path(__file__).resolve().parent.parent
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": path, **more}


def ask(task: str, **arguments: Any) -> dict[str, Any]:
    """What `bench.measure.<task>(**arguments)` gives in a fresh process; {"fault": why} where it fails."""
    with _scratch() as folder:
        answer = folder / "answer.json"
        command = [sys.executable, "-m", "bench.measure", task, json.dumps(arguments), str(answer)]
        done = subprocess.run(
            command, env=_environment({}), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done.returncode or not answer.exists():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            return {"fault": lines[-1] if lines else f"ended with status {done.returncode}"}
        return dict(json.loads(answer.read_text("utf-8")))


def run_text(script: str, **more: str) -> str:
    """What a script prints, run by a fresh interpreter."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=_environment(more), check=True, capture_output=True, text=True)
    return done.stdout


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
