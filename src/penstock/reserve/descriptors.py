"""What may be watched: output descriptors, extended public keys with a script type, and single addresses.

A `Source` is checked text and nothing more. Scripts are derived from it by the library of the extra
`bitcoin`; no private key is taken (`penstock.reserve.secrets`), and no message repeats what was given.
"""

from __future__ import annotations

import atexit
import re
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, get_args

from penstock.errors import Fault, InputError, ReserveError
from penstock.reserve.secrets import refuse_secrets

if TYPE_CHECKING:
    import bdkpython

__all__ = [
    "NETWORKS",
    "SCRIPT_TYPES",
    "Network",
    "ScriptType",
    "Source",
    "address_of",
    "checksum",
    "library",
    "read_address",
    "read_descriptor",
    "read_extended_key",
    "scripts",
]

Network = Literal["main", "test", "testnet4", "signet", "regtest"]
NETWORKS: Final[tuple[Network, ...]] = get_args(Network)
ScriptType = Literal["pkh", "sh-wpkh", "wpkh", "tr"]
SCRIPT_TYPES: Final[tuple[ScriptType, ...]] = get_args(ScriptType)

LONGEST = 10_000  # letters of a descriptor; 20 keys with their origins have 3,500

_LIBRARY_NAME = {
    "main": "BITCOIN",
    "test": "TESTNET",
    "testnet4": "TESTNET4",
    "signet": "SIGNET",
    "regtest": "REGTEST",
}
_KINDS = ("pkh(", "wpkh(", "sh(wpkh(", "sh(wsh(", "wsh(", "tr(")
_WRAP: dict[str, str] = {"pkh": "pkh({})", "sh-wpkh": "sh(wpkh({}))", "wpkh": "wpkh({})", "tr": "tr({})"}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# SLIP-132: version bytes of extended public keys -> (main network or not, script type or None where open).
_VERSIONS: dict[str, tuple[bool, ScriptType | None]] = {
    "0488b21e": (True, None),
    "049d7cb2": (True, "sh-wpkh"),
    "04b24746": (True, "wpkh"),
    "043587cf": (False, None),
    "044a5262": (False, "sh-wpkh"),
    "045f1cf6": (False, "wpkh"),
}
_MULTISIG_VERSIONS = {"0295b43f", "02aa7ed3", "024289ef", "02575483"}


@dataclass(frozen=True, slots=True)
class Source:
    """What is watched. Made by the functions of this file, which check it.

    kind: "descriptor" or "address".
    text: the descriptor with its checksum, or the address; public parts alone.
    network: chain it belongs to.
    ranged: whether more than one script comes from it.
    """

    kind: Literal["descriptor", "address"]
    text: str
    network: Network
    ranged: bool


def library() -> ModuleType:
    """The wallet library. Raises InputError where the extra `bitcoin` is not installed."""
    from importlib import import_module

    try:
        return import_module("bdkpython")
    except ImportError:
        problem = "watching wallets needs the package bdkpython, which is not installed"
    raise InputError(Fault("penstock reserve", problem, "pip install 'penstock[bitcoin]'"))


def read_descriptor(text: str, network: Network, place: str) -> Source:
    """Checks a descriptor: pkh, wpkh, sh(wpkh), sh(wsh), wsh or tr, single or multipath (BIP-380 to 389).

    text: with its checksum or without; without one, a typing error cannot be told.
    place: option or file it came from.

    Raises ReserveError, which does not repeat the text.
    """
    refuse_secrets(text, place)
    body = text.strip()
    if not body or len(body) > LONGEST or not body.isascii() or not body.isprintable():
        problem = f"is no descriptor: 1 to {LONGEST:,} letters of ASCII are allowed, not {len(body):,}"
        raise _refused(place, problem if body else "is empty", "give one descriptor, e.g. wpkh(...)#checksum")
    body, _, told = body.partition("#")
    if "#" in text and told != checksum(body):
        problem = "has a wrong checksum after '#': a letter is missing or changed"
        raise _refused(place, problem, "copy it again, whole")
    if not body.startswith(_KINDS):
        kinds = ", ".join(f"{kind}...{')' * kind.count('(')}" for kind in _KINDS)
        raise _refused(place, "is of no kind that is watched", f"use one of {kinds}, or a single address")
    _refuse_paths(body, place)
    keys = re.findall(r"[tx]pub[1-9A-HJ-NP-Za-km-z]{100,}[0-9/<>;*]*", body)
    if len(set(keys)) < len(keys):
        raise _refused(place, "names the same key twice", "give each cosigner's own key")
    ranged = _parse(body, network, place)
    return Source("descriptor", f"{body}#{checksum(body)}", network, ranged)


