"""What may be watched: checked against published vectors, against the node, and against nonsense."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import InputError, ReserveError
from penstock.reserve.descriptors import (
    SCRIPT_TYPES,
    ScriptType,
    Source,
    address_of,
    checksum,
    read_address,
    read_descriptor,
    read_extended_key,
    scripts,
)
from tests.real_node import RealNode

from .watched import account_key, multisig_of

pytest.importorskip("bdkpython")

# The account key of BIP-84's test vector, in its own prefix and as an xpub, with its first addresses.
ZPUB = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3Ef"
    "H1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
)
BIP84 = ("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g")
BIP84_CHANGE = "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"
# BIP-86's.
XPUB86 = (
    "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcL"
    "teoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
)
BIP86 = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"


def test_checksums_of_bip_380() -> None:
    assert checksum("raw(deadbeef)") == "89f8spxm"
    assert checksum("raw(Ü)") == ""


def test_extended_keys_give_the_published_addresses() -> None:
    source = read_extended_key(ZPUB, None, "main", "--xpub")
    receiving, change = scripts(source, 0, 2)
    assert tuple(address_of(each, "main") for each in receiving) == BIP84
    assert address_of(change[0], "main") == BIP84_CHANGE
    taproot = read_extended_key(XPUB86, "tr", "main", "--xpub")
    assert address_of(scripts(taproot, 0, 1)[0][0], "main") == BIP86


@pytest.mark.parametrize("script", SCRIPT_TYPES)
def test_an_extended_key_is_watched_as_each_kind(script: ScriptType) -> None:
    source = read_extended_key(account_key(1), script, "regtest", "--xpub")
    assert source.ranged
    receiving, change = scripts(source, 0, 3)
    assert len(receiving) == len(change) == 3
    assert len({*receiving, *change}) == 6


@pytest.mark.xdist_group("node")
@pytest.mark.parametrize(
    "form",
    [
        f"pkh({account_key(1)}/0/*)",
        f"wpkh({account_key(1)}/0/*)",
        f"sh(wpkh({account_key(1)}/0/*))",
        f"tr({account_key(1)}/0/*)",
        multisig_of(1).replace("<0;1>", "0"),
        f"sh({multisig_of(1).replace('<0;1>', '0')})",
    ],
)
def test_scripts_are_those_of_the_node(node: RealNode, form: str) -> None:
    source = read_descriptor(form, "regtest", "test")
    told = node.rpc("deriveaddresses", source.text, [3, 6])
    found = scripts(source, 3, 7)
    assert [address_of(script, "regtest") for script in found[0]] == told
    assert node.rpc("getdescriptorinfo", form)["checksum"] == source.text.partition("#")[2]


def refusal(ask: Callable[[], Source]) -> str:
    with pytest.raises(ReserveError) as caught:
        ask()
    (fault,) = caught.value.faults
    assert fault.place == "--x"
    assert fault.mend
    return fault.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("wpkh()", "is no script"),
        (f"wpkh({account_key(1)}/0/*)#qqqqqqqq", "wrong checksum"),
        (f"wpkh({account_key(1)}/0/*)#", "wrong checksum"),
        (f"combo({account_key(1)}/0/*)", "of no kind that is watched"),
        ("raw(deadbeef)", "of no kind that is watched"),
        (f"wpkh({account_key(1)}/0/*')", "hardened"),
        (f"wpkh({account_key(1)}/0'/*)", ""),
        (multisig_of(1).replace("sortedmulti(2", "sortedmulti(4"), ""),
        (multisig_of(1).replace("sortedmulti(2", "sortedmulti(0"), ""),
        (f"wsh(sortedmulti(1,{account_key(1)}/0/*,{account_key(1)}/0/*))", "same key twice"),
        (f"wpkh({account_key(1)[:-1]}x/0/*)", ""),
        (f"wpkh({XPUB86}/0/*)", "of another network"),
        (f"wpkh({account_key(1)}/0/*", ""),
        ("wpkh(" * 3000, "letters of ASCII"),
        ("wsh(multi(1,é))", "letters of ASCII"),
    ],
)
def test_what_is_no_descriptor_is_refused_with_its_fault(text: str, problem: str) -> None:
    told = refusal(lambda: read_descriptor(text, "regtest", "--x"))
    assert problem in told
    assert not [text[at : at + 12] for at in range(len(text) - 11) if text[at : at + 12] in told]


@pytest.mark.parametrize(
    ("key", "script", "problem"),
    [
        ("abc", "tr", "no extended public key"),
        (ZPUB, None, "a key of the main network"),
        (account_key(1), None, "tells no kind"),
        (account_key(1)[:-1] + "x", "tr", "a letter of it is wrong"),
    ],
)
def test_what_is_no_extended_key_is_refused(key: str, script: ScriptType | None, problem: str) -> None:
    assert problem in refusal(lambda: read_extended_key(key, script, "regtest", "--x"))


def test_a_prefix_that_tells_another_kind_is_refused() -> None:
    assert "is a key for wpkh, not for tr" in refusal(lambda: read_extended_key(ZPUB, "tr", "main", "--x"))


@pytest.mark.parametrize("text", ["", "hello", BIP86, BIP84[0][:-1] + "q", "1" * 91])
def test_what_is_no_address_of_the_network_is_refused(text: str) -> None:
    assert "is no address of network 'regtest'" in refusal(lambda: read_address(text, "regtest", "--x"))


def test_an_address_is_watched_as_its_script() -> None:
    source = read_address(BIP86.upper(), "main", "--x")
    assert source.text == BIP86
    assert [[address_of(script, "main") for script in row] for row in scripts(source, 0, 9)] == [[BIP86]]


GOOD = (multisig_of(1), f"tr({account_key(2)}/<0;1>/*)", f"sh(wpkh({account_key(3)}/0/*))")


@settings(max_examples=800, deadline=None)
@given(
    st.sampled_from(GOOD),
    st.integers(0, 400),
    st.sampled_from("()<>;,/*'#h0129abzZ[]é\x00 "),
    st.integers(0, 2),
)
def test_a_changed_descriptor_is_read_or_refused(good: str, place: int, letter: str, how: int) -> None:
    place %= len(good)
    rest = good[place + (1 if how else 0) :]
    text = good[:place] + (letter if how < 2 else "") + rest
    with contextlib.suppress(ReserveError):
        assert scripts(read_descriptor(text, "regtest", "--x"), 0, 1)[0]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_nonsense_is_refused(text: str) -> None:
    for read in (read_descriptor, read_address):
        with pytest.raises(ReserveError):
            read(text, "regtest", "--x")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.reserve import descriptors

    def missing(name: str, *rest: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(InputError, match=r"pip install 'penstock\[bitcoin\]'"):
        descriptors.library()


@pytest.mark.parametrize(("steps", "problem"), [(252, "more than 255 steps"), (4000, "more than 255 steps")])
def test_a_path_that_is_too_long_is_refused(steps: int, problem: str) -> None:
    # The library ends the whole process over it, so it must never see one.
    text = f"wpkh({account_key(1)}{'/1' * (steps - 1)}/*)"
    assert problem in refusal(lambda: read_descriptor(text, "regtest", "--x"))
    assert "above 2,147,483,647" in refusal(
        lambda: read_descriptor(f"wpkh({account_key(1)}/{'9' * steps})", "regtest", "--x")
    )
