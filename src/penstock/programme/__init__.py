"""The programme: how much, where, at which tariff, and who gains and who pays."""

from penstock.programme.incidence import ConsumerClass, Incidence, PartyChange, who_pays
from penstock.programme.programme import (
    Programme,
    ProgrammeBid,
    check_programme,
    default_programme,
    programme_bids,
)

__all__ = [
    "ConsumerClass",
    "Incidence",
    "PartyChange",
    "Programme",
    "ProgrammeBid",
    "check_programme",
    "default_programme",
    "programme_bids",
    "who_pays",
]
