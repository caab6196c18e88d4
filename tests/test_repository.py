"""The repository is whole and neutral: nothing in it names one machine or one package index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import penstock

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", ".cache", "out", "dist", "build", "__pycache__"}

# Written in pieces, so that this file does not hold what it forbids.
INDEX_HOSTS = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("python" + "hosted", "org"),
        ("conda", "anaconda", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
    )
)
MACHINE_FOLDERS = ("work", "root", "home")
# A folder at the root of a file system: not the path of a web address, not a closing tag, not `a/b`.
MACHINE_PATH = re.compile(r"(?<![\w.~<)}\]/*-])/(?:" + "|".join(MACHINE_FOLDERS) + r")(?![\w.-])")


def text_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Path from `root` and text of every file that is text and belongs to the repository."""
    for path in sorted(root.iterdir()):
        if path.is_symlink() or path.name in NOT_OURS or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.name == ".hypothesis":
            continue
        if path.is_dir():
            yield from ((path.relative_to(root) / inner, text) for inner, text in text_files(path))
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield path.relative_to(root), data.decode("utf-8")


def leaks(text: str) -> list[str]:
    """Lines of `text` that name a package index or a folder of one machine, each with its number."""
    return [
        f"{number}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line) or any(host in line.lower() for host in INDEX_HOSTS)
    ]


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in the lock. ValueError for any line of another form."""
    found: dict[str, tuple[str, int]] = {}
    current = ""
    for number, line in enumerate(lock.splitlines(), start=1):
        if match := re.fullmatch(r"([a-z0-9-]+)==(\S+) \\", line):
            current = match[1]
            found[current] = (match[2], 0)
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) and current:
            version, hashes = found[current]
            found[current] = (version, hashes + 1)
        elif not re.fullmatch(r" *#[^/]*", line):
            raise ValueError(
                f"requirements.lock, line {number}: {line!r} is no pin, no sha256 and no comment"
            )
    return found


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def locked() -> dict[str, tuple[str, int]]:
    return pins((ROOT / "requirements.lock").read_text("utf-8"))


def test_no_file_names_a_package_index_or_a_machine() -> None:
    files = dict(text_files(ROOT))
    assert {Path("pyproject.toml"), Path("requirements.lock"), Path("src/penstock/__init__.py")} <= set(files)
    found = [f"{path}:{leak}" for path, text in files.items() for leak in leaks(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        f"see https://{INDEX_HOSTS[0]}/simple",
        f"https://files.{INDEX_HOSTS[2]}/packages/x",
        f"open('/{MACHINE_FOLDERS[0]}/data/plants.csv')",
        f"/{MACHINE_FOLDERS[1]}",
        f"path=/{MACHINE_FOLDERS[2]}/somebody/penstock",
    ],
)
def test_a_leak_is_caught(text: str) -> None:
    assert leaks(f"fine\n{text}\n") == [f"2: {text}"]


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.org/" + MACHINE_FOLDERS[2],
        "</" + MACHINE_FOLDERS[1] + ">",
        "docs/" + MACHINE_FOLDERS[0] + "/a.md",
        "/" + MACHINE_FOLDERS[0] + "ing-paper.pdf",
    ],
)
def test_what_only_looks_like_a_leak_passes(text: str) -> None:
    assert leaks(text) == []


def test_each_pin_in_the_lock_has_a_hash(locked: dict[str, tuple[str, int]]) -> None:
    assert [name for name, (_, hashes) in locked.items() if hashes == 0] == []


def test_lock_holds_all_that_pyproject_asks_for(
    project: dict[str, Any], locked: dict[str, tuple[str, int]]
) -> None:
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    asked += project["build-system"]["requires"]
    unmet = [
        text
        for text, wanted in ((text, Requirement(text)) for text in asked)
        if not wanted.specifier.contains(locked.get(canonicalize_name(wanted.name), ("0", 0))[0])
        or canonicalize_name(wanted.name) not in locked
    ]
    assert unmet == []


@pytest.mark.parametrize(
    "line", ["numpy>=2", "--extra-index-url https://example.org", "# via /somewhere/in.txt"]
)
def test_lock_reader_refuses_any_other_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"line 1: .* is no pin"):
        pins(line)


def test_version_is_one_and_the_changelog_tells_it(project: dict[str, Any]) -> None:
    version = project["project"]["version"]
    assert penstock.__version__ == version
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\]", changelog, re.MULTILINE)
