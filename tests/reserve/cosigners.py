"""Cosigners for the tests: keys made from fixed seeds, on test networks alone, of no value ever."""

from __future__ import annotations

import hashlib

import bdkpython as bdk

from penstock.reserve.psbt import Psbt, read_psbt

_OPTIONS = bdk.SignOptions(
    trust_witness_utxo=True,
    assume_height=None,
    allow_all_sighashes=False,
    try_finalize=False,
    sign_with_tap_internal_key=True,
    allow_grinding=True,
)
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def test_key(name: str) -> str:
    """An extended private key of a test network, derived from a name."""
    seed = hashlib.sha256(f"penstock test key: {name}".encode()).digest()
    body = bytes.fromhex("04358394") + bytes(9) + hashlib.sha256(b"chain" + seed).digest() + b"\0" + seed
    raw = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, letters = int.from_bytes(raw, "big"), ""
    while number:
        number, place = divmod(number, 58)
        letters = _B58[place] + letters
    return letters


test_key.__test__ = False  # type: ignore[attr-defined]


class Cosigner:
    """Somebody who holds one key and signs what is put before them."""

    def __init__(self, name: str) -> None:
        self.name, self.private = name, test_key(name)
        made = bdk.Descriptor(f"wpkh({self.private}/0/*)", bdk.NetworkKind.TEST)
        self.public = str(made).partition("(")[2].partition("/0/")[0]

    def sign(self, psbt: Psbt, descriptor: str) -> Psbt:
        """The PSBT with this cosigner's signatures. descriptor: the wallet's, with public keys."""
        mine = descriptor.partition("#")[0].replace(self.public, self.private)
        signed = bdk.Psbt(psbt.base64())
        for path in ("0", "1"):
            single = bdk.Descriptor(mine.replace("<0;1>", path), bdk.NetworkKind.TEST)
            wallet = bdk.Wallet.create_single(single, bdk.Network.REGTEST, bdk.Persister.new_in_memory())
            wallet.reveal_addresses_to(bdk.KeychainKind.EXTERNAL, 200)
            wallet.sign(signed, _OPTIONS)
        return read_psbt(signed.serialize(), f"signed by {self.name}")


def multisig(needed: int, cosigners: list[Cosigner]) -> str:
    """A descriptor of `needed` of these cosigners, public keys alone."""
    keys = ",".join(f"{one.public}/<0;1>/*" for one in cosigners)
    return f"wsh(sortedmulti({needed},{keys}))"
