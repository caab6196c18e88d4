"""Private keys are refused in every dress, and not eight letters of them come back."""

from __future__ import annotations

import hashlib
import logging
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ReserveError
from penstock.reserve.secrets import refuse_secrets

bdk = pytest.importorskip("bdkpython")

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PRIVATE_VERSIONS = {  # SLIP-132
    "xprv": "0488ade4",
    "yprv": "049d7878",
    "zprv": "04b2430c",
    "Yprv": "0295b005",
    "Zprv": "02aa7a99",
    "tprv": "04358394",
    "uprv": "044a4e28",
    "vprv": "045f18bc",
    "Uprv": "024285b5",
    "Vprv": "02575048",
}
seeds = st.binary(min_size=32, max_size=32)


def base58check(body: bytes) -> str:
    raw = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, letters = int.from_bytes(raw, "big"), ""
    while number:
        number, place = divmod(number, 58)
        letters = BASE58[place] + letters
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + letters


def wif(key: bytes, test: bool, compressed: bool) -> str:
    return base58check((b"\xef" if test else b"\x80") + key + (b"\x01" if compressed else b""))


def extended(version: str, key: bytes) -> str:
    return base58check(bytes.fromhex(version) + bytes(9) + hashlib.sha256(key).digest() + b"\0" + key)


def told_of(text: str) -> str:
    """All that the refusal of a text says, with its traceback."""
    with pytest.raises(ReserveError) as caught:
        refuse_secrets(text, "--descriptor")
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    trace = "".join(traceback.format_exception(error))
    return "".join((str(error), repr(error), repr(error.faults), trace))


# What every refusal says, source lines of the traceback included: an English word of a seed may be in it.
OWN_WORDS = told_of(" ".join(["zoo"] * 12))


def refused(text: str, secret: str, caplog: pytest.LogCaptureFixture | None = None) -> None:
    """The text is refused, and what is said holds no eight letters of the secret in a row."""
    told = told_of(text) + ("" if caplog is None else caplog.text)
    pieces = {secret[start : start + 8] for start in range(len(secret) - 7)}
    assert not [piece for piece in pieces if piece in told and piece not in OWN_WORDS]
    assert "--descriptor" in told


@given(
    seeds, st.booleans(), st.booleans(), st.sampled_from(["{}", "wpkh({})", "wif: {}", "pkh({})#abcdefgh"])
)
def test_private_keys_in_wallet_import_format(key: bytes, test: bool, short: bool, form: str) -> None:
    secret = wif(key, test, short)
    refused(form.format(secret), secret)


@given(seeds, st.booleans(), st.integers(0, 50), st.sampled_from(BASE58))
def test_a_typing_error_does_not_let_one_through(key: bytes, test: bool, place: int, letter: str) -> None:
    secret = wif(key, test, True)
    place = max(place, 1)  # the first letter is what tells it
    changed = secret[:place] + letter + secret[place + 1 :]
    refused(changed, changed)
    refused(secret[:-1], secret)


@given(
    seeds, st.sampled_from(sorted(PRIVATE_VERSIONS)), st.sampled_from(["{}", "wpkh([00000000/84h]{}/0/*)"])
)
def test_extended_private_keys_of_all_prefixes(key: bytes, prefix: str, form: str) -> None:
    secret = extended(PRIVATE_VERSIONS[prefix], key)
    assert secret.startswith(prefix)
    refused(form.format(secret), secret)
    refused(form.format(secret[:60]), secret)


@given(seeds)
def test_an_extended_private_key_with_an_unknown_prefix(key: bytes) -> None:
    secret = extended("0488b21e", key)  # says xpub, holds a private key
    assert secret.startswith("xpub")
    refused(secret, secret)


