"""`penstock reserve statement`: what came, went and moved in a period; unsigned, then with its proof."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import JsonOption, finite
from penstock.cli.reserve_options import node_of, read_file
from penstock.cli.tables import console
from penstock.errors import Fault, InputError

if TYPE_CHECKING:
    from penstock.policy import Policy

__all__ = ["statement"]

FILES = {"statement": "statement.json", "page": "statement.html"}


def statement(
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 1: database of watched wallets, synced.")
    ] = None,
    node: Annotated[str | None, typer.Option(metavar="URL", help="Step 1: JSON-RPC of a node.")] = None,
    cookie: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 1: the node's cookie file.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Step 1: first day, UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Step 1: last day, UTC.")] = None,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="Step 1: name of the reserve.")
    ] = "Public reserve",
    price: Annotated[
        float | None,
        typer.Option(
            metavar="USD", callback=finite, help="Step 1: price of a bitcoin on the last day. [USD]"
        ),
    ] = None,
    price_source: Annotated[str, typer.Option(metavar="TEXT", help="Step 1: where the price is from.")] = "",
    country: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY_OR_FOLDER", help="Judge by the clauses of this country on accumulation."
        ),
    ] = None,
    unsigned: Annotated[
        Path | None,
        typer.Option("--statement", metavar="FILE", help="Step 2: the statement that was signed."),
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 2: the proof that signs it.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the two files.")] = Path("out"),
    as_json: JsonOption = False,
) -> None:
    """State what the reserve held, received, paid and moved in a period.

    Step 1 (--database, --node, --cookie, --from, --to) writes the statement. Between the steps the cosigners
    sign it: penstock reserve prove --statement. Step 2 (--statement, --proof) attaches their proof. Two files
    are written: statement.json and statement.html.
    """
    from penstock.reserve.statement import attach_proof, read_statement

    if unsigned is not None or proof is not None:
        if unsigned is None or proof is None:
            raise InputError(Fault("--statement", "and --proof belong together", "give both for step 2"))
        from penstock.reserve.proof import read_proof

        found = read_statement(read_file(unsigned, "--statement"), str(unsigned))
        found = attach_proof(found, read_proof(read_file(proof, "--proof"), str(proof)))
    else:
        found = _made(database, node, cookie, since, until, name, price, price_source)
    judged = None if country is None else _judged(country, found)
    _publish(found, judged, out, as_json)


def _made(
    database: Path | None,
    node: str | None,
    cookie: Path | None,
    since: str | None,
    until: str | None,
    name: str,
    price: float | None,
    price_source: str,
) -> dict[str, Any]:
    from penstock.reserve.ledger import classify
    from penstock.reserve.statement import Price, make_statement
    from penstock.reserve.wallet import WatchStore

    given = {"--database": database, "--node": node, "--cookie": cookie, "--from": since, "--to": until}
    faults = [Fault(key, "is missing", "give it for step 1") for key, value in given.items() if value is None]
    if faults or database is None or node is None or cookie is None or since is None or until is None:
        raise InputError(faults)
    first, last = _day(since, "--from"), _day(until, "--to")
    with WatchStore(database) as store:
        tip, seen = store.snapshot()
        entries = classify(seen, store.mining(), store.labels())
        network = store.network
    if tip is None:
        mend = "run penstock reserve watch first"
        raise InputError(Fault("--database", "holds no block yet", mend, value=str(database)))
    asked = node_of(node, cookie)
    heights = sorted({entry.height for entry in entries})
    hashes = {height: asked.call("getblockhash", height) for height in heights}
    return make_statement(
        entries,
        reserve=name,
        network=network,
        from_date=first,
        to_date=last,
        height=tip.height,
        block_hash=tip.hash,
        block_hashes=hashes,
        price=None if price is None else Price(price, last, price_source),
    )


def _day(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(Fault(option, "is no day", "write it as 2026-10-31", value=text)) from None


def _judged(country: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Findings of the clauses on what public bodies accumulate, on the last day of the statement."""
    from penstock.policy import Reading, judge
    from penstock.study.policies import load_policy

    policy: Policy = load_policy(country)
    coins = found["sums"]["accumulation_satoshi"] / 100_000_000
    period = found["period"]
    readings = {"public_bitcoin_change": [Reading(f"{period['from']} to {period['to']}", coins)]}
    verdict = judge(policy, readings, as_of=_day(period["to"], "--to"))
    return [
        {"id": one.clause.id, "title": one.clause.title, "status": one.status, "sentence": one.sentence}
        for one in verdict.findings
        if one.clause.metric == "public_bitcoin_change"
    ]


def _publish(found: dict[str, Any], judged: list[dict[str, Any]] | None, folder: Path, as_json: bool) -> None:
    from rich.text import Text

    from penstock.report.statement import render_statement, statement_sentences

    page = render_statement(found, judged or [])
    with staging(folder) as staged:
        with disk_refusals(folder):
            (staged / FILES["statement"]).write_text(json_text(found), "utf-8", newline="\n")
            (staged / FILES["page"]).write_text(page, "utf-8", newline="\n")
        files = publish(staged, folder, FILES)
    if as_json:
        print_json({**found, "judged": judged, "files": {key: str(path) for key, path in files.items()}})
        return
    screen = console()
    for sentence in statement_sentences(found, judged or []):
        screen.print(Text(sentence), soft_wrap=True)
    for key, path in files.items():
        screen.print(Text(f"{key:10} {path}"), soft_wrap=True)
    if found["proof"] is None:
        screen.print(
            Text(f"Not signed yet: penstock reserve prove --statement {files['statement']}"), soft_wrap=True
        )
