"""The rooms of the package import one way, and each keeps what it must not know outside.

The checker reads source with `ast`; it runs nothing. The second half of this file plants one violation
at a time in a small package and demands that the checker names it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "penstock"

# A room may import from rooms of a lower rank and from itself. Rooms of one rank do not import each other.
RANK = {
    "errors": 0,
    "country": 1,
    "market": 2,
    "bitcoin": 3,
    "loads": 4,
    "programme": 5,
    "accounts": 5,
    "reserve": 6,
    "inclusion": 7,
    "policy": 8,
    "study": 9,
    "mix": 10,
    "proof": 10,
    "compare": 10,
    "borrow": 10,
    "ensemble": 11,
    "dossier": 12,
    "report": 13,
    "cli": 14,
    "web": 14,
    "__main__": 15,
    "__init__": 15,
}
# Inside the room of loads, these do not know of each other.
STRANGERS = (("loads", "mining"), ("loads", "compute"))

# Same inputs, same bytes: at or below `study` nothing reads a clock, a network, chance or the environment.
OUTSIDE_MODULES = {
    *("aiohttp", "http", "httpx", "random", "requests", "secrets", "socket"),
    *("ssl", "time", "urllib", "urllib3", "uuid"),
}
OUTSIDE_USES = {
    *("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.urandom"),
    *("datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow", "datetime.date.today"),
    *("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow"),
}
# Everything else in numpy.random draws from one hidden state.
SEEDED = {"BitGenerator", "Generator", "PCG64", "PCG64DXSM", "Philox", "SeedSequence", "default_rng"}

VAGUE_NAMES = {"common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
COUNTRY_NAMES = ("pakistan", "salvador")
MAY_NAME_COUNTRIES = {"cli"}  # for the examples in its help
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60  # without its docstring

# "market/solve.py" or "market/solve.py::function" -> its record in docs/decisions.
LONGER: dict[str, str] = {}


@dataclass(frozen=True)
class Module:
    """One source file: its path inside the package, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def dotted(self) -> tuple[str, ...]:
        """Names below the package; ("__init__",) for the package's own file."""
        if self.path == Path("__init__.py"):
            return ("__init__",)
        parts = self.path.with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def room(self) -> str:
        return self.dotted[0]

    @property
    def below_study(self) -> bool:
        return RANK.get(self.room, -1) <= RANK["study"]

    def at(self, node: ast.AST, problem: str) -> str:
        return f"{self.path.as_posix()}:{getattr(node, 'lineno', 1)}: {problem}"


def read(package: Path) -> list[Module]:
    paths = sorted(package.rglob("*.py"))
    texts = [path.read_text("utf-8") for path in paths]
    return [
        Module(path.relative_to(package), text, ast.parse(text))
        for path, text in zip(paths, texts, strict=True)
    ]


@dataclass(frozen=True)
class Imported:
    """One imported thing: its full dotted name, and the local name that stands for `meaning`."""

    node: ast.alias
    full: str
    local: str
    meaning: str


def imports(module: Module) -> Iterator[Imported]:
    containing = ("penstock", *module.path.parent.parts)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:  # `import a.b` binds a, `import a.b as c` binds c to a.b
                first = alias.name.split(".")[0]
                yield Imported(
                    alias, alias.name, alias.asname or first, alias.name if alias.asname else first
                )
        elif isinstance(node, ast.ImportFrom):
            base = [] if not node.level else list(containing[: len(containing) - node.level + 1])
            base += node.module.split(".") if node.module else []
            for alias in node.names:
                full = ".".join([*base, alias.name])
                yield Imported(alias, full, alias.asname or alias.name, full)


def own_imports(module: Module) -> Iterator[tuple[ast.alias, tuple[str, ...]]]:
    """Imports of the package itself, as names below it."""
    for imported in imports(module):
        first, *rest = imported.full.split(".")
        if first == "penstock":
            yield imported.node, tuple(rest)


