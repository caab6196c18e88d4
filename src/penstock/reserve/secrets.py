"""Private keys and seeds are refused wherever text comes in, and never repeated.

What counts as a secret: private keys in wallet import format (WIF) and BIP-38, extended private keys of all
SLIP-132 prefixes, nostr secret keys, codex32 shares (BIP-93), PEM private keys, 32 bytes of hexadecimal where
a key stands, and twelve or more words in a row that could be a mnemonic (BIP-39). Checksums are not looked
at, so that a secret with a typing error is refused as well. Public keys, descriptors, addresses,
transactions and ordinary sentences pass.
"""

from __future__ import annotations

import re
import unicodedata

from penstock.errors import Fault, ReserveError

__all__ = ["refuse_secrets"]

_MEND = (
    "use the public part alone (descriptor, extended public key, address); if others saw it, move the coins"
)

_LEFT, _RIGHT = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
# A token is one run of letters and digits: addresses have at most 90 of them and start otherwise, extended
# public keys 111, public keys 66 and 130, hashes 40 and 64. So the length alone tells a WIF from them.
_TOKENS = (
    ("a private key in wallet import format", re.compile(_LEFT + r"[5KL9c][A-Za-z0-9]{48,53}" + _RIGHT)),
    ("an encrypted private key", re.compile(_LEFT + r"6P[A-Za-z0-9]{54,58}" + _RIGHT)),
    ("an extended private key", re.compile(_LEFT + r"(?:[A-Za-z]prv|[LMlm]tpv)[A-Za-z0-9]{8,}")),
    ("a secret key of nostr", re.compile(r"n(?:crypt)?sec1[0-9a-z]{8,}", re.IGNORECASE)),
    # Of 48 letters or more: old addresses of test networks may begin with ms1 too, and have 34.
    ("a share of a seed", re.compile(_LEFT + r"ms1[0-9a-z]{37,}", re.IGNORECASE)),
    ("a private key file", re.compile(r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY")),
)
_GROUPED = re.compile(_LEFT + r"(?:[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}|[A-Za-z]prv[A-Za-z0-9]{50,})" + _RIGHT)
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?([0-9a-fA-F]{64})(?:01)?(?![0-9A-Za-z])")
_KEY_WORD = re.compile(r"(?:priv|secret|seed|key)\w*[\"']?\s*[=:]\s*[\"']?(?:0x)?$", re.IGNORECASE)
_KEY_PLACE = re.compile(r"(\w+)\((?:[^()]*,)?\s*(?:\[[^\]]*\])?$")
_HASHES = {"sha256", "hash256", "ripemd160", "hash160"}  # of a preimage: no key
_FIELD_PRIME = 2**256 - 2**32 - 977  # of secp256k1
_WORD_COUNT = 12  # the shortest mnemonic
# In most English sentences of twelve words or more, and in no list of BIP-39.
_SENTENCE = {"the", "and", "for", "was", "were", "with", "from"}
_SHORTEST, _LONGEST = 3, 8  # letters of a word of BIP-39 in Latin letters
_GAP = re.compile(r"[\s,;|/]+|\d+\s*[.):]?\s*")


def refuse_secrets(text: str, place: str) -> None:
    """Returns where `text` holds no secret; raises otherwise, without a single letter of it.

    text: whatever the user typed: a descriptor, a name, an address, a sentence. Not the base64 of a
        transaction or of a signature, in which a run of letters may look like a key.
    place: file, option or field it came from, for the message. It must not hold the text itself.

    Raises ReserveError.
    """
    if kind := _secret_in(text):
        problem = f"holds what looks like {kind}; Penstock takes, stores and repeats none"
        raise ReserveError(Fault(place=place, problem=problem, mend=_MEND))


def _secret_in(text: str) -> str:
    """What kind of secret is in a text; "" where none is."""
    plain = unicodedata.normalize("NFKC", text)
    for kind, pattern in _TOKENS:
        if pattern.search(plain):
            return kind
    # Written in groups, as on paper. A sentence without its gaps has few figures and capitals.
    for found in _GROUPED.finditer(re.sub(r"[\s\-]+", "", plain)):
        if sum(letter.isdigit() for letter in found[0]) > 2 < sum(letter.isupper() for letter in found[0]):
            return "a private key in groups of letters"
    if any(_hex_is_key(plain, found) for found in _HEX.finditer(plain)):
        return "32 bytes of a private key"
    if _extended_private(plain):
        return "an extended private key"
    return "the words of a seed" if _is_mnemonic(plain) else ""


def _hex_is_key(text: str, found: re.Match[str]) -> bool:
    """Whether 32 bytes of hexadecimal stand where a private key would.

    They do where they are the whole text, where a word such as "key" or "secret" names them, and as a key of
    a script expression, but for keys of taproot that are points on the curve (BIP-340) and for hash locks.
    """
    before = text[: found.start()]
    if not before.strip(" \t\r\n\"'") and not text[found.end() :].strip(" \t\r\n\"'"):
        return True
    if _KEY_WORD.search(before):
        return True
    place = _KEY_PLACE.search(before)
    if place is None or place[1] in _HASHES:
        return False
    in_taproot = re.search(r"(?<!\w)(?:raw)?tr\(", before) is not None
    return not (in_taproot and _on_curve(int(found[1], 16)))


def _on_curve(x: int) -> bool:
    """Whether x is the coordinate of a point of secp256k1: y² = x³ + 7 has a root modulo the prime."""
    if not 0 < x < _FIELD_PRIME:
        return False
    square = (pow(x, 3, _FIELD_PRIME) + 7) % _FIELD_PRIME
    return pow(square, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) == 1


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_EXTENDED = re.compile(_LEFT + r"[1-9A-HJ-NP-Za-km-z]{107,112}" + _RIGHT)


def _extended_private(text: str) -> bool:
    """Whether 78 bytes of BIP-32, of whatever version, hold a private key: it has 00 before it."""
    for found in _EXTENDED.finditer(text):
        number = 0
        for letter in found[0]:
            number = number * 58 + _BASE58.index(letter)
        if number.bit_length() <= 82 * 8 and number.to_bytes(82, "big")[45] == 0:
            return True
    return False


def _is_mnemonic(text: str) -> bool:
    """Whether twelve words or more that could be of BIP-39 stand in a row, numbered or not."""
    run = 0
    for token in _GAP.sub(" ", text).split():
        word = token.strip("\"'`.:[](){}")
        latin = word.isascii()
        fits = word.isalpha() and len(word) <= _LONGEST and (len(word) >= _SHORTEST or not latin)
        one_case = word in (word.lower(), word.upper()) or (word == word.capitalize() and latin)
        run = run + 1 if fits and one_case and word.lower() not in _SENTENCE else 0
        if run >= _WORD_COUNT:
            return True
    return False
