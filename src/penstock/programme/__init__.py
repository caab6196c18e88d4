"""The programme: how much, where, at which tariff, who is interrupted, and who gains and who pays."""

from penstock.programme.decision import ProgrammeBid
from penstock.programme.incidence import ConsumerClass, Incidence, PartyChange, who_pays
from penstock.programme.network import Network, network_of
from penstock.programme.operate import Operation, operate
from penstock.programme.parts import Plan
from penstock.programme.programme import (
    Programme,
    check_programme,
    default_programme,
    plan_for,
    tariff_usd_per_mwh,
)

__all__ = [
    "ConsumerClass",
    "Incidence",
    "Network",
    "Operation",
    "PartyChange",
    "Plan",
    "Programme",
    "ProgrammeBid",
    "check_programme",
    "default_programme",
    "network_of",
    "operate",
    "plan_for",
    "tariff_usd_per_mwh",
    "who_pays",
]