def one_way(module: Module) -> Iterator[str]:
    if module.room not in RANK:
        yield f"{module.path.as_posix()}:1: room {module.room} has no place in the order of rooms"
        return
    for alias, target in own_imports(module):
        room = target[0] if target else ""
        if room == "__version__" or room == module.room:
            continue
        if room not in RANK:
            yield module.at(
                alias, f"imports {room or 'the package'!r}, which is no room; import from the room"
            )
        elif RANK[room] >= RANK[module.room]:
            yield module.at(alias, f"{module.room} may not import {room}")
        elif any(name.startswith("_") for name in target[1:]):
            yield module.at(alias, f"{'.'.join(target)} is private to {room}")


def strangers(module: Module) -> Iterator[str]:
    if module.dotted[:2] in STRANGERS:
        for alias, target in own_imports(module):
            if target[:2] in STRANGERS and target[:2] != module.dotted[:2]:
                yield module.at(alias, f"{'.'.join(module.dotted[:2])} may not import {'.'.join(target[:2])}")


def outside_name(full: str) -> bool:
    """Whether a dotted name reads a clock, a network, chance or the environment."""
    parts = full.split(".")
    if parts[0] in OUTSIDE_MODULES:
        return True
    if parts[:2] == ["numpy", "random"] and len(parts) > 2:
        return parts[2] not in SEEDED
    return full in OUTSIDE_USES


# What watches and proves a reserve must ask a node; nothing else at or below `study` speaks with anybody.
ASK_THE_CHAIN = {Path("reserve/node_rpc.py")}


def quiet(module: Module) -> Iterator[str]:
    if not module.below_study or module.path in ASK_THE_CHAIN:
        return
    meaning: dict[str, str] = {}
    for imported in imports(module):
        meaning[imported.local] = imported.meaning
        if outside_name(imported.full):
            yield module.at(imported.node, f"{imported.full} is out of bounds at or below study")

    def full_name(node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return meaning.get(node.id, "")
        if isinstance(node, ast.Attribute) and (owner := full_name(node.value)):
            return f"{owner}.{node.attr}"
        return ""

    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            used = full_name(node)
            # Of a module that may not be imported at all, the import is the violation.
            if outside_name(used) and used.split(".")[0] not in OUTSIDE_MODULES:
                yield module.at(node, f"{used} is out of bounds at or below study")
        elif (
            isinstance(node, ast.Call)
            and full_name(node.func) == "numpy.random.default_rng"
            and not (node.args or node.keywords)
        ):
            yield module.at(node, "default_rng() without a seed")


def no_vague_names(module: Module) -> Iterator[str]:
    for part in (*module.path.parts[:-1], module.path.stem):
        if part.strip("_").lower() in VAGUE_NAMES:
            yield f"{module.path.as_posix()}:1: {part} says nothing of what lives there"


def no_asserts_or_eval(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield module.at(node, "assert; raise an error of the tree in errors.py")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"eval", "exec"}
        ):
            yield module.at(node, f"{node.func.id} runs text as code")


def no_country_names(module: Module) -> Iterator[str]:
    for part in module.path.parts:
        if any(name in part.lower() for name in COUNTRY_NAMES):
            yield f"{module.path.as_posix()}:1: a country is data, not code"
    if module.room in MAY_NAME_COUNTRIES:
        return
    bare = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if id(node) in bare:  # a docstring
            continue
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.Name):
            text = node.id
        elif isinstance(node, ast.Attribute):
            text = node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = node.name
        elif isinstance(node, ast.arg | ast.keyword):
            text = node.arg or ""
        if any(name in text.lower() for name in COUNTRY_NAMES):
            yield module.at(node, f"names a country in code: {text[:60]!r}")


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from `def` to its end, its docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def lengths(module: Module) -> Iterator[tuple[str, int, int]]:
    """Name, lines and limit of the file and of each function in it."""
    path = module.path.as_posix()
    yield path, len(module.text.splitlines()), MAX_FILE_LINES
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}::{node.name}", body_lines(node), MAX_FUNCTION_LINES


