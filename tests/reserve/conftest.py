"""A real node for the tests of the reserve, on regtest: one for a file of tests, in one worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_node import RealNode, why_not


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    if missing := why_not():
        pytest.skip(missing)
    with RealNode(tmp_path_factory.mktemp("node")) as found:
        yield found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "reserve.sqlite"
