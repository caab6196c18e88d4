"""What the name of a piece stands for: clauses of a policy, or parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from penstock.country import Country, Parameter
from penstock.country.faults import choices_hint, shown
from penstock.errors import Fault, InputError
from penstock.policy import SUBJECTS, Clause, Policy

__all__ = ["Piece", "find_piece", "pieces_of"]

_POLICY, _PARAMETERS = "policy.", "parameters."
#: Parameters that travel together, by the name of the piece.
_TOGETHER: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "programme": lambda name: name in ("programme_mw", "programme_mining_share", "programme_firm"),
        "tariff": lambda name: name in ("programme_tariff_per_kwh", "programme_highest_tariff_per_kwh"),
        "uptake": lambda name: name.startswith("uptake_"),
    }
)
# Every conversion rests on it, so that it cannot itself be carried over.
_RATE = "currency_per_usd"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is borrowed. Either clauses or parameters; both in the lender's order and money."""

    name: str
    clauses: tuple[Clause, ...]
    parameters: tuple[Parameter, ...]


def pieces_of(country: Country, policy: Policy | None) -> tuple[str, ...]:
    """Names of all pieces that a country has: subjects, clauses, groups of parameters, parameters."""
    clauses = () if policy is None else policy.clauses
    names = [row["parameter"] for row in country.table("parameters")]
    present = {clause.subject for clause in clauses}
    return (
        *(_POLICY + subject for subject in SUBJECTS if subject in present),
        *(_POLICY + clause.id for clause in clauses if clause.id not in SUBJECTS),
        *(name for name, belongs in _TOGETHER.items() if any(map(belongs, names))),
        *(_PARAMETERS + name for name in names if name != _RATE),
    )


def find_piece(country: Country, policy: Policy | None, name: str) -> Piece:
    """The piece of a name: "policy.<subject>", "policy.<clause id>", a group, "parameters.<name>".

    Raises InputError with the nearest names where the country has no such piece.
    """
    known = pieces_of(country, policy)
    if name not in known:
        raise InputError(Fault("PIECE", *_why_not(country, policy, name, known), value=shown(name)))
    if name.startswith(_POLICY) and policy is not None:
        wanted = name.removeprefix(_POLICY)
        by_subject = wanted in SUBJECTS
        clauses = (
            clause for clause in policy.clauses if wanted == (clause.subject if by_subject else clause.id)
        )
        return Piece(name, tuple(clauses), ())
    names = [str(row["parameter"]) for row in country.table("parameters")]
    belongs = _TOGETHER.get(name)
    taken = [name.removeprefix(_PARAMETERS)] if belongs is None else list(filter(belongs, names))
    return Piece(name, (), tuple(country.parameter(given) for given in taken))


def _why_not(country: Country, policy: Policy | None, name: str, known: tuple[str, ...]) -> tuple[str, str]:
    if name == _PARAMETERS + _RATE:
        problem = "is the rate by which the rest is converted, and stays with its country"
        return problem, "borrow what is priced, not the rate"
    if policy is None and name.startswith(_POLICY):
        return f"{country.name} has no policy", "write a policy.yaml beside its tables"
    first = [piece for piece in known if not piece.startswith(_PARAMETERS)]
    hint = choices_hint(name, known, "piece")
    return f"{country.name} has no such piece", f"{hint}; those of more than one line: {', '.join(first)}"