@given(st.binary(min_size=16, max_size=16), st.sampled_from([12, 15, 18, 21, 24]), st.sampled_from(" \n"))
def test_words_of_a_seed(entropy: bytes, count: int, gap: str) -> None:
    raw = hashlib.sha256(entropy).digest()[: count * 4 // 3]
    words = str(bdk.Mnemonic.from_entropy(raw)).split()
    assert len(words) == count
    refused(gap.join(words), " ".join(words))
    refused(gap.join([*words[1:], words[0]]), " ".join(words))  # the checksum is not looked at
    numbered = gap.join(f"{place}. {word}" for place, word in enumerate(words, start=1))
    refused(f"my seed: {numbered}", " ".join(words))
    refused(", ".join(words).upper(), " ".join(words).upper())


@given(
    seeds, st.sampled_from(["{}", "0x{}", "wpkh({})", "pkh([00000000/84h]{})", "key={}", '"secret": "{}"'])
)
def test_thirty_two_bytes_where_a_key_stands(key: bytes, form: str) -> None:
    refused(form.format(key.hex()), key.hex())


@given(seeds, st.integers(1, 3))
def test_a_hexadecimal_key_among_several(key: bytes, place: int) -> None:
    public = ["02" + "ab" * 32] * 3
    public[place - 1] = key.hex()
    refused(f"wsh(sortedmulti(2,{','.join(public)}))", key.hex())


@given(seeds)
def test_other_dresses(key: bytes) -> None:
    pem = f"-----BEGIN EC PRIVATE KEY-----\n{key.hex()}\n-----END EC PRIVATE KEY-----"
    refused(pem, key.hex())
    secret = wif(key, False, True)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    if sum(letter.isdigit() for letter in secret) > 2:
        refused(groups, groups)
    nostr = "nsec1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[byte % 32] for byte in key)
    refused(nostr, nostr)


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    secret = wif(bytes(range(1, 33)), True, True)
    with caplog.at_level(logging.DEBUG):
        refused(secret, secret, caplog)


GENERATOR_X = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ministry of finance",
        "Proof of reserves for the review of the third quarter, as agreed on 12 May 2026 in Islamabad.",
        "Opening balance, coins moved between wallets of the ministry and of the bank during September 2026",
        "proof that these coins were held when the second review took place",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6",
        "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
        f"tr({GENERATOR_X})",
        f"tr([00000000/86h]{GENERATOR_X})",
        f'{{"txid": "{"ab" * 32}", "vout": 1}}',
        f"wsh(and_v(v:pk(02{GENERATOR_X}),sha256({'cd' * 32})))",
        f"wpkh(02{GENERATOR_X})",
    ],
)
def test_what_is_public_passes(text: str) -> None:
    refuse_secrets(text, "--descriptor")


def test_a_taproot_key_off_the_curve_is_no_public_key() -> None:
    off = next(
        x for x in range(1, 99) if pow(x**3 + 7, (2**256 - 2**32 - 978) // 2, 2**256 - 2**32 - 977) != 1
    )
    refused(f"tr({off:064x})", f"{off:064x}"[-8:] + "zz")


@given(seeds, st.integers(0, 2**31 - 1))
def test_extended_public_keys_pass(key: bytes, index: int) -> None:
    body = (
        bytes.fromhex("043587cf") + b"\x01" + bytes(4) + index.to_bytes(4, "big") + key[::-1] + b"\x02" + key
    )
    refuse_secrets(f"wpkh([00000000/84h]{base58check(body)}/<0;1>/*)", "--descriptor")


@pytest.mark.parametrize(
    "form",
    ["watch {}", "{}", "watch --{}", "watch --first-block {}", "ledger --from {}", "ledger --database {}"],
)
@pytest.mark.parametrize("kind", ["wif", "extended", "words"])
def test_a_command_line_with_a_secret_is_not_repeated(
    form: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    from penstock.cli.reserve_watch import ledger, watch
    from penstock.cli.reserve_words import RefusingGroup

    app = typer.Typer(cls=RefusingGroup)
    app.command()(watch)
    app.command()(ledger)
    key = bytes(range(1, 33))
    secrets = {
        "wif": wif(key, True, True),
        "extended": extended(PRIVATE_VERSIONS["vprv"], key),
        "words": str(bdk.Mnemonic.from_entropy(key[:16])),
    }
    secret = secrets[kind]
    with pytest.raises(ReserveError) as caught:
        typer.main.get_command(app).main(form.format(secret).split(), standalone_mode=False)
    shown = capsys.readouterr()
    told = str(caught.value) + shown.out + shown.err
    assert not [secret[at : at + 8] for at in range(len(secret) - 7) if secret[at : at + 8] in told]