def too_long(modules: list[Module], longer: Mapping[str, str], root: Path) -> Iterator[str]:
    """What is over its limit without a decision record, and what has a record and needs none."""
    over = {
        name: f"{name}: {lines} lines, over {limit}"
        for module in modules
        for name, lines, limit in lengths(module)
        if lines > limit
    }
    yield from (problem for name, problem in over.items() if name not in longer)
    for name, record in longer.items():
        if name not in over:
            yield f"{name}: allowed to be long, and is not"
        if not (root / record).is_file():
            yield f"{name}: its decision record {record} does not exist"


CHECKS: tuple[Callable[[Module], Iterator[str]], ...] = (
    one_way,
    strangers,
    quiet,
    no_vague_names,
    no_asserts_or_eval,
    no_country_names,
)


def problems(package: Path, check: Callable[[Module], Iterator[str]]) -> list[str]:
    return [problem for module in read(package) for problem in check(module)]


# --- the package ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_package_keeps(check: Callable[[Module], Iterator[str]]) -> None:
    assert problems(PACKAGE, check) == []


def test_package_is_short_enough() -> None:
    assert list(too_long(read(PACKAGE), LONGER, ROOT)) == []


def test_checker_reads_the_package() -> None:
    assert {"errors", "country", "__init__"} <= {module.room for module in read(PACKAGE)}


# --- the checker ---------------------------------------------------------------------------------------

CLEAN = {
    "__init__.py": "from importlib import import_module\nfrom .study import run\n__version__ = '1'\n",
    "errors.py": "import os.path\nclass PenstockError(Exception):\n    pass\n",
    "country/__init__.py": "from ._read import load\nfrom penstock.errors import PenstockError\n",
    "country/_read.py": "from datetime import datetime, timedelta\n\ndef load(): return datetime(2025, 1, 1)",
    "market/__init__.py": '"""Clears Pakistan as it clears any country."""\nfrom ..country import load\n',
    "loads/mining.py": "import numpy as np\n\ndef draw(seed): return np.random.default_rng(seed)\n",
    "loads/compute.py": "from numpy.random import Generator\nfrom ..market import clear\n",
    "study.py": "from . import __version__, errors\nfrom .loads.mining import draw\n",
    "dossier/seal.py": "import os, time\n\ndef stamp(): return time.time(), os.environ['KEY']\n",
    "cli.py": "from .report import show\nEXAMPLE = 'penstock run pakistan'\n",
}

PLANTED = [
    (
        one_way,
        "country/a.py",
        "from penstock.market import clear",
        "country/a.py:1: country may not import market",
    ),
    (one_way, "country/a.py", "from ..study import run", "country may not import study"),
    (one_way, "country/sub/a.py", "from ...study import run", "country may not import study"),
    (one_way, "errors.py", "from . import country", "errors may not import country"),
    (one_way, "market/a.py", "import penstock.loads.mining", "market may not import loads"),
    (
        one_way,
        "market/a.py",
        "def f():\n    from penstock import bitcoin",
        "a.py:2: market may not import bitcoin",
    ),
    (one_way, "web/a.py", "from penstock import cli", "web may not import cli"),
    (one_way, "study.py", "from penstock.market._lp import build", "market._lp.build is private to market"),
    (one_way, "study.py", "from .market import _lp", "market._lp is private to market"),
    (one_way, "study.py", "from penstock import load_country", "'load_country', which is no room"),
    (one_way, "study.py", "import penstock", "imports 'the package', which is no room"),
    (one_way, "power.py", "", "power.py:1: room power has no place"),
    (strangers, "loads/mining.py", "from .compute import x", "loads.mining may not import loads.compute"),
    (strangers, "loads/compute.py", "from . import mining", "loads.compute may not import loads.mining"),
    (quiet, "study.py", "import time", "study.py:1: time is out of bounds"),
    (quiet, "reserve/ledger.py", "import urllib.request", "urllib.request is out of bounds"),
    (quiet, "study.py", "import urllib.request", "urllib.request is out of bounds"),
    (quiet, "country/a.py", "from http import client", "http.client is out of bounds"),
    (quiet, "loads/a.py", "import random", "random is out of bounds"),
    (quiet, "country/a.py", "from os import environ", "os.environ is out of bounds"),
    (quiet, "country/a.py", "import os\nx = os.environ['A']", "a.py:2: os.environ is out of bounds"),
    (quiet, "country/a.py", "import os.path\nx = os.getenv('A')", "a.py:2: os.getenv is out of bounds"),
    (quiet, "policy/a.py", "from datetime import datetime as d\nd.now()", "datetime.datetime.now is out of"),
    (quiet, "policy/a.py", "import datetime as dt\ndt.date.today()", "datetime.date.today is out of bounds"),
    (
        quiet,
        "policy/a.py",
        "import pandas as pd\npd.Timestamp.now()",
        "pandas.Timestamp.now is out of bounds",
    ),
    (quiet, "loads/a.py", "import numpy as np\nnp.random.rand(3)", "numpy.random.rand is out of bounds"),
    (quiet, "loads/a.py", "import numpy as np\nnp.random.default_rng()", "default_rng() without a seed"),
    (
        quiet,
        "loads/a.py",
        "from numpy.random import default_rng\ndefault_rng()",
        "default_rng() without a seed",
    ),
    (no_vague_names, "market/_utils.py", "", "_utils says nothing"),
    (no_vague_names, "core/a.py", "", "core says nothing"),
    (no_asserts_or_eval, "cli.py", "def f(x):\n    assert x", "cli.py:2: assert"),
    (no_asserts_or_eval, "policy/a.py", "eval('1')", "eval runs text as code"),
    (no_country_names, "country/pakistan.py", "", "a country is data, not code"),
    (no_country_names, "market/a.py", "x = {'El Salvador': 1}", "names a country in code: 'El Salvador'"),
    (no_country_names, "market/a.py", "x = f'{1} Pakistan'", "names a country in code: ' Pakistan'"),
    (
        no_country_names,
        "market/a.py",
        "def pakistan_tariff(): ...",
        "names a country in code: 'pakistan_tariff'",
    ),
    (no_country_names, "market/a.py", "def f(pakistan): ...", "names a country in code: 'pakistan'"),
]


