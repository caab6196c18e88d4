"""The page of a statement of a reserve: one HTML file that needs no network, drawn from `statement.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from .cells import Cell, Column, Row, Table, row_of, words
from .formats import number
from .render import _environment, _part, _script

__all__ = ["render_statement", "statement_sentences"]

_SUMS = (
    ("Opening balance", "opening_satoshi", "total"),
    ("Came from outside", "inflow_satoshi", ""),
    ("Mined", "mining_satoshi", ""),
    ("Went outside", "outflow_satoshi", ""),
    ("Fees of the network", "fee_satoshi", ""),
    ("Moved between own wallets", "internal_satoshi", ""),
    ("Closing balance", "closing_satoshi", "total"),
)
_STATUS = {
    "passed": ("kept", "good"),
    "failed": ("not kept", "bad"),
    "no input": ("no reading, so not kept", "bad"),
    "not in force": ("not in force", ""),
}


def btc(satoshi: int) -> str:
    """Satoshi as bitcoin with all eight decimals."""
    return number(satoshi / 100_000_000, 8)


def statement_sentences(document: dict[str, Any], judged: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """What a reader takes with him, the headline first."""
    sums, period = document["sums"], document["period"]
    net = sums["net_purchases_satoshi"]
    way = (
        "more came in from outside than went there" if net >= 0 else "more went outside than came from there"
    )
    told = [
        f"{document['reserve']}, {period['from']} to {period['to']}: {btc(sums['closing_satoshi'])} BTC at "
        f"the end, {btc(net)} BTC net from outside ({way}).",
        f"{btc(sums['mining_satoshi'])} BTC were mined. Moves between own wallets count as neither; they sum "
        f"to {btc(sums['internal_satoshi'])} BTC.",
    ]
    if sums["mixed_rows"]:
        told.append(
            f"{sums['mixed_rows']} rows are of transactions that others paid into as well: who paid whom in "
            "them is not on the chain."
        )
    if document["valuation"] is not None:
        value = document["valuation"]
        told.append(
            f"Worth {number(value['value_usd'], 2)} USD at {number(value['price_usd_per_btc'], 2)} USD "
            f"({value['date']}, {value['source']})."
        )
    for one in judged:
        told.append(f"{one['title']}: {_STATUS[one['status']][0]}. {one['sentence']}")
    told.append(
        "A proof that signs this very statement is attached: penstock reserve verify checks it with a node."
        if document["proof"] is not None
        else "Not signed: nobody answers for it yet."
    )
    return tuple(told)


def render_statement(document: dict[str, Any], judged: Sequence[dict[str, Any]]) -> str:
    """The statement as one HTML page that loads nothing from anywhere. Same input, same bytes."""
    page = (
        _environment()
        .get_template("statement.html.j2")
        .render(
            document=document,
            sentences=statement_sentences(document, judged),
            sums=_sums(document),
            wallets=_wallets(document),
            rows=_rows(document),
            rules=_rules(document),
            style=Markup(_part("style.css")),
            script=_script(_part("tables.js")),
        )
    )
    return page if page.endswith("\n") else page + "\n"


def _sums(document: dict[str, Any]) -> Table:
    rows = tuple(
        row_of(name, btc(document["sums"][key]), number(document["sums"][key]), kind=kind)
        for name, key, kind in _SUMS
    )
    columns = (words(""), Column("Sum", "BTC"), Column("Sum", "satoshi"))
    note = (
        "Below 0 went out. Purchases cannot be told from gifts or loans on the chain: what came from outside "
        "is the most that can have been bought."
    )
    return Table("table-sums", "From the opening to the closing balance", columns, rows, note)


def _wallets(document: dict[str, Any]) -> Table:
    rows = tuple(row_of(name, btc(held), number(held)) for name, held in document["wallets"].items())
    columns = (words("Wallet"), Column("Closing", "BTC"), Column("Closing", "satoshi"))
    return Table("table-wallets", "Registered wallets", columns, rows)


def _rows(document: dict[str, Any]) -> Table:
    rows = []
    for row in document["rows"]:
        place = row["txid"] if row["vout"] is None else f"{row['txid']}:{row['vout']}"
        cells: list[str | Cell] = [
            *(
                row["date"],
                str(row["height"]),
                row["wallet"],
                row["kind"] + (", mixed" if row["mixed"] else ""),
            ),
            *(number(row["satoshi"]), row["counterparty"], row["rule"], place),
        ]
        rows.append(Row(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells)))
    columns = (
        *(words("Day"), words("Block"), words("Wallet"), words("Class"), Column("Amount", "satoshi")),
        *(words("Other side"), words("Rule"), words("Transaction")),
    )
    return Table("table-rows", "Every movement", columns, tuple(rows), tools=True)


def _rules(document: dict[str, Any]) -> Table:
    rows = tuple(row_of(rule, said) for rule, said in document["rules"].items())
    return Table("table-rules", "The rules that decided", (words("Rule"), words("What it sees")), rows)
