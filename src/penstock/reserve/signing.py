"""What cosigners need in a PSBT to sign for a script: keys with their paths, and the scripts behind it.

bdk derives them: a wallet in memory is told of a transaction that pays every script, and asked for a PSBT
that spends it. The transaction is never sent, and the wallet is gone afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from .descriptors import Source, _library_network, _singles, library
from .psbt import Field, Map, read_psbt
from .transaction import Outpoint, Transaction, TxInput, TxOutput
from .wire import refuse

if TYPE_CHECKING:
    import bdkpython

__all__ = ["signing_fields"]

_FIELDS = (
    *(Field.REDEEM_SCRIPT, Field.WITNESS_SCRIPT, Field.BIP32_DERIVATION),
    *(Field.TAP_BIP32_DERIVATION, Field.TAP_INTERNAL_KEY, Field.TAP_LEAF_SCRIPT),
)
_SATOSHI = 10_000  # of every output of the transaction that is never sent


def signing_fields(source: Source, places: Mapping[bytes, tuple[int, int]]) -> Mapping[bytes, Map]:
    """Fields of a PSBT's input for each script that a descriptor makes.

    places: of each script the path (0 receiving, 1 change) and the index from which the descriptor makes it.

    Of a single address nothing is known but the address: the result is empty.

    Raises ReserveError where the descriptor does not make a script there.
    """
    if source.kind == "address":
        return MappingProxyType({})
    found: dict[bytes, Map] = {}
    for path, single in enumerate(_singles(source)):
        mine = {script: index for script, (own, index) in places.items() if own == path}
        if mine:
            found |= _of_path(source, single, mine)
    if lost := places.keys() - found.keys():
        problem = f"does not make {len(lost)} of {len(places)} scripts, the first {min(lost).hex()}"
        raise refuse("descriptor", problem, "give the descriptor that the outputs belong to")
    return MappingProxyType(found)


def _of_path(source: Source, single: bdkpython.Descriptor, mine: Mapping[bytes, int]) -> dict[bytes, Map]:
    bdk = library()
    wallet = bdk.Wallet.create_single(
        single, _library_network(source.network), bdk.Persister.new_in_memory(), lookahead=1
    )
    wallet.reveal_addresses_to(bdk.KeychainKind.EXTERNAL, max(mine.values()))
    own = [script for script in sorted(mine) if wallet.is_mine(bdk.Script(script))]
    if not own:
        return {}
    funding = Transaction(
        2,
        (TxInput(Outpoint("11" * 32, 0), sequence=0xFFFFFFFF),),
        tuple(TxOutput(_SATOSHI, script) for script in own),
    )
    wallet.apply_unconfirmed_txs([bdk.UnconfirmedTx(tx=bdk.Transaction(funding.raw()), last_seen=1)])
    txid = bdk.Txid.from_string(funding.txid)
    outpoints = [bdk.OutPoint(txid=txid, vout=place) for place in range(len(own))]
    builder = bdk.TxBuilder().add_utxos(outpoints).manually_selected_only()
    builder = builder.fee_absolute(bdk.Amount.from_sat(_SATOSHI // 2)).drain_to(bdk.Script(own[0]))
    try:
        text = builder.finish(wallet).serialize()
    except Exception as error:  # bdk raises a family of its own
        problem = f"cannot tell what its cosigners need ({type(error).__name__})"
        raise refuse("descriptor", problem, "make the PSBT with the wallet that signs") from None
    psbt = read_psbt(text, "PSBT")
    return {
        own[row.outpoint.vout]: MappingProxyType(
            {key: value for key, value in fields.items() if key[0] in _FIELDS}
        )
        for row, fields in zip(psbt.transaction.inputs, psbt.inputs, strict=True)
    }
