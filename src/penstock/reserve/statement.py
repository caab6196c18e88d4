"""The statement of a reserve over a period: what came, what went, what only moved, what is left.

It is signed by the cosigners of the reserve: the proof of reserve that is attached has the statement's digest
in its purpose. What a reader can check without trust: that the rows add up, that every output named is on the
chain, and that the keys of the closing balance signed this very statement. What rests on the signers' word:
that the registered wallets are all there are, and that a counterparty outside is no friend.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from penstock.errors import Fault, ReserveError

from .descriptors import Network, address_of
from .ledger import KINDS, RULES, Entry, net_exposure, split_period
from .proof import Proof, proof_document
from .secrets import refuse_secrets
from .wire import read_json

__all__ = [
    "FORMAT",
    "Price",
    "attach_proof",
    "is_statement",
    "make_statement",
    "purpose_of",
    "read_statement",
    "statement_faults",
]

FORMAT = "penstock.reserve-statement/1"
_SATOSHI_PER_BTC = 100_000_000
_MOST_BYTES = 128_000_000
_SUMS = {
    "external inflow": "inflow_satoshi",
    "external outflow": "outflow_satoshi",
    "internal transfer": "internal_satoshi",
    "fee": "fee_satoshi",
    "mining income": "mining_satoshi",
}
_ROW_KEYS = (
    *("height", "block_hash", "date", "txid", "vout", "script", "address", "wallet", "kind", "satoshi"),
    *("counterparty", "rule", "mixed"),
)
_SUM_KEYS = (
    *("opening_satoshi", *_SUMS.values(), "closing_satoshi"),
    *("net_purchases_satoshi", "accumulation_satoshi", "mixed_rows"),
)


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a bitcoin on the day that the statement values it at. [USD]"""

    usd: float
    date: dt.date
    source: str


def make_statement(
    entries: Sequence[Entry],
    *,
    reserve: str,
    network: Network,
    from_date: dt.date,
    to_date: dt.date,
    height: int,
    block_hash: str,
    block_hashes: Mapping[int, str],
    price: Price | None,
) -> dict[str, Any]:
    """The statement of a period as a document; its JSON Schema is docs/reserve-statement.schema.json.

    entries: of the ledger up to the block of `height`, the whole chain's.
    reserve: name of the reserve, one line.
    from_date, to_date: days that are in it, UTC. height, block_hash: last block that was looked at.
    block_hashes: of every block that an entry of the period is in.
    price: None where there is none; nothing is valued then.

    Raises ReserveError for a name that is no line, a price that is none, a period that ends before it begins.
    """
    _check_given(reserve, price)
    exposure = net_exposure(entries, from_date=from_date, to_date=to_date)
    before, inside = split_period(entries, from_date=from_date, to_date=to_date)
    wallets: Counter[str] = Counter()
    for entry in (*before, *inside):
        wallets[entry.wallet] += entry.satoshi
    accumulation = exposure.inflow + exposure.outflow + exposure.mining
    return {
        "format": FORMAT,
        "reserve": reserve,
        "network": network,
        "period": {"from": from_date.isoformat(), "to": to_date.isoformat()},
        "block": {"height": height, "hash": block_hash},
        "sums": {
            "opening_satoshi": exposure.opening,
            "inflow_satoshi": exposure.inflow,
            "outflow_satoshi": exposure.outflow,
            "internal_satoshi": exposure.internal,
            "fee_satoshi": exposure.fee,
            "mining_satoshi": exposure.mining,
            "closing_satoshi": exposure.closing,
            "net_purchases_satoshi": exposure.purchases,
            "accumulation_satoshi": accumulation,
            "mixed_rows": exposure.mixed,
        },
        "wallets": dict(sorted(wallets.items())),
        "rows": [_row(entry, network, block_hashes) for entry in inside],
        "rules": {rule: RULES[rule] for rule in dict.fromkeys(entry.rule for entry in inside)},
        "valuation": None if price is None else _valuation(exposure.closing, price),
        "proof": None,
    }


def _check_given(reserve: str, price: Price | None) -> None:
    refuse_secrets(reserve, "name of the reserve")
    faults = []
    if not 1 <= len(reserve) <= 100 or not reserve.isprintable() or reserve != reserve.strip():
        problem = "must be one line of 1 to 100 characters"
        faults.append(Fault("--name", problem, "name the reserve", value=reserve[:100]))
    if price is not None and not 0.0 < price.usd < 1e12:
        problem = "must be a finite price above 0 [USD/BTC]"
        faults.append(Fault("--price", problem, "give the price of one bitcoin", value=f"{price.usd:g}"))
    if price is not None and not price.source.strip():
        faults.append(Fault("--price-source", "is missing", "say where the price is from"))
    if faults:
        raise ReserveError(faults)