def _refuse_paths(body: str, place: str) -> None:
    """Refuses paths past a public key that cannot be walked: the library ends the process over one."""
    walked = re.sub(r"\[[^\[\]]*\]", "", body)
    if re.search(r"(?:/|;|<)(?:\d+|\*)[hH']", walked):
        problem = "derives from a public key hardened, which needs a private key"
        raise _refused(place, problem, "name the account's public key, and end the path with /*")
    steps = re.findall(r"(?<=[/<;])\d+", body)
    if any(len(step) > 10 or int(step) >= 2**31 for step in steps):
        raise _refused(
            place, "has a step of a path above 2,147,483,647", "give the path as the wallet shows it"
        )
    for key, path in re.findall(
        r"(?<![1-9A-HJ-NP-Za-km-z])([1-9A-HJ-NP-Za-km-z]{100,120})([/\d<>;*]*)", walked
    ):
        raw = _base58check(key)
        if raw is not None and len(raw) == 78 and raw[4] + path.count("/") > 255:
            raise _refused(
                place, "has a path with more than 255 steps", "give the path as the wallet shows it"
            )


def _parse(body: str, network: Network, place: str) -> bool:
    """Whether a descriptor is ranged. Raises ReserveError where the library refuses it."""
    found = library()
    kind = found.NetworkKind.MAIN if network == "main" else found.NetworkKind.TEST
    fault = ""
    ranged = False
    try:
        parsed = found.Descriptor(body, kind)
        parsed.sanity_check()
        singles = parsed.to_single_descriptors() if parsed.is_multipath() else [parsed]
        ranged = bool(parsed.has_wildcard())
        for single in singles:
            single.derive_address(0, _library_network(network))
    except (found.DescriptorError, found.MiniscriptError) as error:
        fault = _FAULTS.get(type(error).__name__, "cannot be parsed")
    except Exception:  # what the library raises for a panic of its own, too
        fault = "cannot be parsed"
    if fault:  # outside the handler: the library's words may repeat what was given
        raise _refused(place, fault, f"check keys, brackets and paths, and that it is of network {network!r}")
    return ranged


_FAULTS = {
    "Base58": "holds a key that is not base58 with its own checksum",
    "Bip32": "holds an extended key that cannot be derived",
    "HardenedDerivationXpub": "asks for hardened paths of a public key, which needs a private key",
    "Hex": "holds a key that is not hexadecimal",
    "InvalidDescriptorCharacter": "holds a letter that no descriptor may have",
    "InvalidHdKeyPath": "holds a path that cannot be",
    "Key": "holds a key that is none, or is of another network",
    "Miniscript": "is no script that can be",
    "MultiPath": "has paths that differ in number between its keys",
}


def read_extended_key(text: str, script: ScriptType | None, network: Network, place: str) -> Source:
    """An extended public key of an account as a descriptor of its receiving and change addresses (BIP-389).

    text: xpub, ypub, zpub, tpub, upub or vpub (SLIP-132), with the path of its origin in brackets or without.
    script: kind of addresses; may be left out where the key's prefix tells it.

    Raises ReserveError where it is none, is of another network, or its prefix tells another kind.
    """
    refuse_secrets(text, place)
    found = re.fullmatch(r"\s*(\[[0-9a-fA-F]{8}(?:/\d+[h']?)*\])?([1-9A-HJ-NP-Za-km-z]{100,120})\s*", text)
    raw = None if found is None else _base58check(found[2])
    if found is None or raw is None or len(raw) != 78:
        raise _refused(place, "is no extended public key, or a letter of it is wrong", "copy it again, whole")
    version = raw[:4].hex()
    if version in _MULTISIG_VERSIONS:
        problem = "is a cosigner's key, which has no address of its own"
        raise _refused(place, problem, "give the descriptor, wsh(...)")
    if version not in _VERSIONS:
        raise _refused(place, "has an unknown prefix", "use xpub, ypub, zpub, tpub, upub or vpub")
    main, told = _VERSIONS[version]
    if main != (network == "main"):
        whose = "the main network" if main else "a test network"
        problem = f"is a key of {whose}, not of {network!r}"
        raise _refused(place, problem, "name its network, or give another key")
    kind = script or told
    if kind is None:
        raise _refused(place, "tells no kind of address", f"name one: {', '.join(SCRIPT_TYPES)}")
    if told is not None and told != kind:
        raise _refused(place, f"is a key for {told}, not for {kind}", f"name {told}, or give another key")
    plain = _to_base58check(bytes.fromhex("0488b21e" if main else "043587cf") + raw[4:])
    return read_descriptor(_WRAP[kind].format(f"{found[1] or ''}{plain}/<0;1>/*"), network, place)


