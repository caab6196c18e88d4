"""Is there enough power when plants fail? Sampled outages; loss of load, unserved energy and their errors."""

from penstock.market.adequacy.assess import (
    BASE,
    BATCH,
    NOTHING_KEPT,
    SEEDS,
    SYSTEM,
    Adequacy,
    CaseAdequacy,
    Kept,
    assess_adequacy,
)
from penstock.market.adequacy.estimate import Estimate
from penstock.market.adequacy.model import ExtraLoad, Link, OutageModel, Unit

__all__ = [
    "BASE",
    "BATCH",
    "NOTHING_KEPT",
    "SEEDS",
    "SYSTEM",
    "Adequacy",
    "CaseAdequacy",
    "Estimate",
    "ExtraLoad",
    "Kept",
    "Link",
    "OutageModel",
    "Unit",
    "assess_adequacy",
]
