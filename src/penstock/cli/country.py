"""`penstock countries` and `penstock check`: the tables of a country."""

from __future__ import annotations

from penstock.cli.documents import print_json
from penstock.cli.options import CountryArgument, JsonOption
from penstock.cli.tables import console, table

__all__ = ["check", "countries"]


def countries(as_json: JsonOption = False) -> None:
    """List the countries that ship with Penstock."""
    from penstock.country import load_country
    from penstock.country.load import shipped_countries

    found = [load_country(name) for name in shipped_countries()]
    fields = ("id", "name", "iso3", "currency", "year")
    rows = [{field: getattr(country, field) for field in fields} for country in found]
    if as_json:
        print_json({"countries": rows})
        return
    if not rows:
        print("No country ships with this installation; give the path of a folder of tables.")
        return
    shown = table("", ("id", "name", "code", "currency", "year"), numbers=False)
    for row in rows:
        shown.add_row(*(str(value) for value in row.values()))
    console().print(shown)


def check(country: CountryArgument, as_json: JsonOption = False) -> None:
    """Check a country's tables; list every fault."""
    from penstock.country import load_country

    facts = load_country(country)
    filled = [rows for rows in facts.tables.values() if len(rows)]
    found = {
        "id": facts.id,
        "name": facts.name,
        "tables": len(filled),
        "rows": sum(len(rows) for rows in filled),
        "hourly_series": len(facts.hourly),
        "content_hash": facts.content_hash,
    }
    if as_json:
        print_json({"country": found})
        return
    series = f", {len(facts.hourly)} hourly series" if facts.hourly else ""
    print(f"{facts.name}: {found['tables']} tables, {found['rows']} rows{series}, hash {facts.content_hash}")
