"""`penstock reserve prove` and `penstock reserve verify`: what the reserve controls, shown and checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import json_text, print_json
from penstock.cli.files import disk_refusals, publish, staging
from penstock.cli.options import JsonOption
from penstock.cli.reserve_options import CookieOption, NodeOption, WalletOption, node_of, read_file
from penstock.cli.tables import console, table
from penstock.errors import Fault, InputError, ReserveError

if TYPE_CHECKING:
    from penstock.reserve.verify import Verification

__all__ = ["prove", "verify"]

PSBT_FILE, PROOF_FILE = "reserve-proof.psbt", "reserve-proof.json"


def prove(
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 1: database of watched wallets, synced.")
    ] = None,
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="Step 1: JSON-RPC of a node, for the last block.")
    ] = None,
    cookie: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 1: the node's cookie file.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Step 1: whom or what the proof is for, one line.")
    ] = None,
    statement: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 1: the statement that the proof is to sign.")
    ] = None,
    wallet: WalletOption = None,
    unsigned: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Step 2: the PSBT that step 1 wrote.")
    ] = None,
    signed: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Step 2: a signed PSBT; once for each cosigner.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the file that is written.")] = Path(
        "out"
    ),
    as_json: JsonOption = False,
) -> None:
    """Prove what the reserve controls, in two steps.

    Step 1 (--database, --node, --cookie, --purpose or --statement) writes a PSBT for the cosigners, who sign
    it offline with their own wallets. Step 2 (--unsigned, --signed) puts their signatures together into the
    proof. No private key is asked for.
    """
    first = {"--database": database, "--node": node, "--cookie": cookie}
    second = unsigned is not None or bool(signed)
    if second:
        first |= {"--purpose": purpose, "--statement": statement}
        faults = [Fault(name, "belongs to step 1", "leave it out") for name, given in first.items() if given]
        if unsigned is None or not signed:
            faults.append(Fault("--unsigned", "and --signed belong together", "give both for step 2"))
    else:
        mend = "give it for step 1"
        faults = [Fault(name, "is missing", mend) for name, given in first.items() if given is None]
        if (purpose is None) == (statement is None):
            faults.append(
                Fault("--purpose", "or --statement must be given, one of them", "say what it is for")
            )
    if faults:
        raise InputError(faults)
    if unsigned is not None and signed:
        _finish(unsigned, signed, out, as_json)
    elif database is not None and node is not None and cookie is not None:
        _prepare(database, node, cookie, purpose, statement, wallet or [], out, as_json)


def _prepare(
    database: Path,
    node: str,
    cookie: Path,
    purpose: str | None,
    statement: Path | None,
    wallets: list[str],
    out: Path,
    as_json: bool,
) -> None:
    from rich.text import Text

    from penstock.reserve.holdings import signable
    from penstock.reserve.proof import prepare_proof, with_transactions
    from penstock.reserve.statement import purpose_of, read_statement
    from penstock.reserve.wallet import WatchStore

    if statement is not None:
        document = read_statement(read_file(statement, "--statement"), str(statement))
        purpose = purpose_of(document)
    with WatchStore(database) as store:
        tip, seen = store.snapshot()
        network, outputs = store.network, signable(store, seen, wallets)
    asked = node_of(node, cookie)
    best = asked.call("getbestblockhash")
    if tip is None or tip.hash != best:
        problem = f"was last synced to block {'none' if tip is None else tip.height}, the node is further"
        raise ReserveError(
            Fault("--database", problem, "run penstock reserve watch first", value=str(database))
        )
    header = asked.call("getblockheader", best)
    message, psbt = prepare_proof(
        with_transactions(outputs, asked),
        purpose=purpose or "",
        date=dt.datetime.fromtimestamp(header["time"], dt.UTC).date(),
        network=network,
        height=header["height"],
        block_hash=best,
    )
    path = _written(out, PSBT_FILE, psbt.base64() + "\n")
    if as_json:
        print_json({"psbt": str(path), "message": message.text, "satoshi": message.satoshi})
        return
    screen = console()
    screen.print(Text(message.text))
    screen.print(Text(f"\nLet the cosigners sign   {path}"), soft_wrap=True)
    screen.print(
        Text(f"then   penstock reserve prove --unsigned {path} --signed FILE --signed FILE"), soft_wrap=True
    )


def _finish(unsigned: Path, signed: list[Path], out: Path, as_json: bool) -> None:
    from rich.text import Text

    from penstock.reserve.proof import finish_proof, proof_document, read_message
    from penstock.reserve.psbt import read_psbt

    psbts = [read_psbt(read_file(path, "--signed").strip(), str(path)) for path in signed]
    first = read_psbt(read_file(unsigned, "--unsigned").strip(), str(unsigned))
    proof = finish_proof(read_message(first.message or b"", str(unsigned)), first, psbts)
    document = proof_document(proof)
    path = _written(out, PROOF_FILE, json_text(document))
    if as_json:
        print_json({"proof": str(path), "satoshi": proof.message.satoshi, "outputs": len(proof.outputs)})
        return
    screen = console()
    screen.print(Text(f"{proof.message.satoshi} satoshi in {len(proof.outputs)} outputs"))
    screen.print(Text(f"proof   {path}"), soft_wrap=True)


def _written(folder: Path, name: str, text: str) -> Path:
    with staging(folder) as staged:
        with disk_refusals(folder):
            (staged / name).write_text(text, "utf-8", newline="\n")
        return publish(staged, folder, {"file": name})["file"]


def verify(
    proof: Annotated[Path, typer.Argument(metavar="FILE", help="A proof of reserve, or a signed statement.")],
    node: NodeOption,
    cookie: CookieOption,
    purpose: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The proof must be for this very purpose.")
    ] = None,
    not_before: Annotated[
        int | None, typer.Option(metavar="HEIGHT", help="The proof's block must be this one or later.")
    ] = None,
    most_age: Annotated[
        int | None,
        typer.Option(
            metavar="BLOCKS", help="Most blocks that the chain may be ahead of the proof. Default: 4320."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a proof of reserve, or a signed statement, with nothing but its file and a node.

    Signatures are checked here by Bitcoin Core's engine, outputs against the node's unspent ones. Of a
    statement the sums and every movement are checked as well. The exit code is 0 where all holds, and 2 where
    anything does not.
    """
    from penstock.reserve.proof import read_proof
    from penstock.reserve.statement import is_statement, read_statement
    from penstock.reserve.verify import MOST_AGE_BLOCKS, verify_proof, verify_statement

    data = read_file(proof, "FILE")
    asked = node_of(node, cookie)
    age = MOST_AGE_BLOCKS if most_age is None else most_age
    document: dict[str, Any] = {}
    if is_statement(data):
        statement = read_statement(data, str(proof))
        found = verify_statement(statement, asked, place=str(proof), not_before=not_before, most_age=age)
        document = {
            "sums": statement["sums"],
            "period": statement["period"],
            "valuation": statement["valuation"],
        }
    else:
        found = verify_proof(
            read_proof(data, str(proof)), asked, purpose=purpose, not_before=not_before, most_age=age
        )
    if as_json:
        print_json(_document(found) | document)
    else:
        _show(found, document)
    if not found.holds:
        raise typer.Exit(2)


