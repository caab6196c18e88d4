"""What `import penstock` offers, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import penstock

PUBLIC = ["Bid", "Clearing", "Programme", "System", "__version__", "clear", "load_country", "run"]
HEAVY = ["highspy", "jinja2", "numpy", "pandas", "plotly", "pvlib", "pyarrow", "pydantic", "scipy", "typer"]


def test_public_names_are_these_and_no_others() -> None:
    assert penstock.__all__ == PUBLIC
    assert dir(penstock) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_leads_to_its_room(name: str) -> None:
    found = getattr(penstock, name)
    if name == "__version__":
        assert isinstance(found, str)
    else:
        assert found.__name__ == name
        assert found.__module__.startswith("penstock.")


def test_unknown_name_is_refused_with_the_list() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'clera'; it offers Bid, .*clear.*run"):
        getattr(penstock, "clera")  # noqa: B009 - the type checker refuses `penstock.clera`, as it should


def test_import_alone_loads_no_heavy_package() -> None:
    script = "import json, sys; import penstock; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "penstock" in loaded
    assert [name for name in HEAVY if name in loaded] == []
