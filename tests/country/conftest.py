"""What the tests of the loader share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.country.toy import write_toy_country


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    folder = tmp_path / "toyland"
    write_toy_country(folder)
    return folder