def _row(entry: Entry, network: Network, block_hashes: Mapping[int, str]) -> dict[str, Any]:
    return {
        "height": entry.height,
        "block_hash": block_hashes[entry.height],
        "date": dt.datetime.fromtimestamp(entry.time, dt.UTC).date().isoformat(),
        "txid": entry.txid,
        "vout": entry.vout,
        "script": entry.script.hex() or None,
        "address": (address_of(entry.script, network) or None) if entry.script else None,
        "wallet": entry.wallet,
        "kind": entry.kind,
        "satoshi": entry.satoshi,
        "counterparty": entry.counterparty,
        "rule": entry.rule,
        "mixed": "mixed" in entry.flags,
    }


def _valuation(satoshi: int, price: Price) -> dict[str, Any]:
    return {
        "price_usd_per_btc": price.usd,
        "date": price.date.isoformat(),
        "source": price.source,
        "value_usd": round(satoshi * price.usd / _SATOSHI_PER_BTC, 2),
    }


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a statement without its proof, in hexadecimal; the same however its text is spaced."""
    body = {key: value for key, value in document.items() if key != "proof"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def purpose_of(document: Mapping[str, Any]) -> str:
    """The purpose that a proof must have to sign this statement."""
    period = document["period"]
    return f"statement {period['from']} to {period['to']}, sha256 {digest(document)}"


def attach_proof(document: Mapping[str, Any], proof: Proof) -> dict[str, Any]:
    """The statement with the proof that signs it.

    Raises ReserveError where the proof is for something else, or not for the closing balance.
    """
    signed = {**document, "proof": proof_document(proof)}
    if faults := statement_faults(signed, "statement"):
        raise ReserveError(faults)
    return signed


def is_statement(data: bytes) -> bool:
    """Whether bytes say that they are a statement, not whether they are a good one."""
    return FORMAT.encode() in data[:_MOST_BYTES] and b'"sums"' in data


def read_statement(data: bytes, place: str) -> dict[str, Any]:
    """The statement in the bytes of a file, its sums checked.

    Raises ReserveError with every fault: what is no statement, rows that do not add up, a proof that is not
    of this statement.
    """
    document = read_json(data, place, _MOST_BYTES)
    faults = _form_faults(document, place) or statement_faults(document, place)
    if faults:
        raise ReserveError(faults)
    found: dict[str, Any] = document
    return found


def _form_faults(document: object, place: str) -> list[Fault]:
    """What keeps a document from being read at all."""
    mend = "give the statement as it was written"
    keys = ("format", "reserve", "network", "period", "block", "sums", "wallets", "rows", "rules")
    wanted = sorted((*keys, "valuation", "proof"))
    if not isinstance(document, dict) or sorted(document) != wanted or document["format"] != FORMAT:
        return [Fault(place, f"is no statement of the form {FORMAT}", mend)]
    faults = []

    def refuse(column: str, wanted: str) -> None:
        faults.append(Fault(place, f"must be {wanted}", mend, column=column))

    if document["network"] not in get_args(Network):
        refuse("network", f"one of {', '.join(get_args(Network))}")
    if not isinstance(document["reserve"], str):
        refuse("reserve", "a text")
    for column, names in (("period", ("from", "to")), ("block", ("hash", "height"))):
        if not isinstance(document[column], dict) or sorted(document[column]) != sorted(names):
            refuse(column, f"an object with {' and '.join(names)}")
    sums, wallets = document["sums"], document["wallets"]
    if not isinstance(sums, dict) or sorted(sums) != sorted(_SUM_KEYS) or not _whole(sums.values()):
        refuse("sums", f"whole numbers for {', '.join(_SUM_KEYS)}")
    if not isinstance(wallets, dict) or not _whole(wallets.values()):
        refuse("wallets", "whole numbers of satoshi by name")
    if not _is_valuation(document["valuation"]):
        refuse("valuation", "null, or a price, its day, its source and the value")
    for column in ("period", "block"):
        if isinstance(document[column], dict) and not _is_frame(column, document[column]):
            refuse(column, "days such as 2026-10-31" if column == "period" else "a height and a hash")
    rows = document["rows"]
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        refuse("rows", f"a list of objects with {', '.join(_ROW_KEYS)}")
    return faults


def _whole(values: Iterable[object]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or sorted(row) != sorted(_ROW_KEYS):
        return False
    texts = [row[key] for key in ("date", "wallet", "counterparty", "rule")]
    maybe = [row[key] for key in ("script", "address") if row[key] is not None]
    if not all(isinstance(text, str) for text in (*texts, *maybe)) or not isinstance(row["mixed"], bool):
        return False
    hashes = isinstance(row["txid"], str) and isinstance(row["block_hash"], str)
    good = hashes and all(re.fullmatch(r"[0-9a-f]{64}", row[key]) for key in ("txid", "block_hash"))
    vout = row["vout"] is None or _whole([row["vout"]])
    return bool(good and vout and _whole([row["height"], row["satoshi"]]) and row["kind"] in KINDS)


def _is_frame(column: str, found: Mapping[str, Any]) -> bool:
    if column == "block":
        good = isinstance(found.get("hash"), str) and re.fullmatch(r"[0-9a-f]{64}", found["hash"])
        return bool(good and _whole([found.get("height")]))
    try:
        first, last = (dt.date.fromisoformat(found[key]) for key in ("from", "to"))
    except (KeyError, TypeError, ValueError):
        return False
    return first <= last


def _is_valuation(value: object) -> bool:
    if value is None:
        return True
    keys = ("price_usd_per_btc", "date", "source", "value_usd")
    if not isinstance(value, dict) or sorted(value) != sorted(keys):
        return False
    numbers = [value[key] for key in ("price_usd_per_btc", "value_usd")]
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    try:
        dt.date.fromisoformat(value["date"])
    except (TypeError, ValueError):
        return False
    return plain and isinstance(value["source"], str)


def _price_of(value: Mapping[str, Any]) -> Price:
    return Price(value["price_usd_per_btc"], dt.date.fromisoformat(value["date"]), value["source"])


def statement_faults(document: Mapping[str, Any], place: str) -> list[Fault]:
    """What does not add up in a statement, to the satoshi, and a proof that is not of it."""
    sums, rows = document["sums"], document["rows"]
    mend = "make the statement again from the ledger"
    faults = []
    expected = {
        name: sum(row["satoshi"] for row in rows if row["kind"] == kind) for kind, name in _SUMS.items()
    }
    expected["closing_satoshi"] = sums["opening_satoshi"] + sum(row["satoshi"] for row in rows)
    expected["net_purchases_satoshi"] = expected["inflow_satoshi"] + expected["outflow_satoshi"]
    expected["accumulation_satoshi"] = expected["net_purchases_satoshi"] + expected["mining_satoshi"]
    for name, value in expected.items():
        if sums[name] != value:
            problem = f"is {sums[name]} satoshi, the rows make {value}"
            faults.append(Fault(place, problem, mend, column=f"sums.{name}"))
    if sums["internal_satoshi"] != 0:
        problem = f"is {sums['internal_satoshi']} satoshi: what one wallet lost another must have gained"
        faults.append(Fault(place, problem, mend, column="sums.internal_satoshi"))
    value = document["valuation"]
    if value is not None and value != _valuation(sums["closing_satoshi"], _price_of(value)):
        problem = "is not the closing balance at the price that is given"
        faults.append(Fault(place, problem, mend, column="valuation"))
    if sum(document["wallets"].values()) != sums["closing_satoshi"]:
        problem = f"hold {sum(document['wallets'].values())} satoshi, the closing balance is another"
        faults.append(Fault(place, problem, mend, column="wallets"))
    return [*faults, *_proof_faults(document, place)]


def _proof_faults(document: Mapping[str, Any], place: str) -> list[Fault]:
    proof = document["proof"]
    if proof is None:
        return []
    mend = "sign the proof for this very statement: penstock reserve prove --statement FILE"
    message = proof.get("message", {}) if isinstance(proof, dict) else {}
    faults = []
    if message.get("purpose") != purpose_of(document):
        faults.append(Fault(place, "is not signed: the proof is for something else", mend, column="proof"))
    closing = document["sums"]["closing_satoshi"]
    if message.get("satoshi") != closing:
        problem = f"shows {message.get('satoshi')} satoshi, the closing balance is {closing}"
        faults.append(Fault(place, problem, mend, column="proof"))
    return faults