def plant(package: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_clean_package_passes(tmp_path: Path, check: Callable[[Module], Iterator[str]]) -> None:
    plant(tmp_path, CLEAN)
    assert problems(tmp_path, check) == []
    assert list(too_long(read(tmp_path), {}, tmp_path)) == []


@pytest.mark.parametrize(("check", "name", "text", "expected"), PLANTED)
def test_planted_violation_is_caught(
    tmp_path: Path, check: Callable[[Module], Iterator[str]], name: str, text: str, expected: str
) -> None:
    plant(tmp_path, {**CLEAN, name: text})
    found = problems(tmp_path, check)
    assert len(found) == 1
    assert expected in found[0]


def function_of(lines: int, docstring: int) -> str:
    quoted = ['    """Says.'] + ["    More."] * (docstring - 2) + ['    """']
    return "\n".join(["def f():", *quoted, *["    x = 1"] * (lines - 1)])


def test_length_is_counted_to_the_line(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "cli.py": "\n" * (MAX_FILE_LINES - 1),
            "study.py": "\n" * MAX_FILE_LINES,
            "web/a.py": function_of(MAX_FUNCTION_LINES, docstring=30),
            "web/b.py": function_of(MAX_FUNCTION_LINES + 1, docstring=30),
        },
    )
    assert list(too_long(read(tmp_path), {}, tmp_path)) == [
        "study.py: 501 lines, over 500",
        "web/b.py::f: 61 lines, over 60",
    ]


def test_a_long_function_needs_a_record_and_a_record_needs_a_long_function(tmp_path: Path) -> None:
    plant(tmp_path, {"web/b.py": function_of(MAX_FUNCTION_LINES + 1, docstring=2)})
    (tmp_path / "0009-long.md").touch()
    assert list(too_long(read(tmp_path), {"web/b.py::f": "0009-long.md"}, tmp_path)) == []
    assert list(too_long(read(tmp_path), {"web/b.py::f": "0010.md"}, tmp_path)) == [
        "web/b.py::f: its decision record 0010.md does not exist"
    ]
    longer = {"web/b.py::f": "0009-long.md", "web/c.py": "0009-long.md"}
    assert list(too_long(read(tmp_path), longer, tmp_path)) == ["web/c.py: allowed to be long, and is not"]
