"""A copy of one country's folder with a piece of another in it: every change with its origin."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from penstock import __version__
from penstock.country import Country, Parameter, load_country
from penstock.country.hourly import HOURLY_FILE
from penstock.country.load import country_folder
from penstock.country.schema import TableSchema, table_schemas
from penstock.errors import Fault, InputError
from penstock.policy import METRICS, Clause, Policy, PolicySource, amount, limit_text, policy_text
from penstock.study.policies import POLICY_FILE, own_policy

from .pieces import Piece, find_piece
from .units import Scaling, carried_unit, is_size, money_rate, scaling_between

__all__ = ["Borrowed", "Item", "borrow"]

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was borrowed; the columns of the table `borrowed`, in words.

    factor: of scaling; rate: of money; each 1 where it does not apply. [1]
    """

    item: str
    piece: str
    action: str
    from_country: str
    from_name: str
    from_year: int
    from_content_hash: str
    from_policy_sha256: str
    penstock_version: str
    scaling: str
    factor: float
    rate: float
    before: str
    after: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A folder to be written: its name is the country's id. files: bytes by file name."""

    id: str
    items: tuple[Item, ...]
    scaling: str
    files: Mapping[str, bytes]


def borrow(
    origin: str | os.PathLike[str],
    piece: str,
    into: str | os.PathLike[str],
    *,
    folder_name: str,
    scale: str = "none",
) -> Borrowed:
    """The tables and the policy of a country with a piece of another in them.

    origin, into: countries that ship, or folders of tables. piece: a name of `pieces_of`.
    folder_name: of the folder that the files will be written to; the new country's id.
    scale: of `SCALES`: how sizes (power, energy, coins, sums) are scaled; prices and shares never are.

    Nothing of `into` is lost: what is replaced stands in the item's `before`. Money is converted at the two
    countries' own rates. A borrowed parameter becomes an assumption whose range holds the lender's value, the
    lender's range and the value it replaces; a clause keeps its dates and its basis.

    Raises InputError: an unknown piece or scaling, a scaling where the piece has nothing to scale;
    TableError, PolicyError and UnknownCountryError as the loaders do.
    """
    lender, borrower = load_country(origin), load_country(into)
    lent, held = own_policy(origin), own_policy(into)
    found = find_piece(lender, lent, piece)
    scaling = scaling_between(lender, borrower, scale)
    if scaling.name != "none" and not _has_size(found, lender):
        problem = f"nothing in {piece} is a size: prices, shares and hours are not scaled"
        raise InputError(Fault("--scale", problem, "leave --scale out", value=scale))
    desk = _Desk(lender, borrower, country_folder(into), piece, scaling)
    if found.clauses and lent is not None:
        held = desk.take_clauses(found.clauses, lent, held)
    desk.take_parameters(found.parameters)
    if held is not None:
        desk.files[POLICY_FILE] = _policy_bytes(replace(held, country=folder_name), desk.title())
    return Borrowed(folder_name, tuple(desk.items), scaling.words, MappingProxyType(desk.written()))


def _has_size(piece: Piece, lender: Country) -> bool:
    units = [*(clause.unit for clause in piece.clauses), *(found.unit for found in piece.parameters)]
    return any(is_size(unit, lender.currency) for unit in units)


def _policy_bytes(policy: Policy, title: str) -> bytes:
    remark = f"{title}\nRemarks of the file it was made from are not carried over."
    return policy_text(policy, remark).encode()


