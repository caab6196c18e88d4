"""Compiled code that is older than a source of its room is thrown away."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.market.compiled import drop_stale


def test_only_what_is_older_than_a_source_goes(tmp_path: Path) -> None:
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name, age in (("entry.py", 300), ("inlined.py", 200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    for name, age in (("old.nbi", 250), ("new.nbi", 100)):
        (cache / name).touch()
        os.utime(cache / name, (1e9 - age, 1e9 - age))
    drop_stale(tmp_path)
    # old.nbi is newer than entry.py but older than inlined.py, whose code it holds.
    assert [path.name for path in cache.iterdir()] == ["new.nbi"]