def read_address(text: str, network: Network, place: str) -> Source:
    """Checks a single address: its checksum and its network. Raises ReserveError."""
    refuse_secrets(text, place)
    found = library()
    body = text.strip()
    script = b""
    try:
        script = found.Address(body, _library_network(network)).script_pubkey().to_bytes()
    except Exception:  # of any kind: the text is not repeated
        script = b""
    if not script or len(body) > 90:
        mend = f"copy it again, whole; addresses of {network!r} alone are watched here"
        raise _refused(place, f"is no address of network {network!r}", mend)
    return Source("address", body.lower() if body.isupper() else body, network, ranged=False)


def scripts(source: Source, start: int, stop: int) -> tuple[tuple[bytes, ...], ...]:
    """Output scripts of a source: one row for each path (receiving, change), scripts `start` to `stop` - 1.

    A source that is not ranged has the one script of place 0.
    """
    found = library()
    network = _library_network(source.network)
    if source.kind == "address":
        row = (bytes(found.Address(source.text, network).script_pubkey().to_bytes()),)
        return (row if start == 0 else (),)
    last = stop if source.ranged else min(stop, 1)
    return tuple(
        tuple(
            bytes(single.derive_address(place, network).script_pubkey().to_bytes())
            for place in range(start, last)
        )
        for single in _singles(source)
    )


@lru_cache(maxsize=256)
def _singles(source: Source) -> tuple[bdkpython.Descriptor, ...]:
    found = library()
    kind = found.NetworkKind.MAIN if source.network == "main" else found.NetworkKind.TEST
    parsed = found.Descriptor(source.text, kind)
    return tuple(parsed.to_single_descriptors()) if parsed.is_multipath() else (parsed,)


# The library's objects must go before the interpreter takes its modules apart.
atexit.register(_singles.cache_clear)


def address_of(script: bytes, network: Network) -> str:
    """The address of an output script; "" where it has none."""
    found = library()
    try:
        return str(found.Address.from_script(found.Script(script), _library_network(network)))
    except found.FromScriptError:
        return ""


def _library_network(network: Network) -> bdkpython.Network:
    return getattr(library().Network, _LIBRARY_NAME[network])


def _refused(place: str, problem: str, mend: str) -> ReserveError:
    return ReserveError(Fault(place=place, problem=problem, mend=mend))


_INPUT = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_OUTPUT = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def checksum(body: str) -> str:
    """The eight letters after '#' of a descriptor (BIP-380); "" where a letter may not be in one."""
    symbols, groups = [], []
    for letter in body:
        place = _INPUT.find(letter)
        if place < 0:
            return ""
        symbols.append(place & 31)
        groups.append(place >> 5)
        if len(groups) == 3:
            symbols.append(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups = []
    if groups:
        symbols.append(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    state = 1
    for symbol in [*symbols, *([0] * 8)]:
        top = state >> 35
        state = (state & 0x7FFFFFFFF) << 5 ^ symbol
        for bit, generator in enumerate(_GENERATOR):
            state ^= generator if top >> bit & 1 else 0
    state ^= 1
    return "".join(_OUTPUT[state >> 5 * (7 - place) & 31] for place in range(8))


def _base58check(text: str) -> bytes | None:
    """The bytes of base58 text without the four of its checksum; None where that is wrong."""
    from hashlib import sha256

    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    raw = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, told = raw[:-4], raw[-4:]
    return body if sha256(sha256(body).digest()).digest()[:4] == told else None


def _to_base58check(body: bytes) -> str:
    from hashlib import sha256

    raw = body + sha256(sha256(body).digest()).digest()[:4]
    number, letters = int.from_bytes(raw, "big"), ""
    while number:
        number, place = divmod(number, 58)
        letters = _BASE58[place] + letters
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + letters