def _document(found: Verification) -> dict[str, Any]:
    message = found.proof.message
    return {
        "holds": found.holds,
        "satoshi": found.satoshi,
        "claimed_satoshi": message.satoshi,
        "purpose": message.purpose,
        "date": message.date.isoformat(),
        "height": message.height,
        "tip": found.tip,
        "outputs": [
            {
                "txid": row.outpoint.txid,
                "vout": row.outpoint.vout,
                "satoshi": row.satoshi,
                "height": row.height,
            }
            for row in found.outputs
        ],
        "failures": [
            {"reason": one.reason, "place": one.place, "sentence": one.sentence} for one in found.failures
        ],
    }


def _show(found: Verification, document: Mapping[str, Any]) -> None:
    from rich.text import Text

    screen, message = console(), found.proof.message
    shown = table(f"Outputs at block {found.tip}", ("output", "satoshi", "block"))
    for row in found.outputs:
        height = "not there" if row.height is None else str(row.height)
        shown.add_row(*(Text(cell) for cell in (str(row.outpoint), f"{row.satoshi:,}", height)))
    screen.print(shown)
    for one in found.failures:
        screen.print(Text(f"FAILS ({one.reason}): {one.sentence}"), soft_wrap=True)
    verdict = "holds" if found.holds else "does not hold"
    told = f"The proof of {message.date} for {message.purpose!r} {verdict}: "
    told += f"{found.satoshi:,} of {message.satoshi:,} satoshi are controlled."
    screen.print(Text(told), soft_wrap=True)
    if document:
        sums, period = document["sums"], document["period"]
        net = f"{sums['net_purchases_satoshi']:,} satoshi net from outside"
        bought = f"From {period['from']} to {period['to']}: {net}"
        rest = f"{sums['mining_satoshi']:,} mined, {sums['fee_satoshi']:,} in fees."
        screen.print(Text(f"{bought}, {rest} Moves between own wallets are in neither."), soft_wrap=True)