class _Desk:
    """The borrower's files while pieces are put into them."""

    def __init__(
        self, lender: Country, borrower: Country, folder: Path, piece: str, scaling: Scaling
    ) -> None:
        self.lender, self.borrower, self.piece, self.scaling = lender, borrower, piece, scaling
        self.items: list[Item] = []
        names = [*(schema.file for schema in table_schemas().values()), HOURLY_FILE]
        self.files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
        self.sources = self._rows("sources")
        self.parameters = self._rows("parameters")
        self.borrowed = self._rows("borrowed")
        self.lent_sources = {row["source"]: row for row in lender.table("sources")}

    def title(self) -> str:
        """What was done, for a remark."""
        return (
            f"{self.borrower.name} with {self.piece} of {self.lender.name}, written by penstock borrow "
            f"{__version__}."
        )

    def written(self) -> dict[str, bytes]:
        """All files; the three tables that a piece changes are written anew."""
        known = {item.item for item in self.items}
        kept = [row for row in self.borrowed if row["item"] not in known]
        rows = {
            "sources": self.sources,
            "parameters": self.parameters,
            "borrowed": [*kept, *(_item_cells(item) for item in self.items)],
        }
        schemas = table_schemas()
        return self.files | {schemas[name].file: _csv(schemas[name], found) for name, found in rows.items()}

    def take_parameters(self, parameters: tuple[Parameter, ...]) -> None:
        """Puts parameters into the borrower's table, in the place of those of the same name."""
        for found in parameters:
            old = next((row for row in self.parameters if row["parameter"] == found.name), None)
            rate = money_rate(found.name, found.unit, self.lender, self.borrower)
            scaled = self.scaling if is_size(found.unit, self.lender.currency) else None
            factor = 1.0 if scaled is None else scaled.factor
            unit = carried_unit(found.name, found.unit, self.lender, self.borrower)
            numbers = [end * rate * factor for end in (found.value, found.low, found.high) if end is not None]
            if old is not None:
                numbers.append(float(old["value"]))
            source = self._source_row(self.lent_sources[found.source])
            new = {
                "parameter": found.name,
                "value": _number(numbers[0]),
                "low": _number(min(numbers)),
                "high": _number(max(numbers)),
                "unit": unit,
                "basis": "assumption",
                "source": source,
                "note": self._note(found.note),
            }
            place = len(self.parameters) if old is None else self.parameters.index(old)
            self.parameters[place : place + 1] = [new]
            self._note_item(
                f"parameters.{found.name}",
                before="" if old is None else amount(float(old["value"]), old["unit"]),
                after=amount(numbers[0], unit),
                factors=(factor, rate),
                source=source,
                scaling=scaled,
                note=self._twice(f"parameters.{found.name}"),
            )

    def take_clauses(self, clauses: tuple[Clause, ...], lent: Policy, held: Policy | None) -> Policy:
        """The borrower's policy with clauses in it, in the place of those of the same id."""
        kept = [] if held is None else list(held.clauses)
        sources = {} if held is None else dict(held.sources)
        for clause in clauses:
            unit = METRICS[clause.metric].unit_in(self.borrower.currency)
            rate = 1.0 if unit == clause.unit else self.borrower.usd_rate / self.lender.usd_rate
            scaled = self.scaling if is_size(clause.unit, self.lender.currency) else None
            factor = 1.0 if scaled is None else scaled.factor
            key = self._policy_source(lent.sources[clause.source], sources)
            new = replace(_carried(clause, rate * factor), unit=unit, source=key)
            new = replace(new, note=self._note(clause.note))
            place = next((n for n, old in enumerate(kept) if old.id == clause.id), len(kept))
            before = limit_text(kept[place]) if place < len(kept) else ""
            kept[place : place + 1] = [new]
            self._note_item(
                f"policy.{clause.id}",
                before=before,
                after=limit_text(new),
                factors=(factor, rate),
                source=self._source_row(_source_cells(lent.sources[clause.source])),
                scaling=scaled,
                note=self._twice(f"policy.{clause.id}"),
                policy=lent,
            )
        title = f"Borrowed from {self.lender.name}" if held is None else held.title
        return Policy(self.borrower.id, title, tuple(kept), MappingProxyType(sources), "")

    def _note(self, note: str) -> str:
        return f"Borrowed from {self.lender.name} {self.lender.year}. {note}".strip()

    def _twice(self, item: str) -> str:
        """Where the lender had borrowed it itself."""
        for row in self.lender.table("borrowed"):
            if row["item"] == item:
                return f"{self.lender.name} had borrowed it from {row['from_name']} {row['from_year']}"
        return ""

    def _note_item(
        self,
        item: str,
        *,
        before: str,
        after: str,
        factors: tuple[float, float],
        source: str,
        scaling: Scaling | None,
        note: str,
        policy: Policy | None = None,
    ) -> None:
        self.items.append(
            Item(
                item=item,
                piece=self.piece,
                action="replaced" if before else "added",
                from_country=self.lender.id,
                from_name=self.lender.name,
                from_year=self.lender.year,
                from_content_hash=self.lender.content_hash,
                from_policy_sha256="" if policy is None else policy.sha256,
                penstock_version=__version__,
                scaling="none" if scaling is None else scaling.name,
                factor=factors[0],
                rate=factors[1],
                before=before,
                after=after,
                source=source,
                note=note,
            )
        )

    def _rows(self, name: str) -> list[Cells]:
        schema = table_schemas()[name]
        data = self.files.get(schema.file)
        if data is None:
            return []
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        return [dict(row) for row in csv.DictReader(io.StringIO(text), strict=True)]

    def _source_row(self, row: Mapping[str, object]) -> str:
        """Key of a source in the borrower's sources; the source is added where it is not there."""
        cells = {name: str(row.get(name) or "") for name in table_schemas()["sources"].names}
        held = {known["source"]: known for known in self.sources}
        own = f"{self.lender.id}_{cells['source']}"
        for key in (cells["source"], own):
            if key not in held:
                self.sources.append(cells | {"source": key})
                return key
            if _same(held[key], cells, "source"):
                return key
        raise InputError(
            Fault(
                "sources.csv",
                f"holds two other sources under {cells['source']} and {own}",
                "rename one of them in the borrower's tables",
                column="source",
                value=own,
            )
        )

    def _policy_source(self, source: PolicySource, held: dict[str, PolicySource]) -> str:
        """Key of a source in the borrower's policy, put there under one that no other source has."""
        key = source.key
        while key in held and replace(held[key], key=source.key) != source:
            key = f"{self.lender.id}_{key}"
        held[key] = replace(source, key=key)
        return key


def _same(one: Mapping[str, str], other: Mapping[str, str], key: str) -> bool:
    names = {*one, *other} - {key}
    return all((one.get(name) or "") == (other.get(name) or "") for name in names)


def _source_cells(source: PolicySource) -> dict[str, str]:
    names = ("title", "publisher", "url", "dated", "note")
    return {"source": source.key, "licence": "facts"} | {name: getattr(source, name) for name in names}


def _carried(clause: Clause, factor: float) -> Clause:
    """The clause with its numbers times a factor."""

    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    return replace(
        clause,
        at_most=times(clause.at_most),
        at_least=times(clause.at_least),
        tolerance=clause.tolerance * factor,
        low=times(clause.low),
        high=times(clause.high),
    )


def _item_cells(item: Item) -> Cells:
    return {
        name: _number(value) if isinstance(value := getattr(item, name), float) else str(value)
        for name in table_schemas()["borrowed"].names
    }


def _number(value: float) -> str:
    return f"{value:.12g}"


def _csv(schema: TableSchema, rows: list[Cells]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, schema.names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
