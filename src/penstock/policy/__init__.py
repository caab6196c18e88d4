"""Guardrails: dated, cited clauses with a metric and a limit, and what measured numbers say of them."""

from penstock.policy.judge import (
    Finding,
    Judgement,
    Measures,
    Move,
    Reading,
    Status,
    judge,
    required_move,
)
from penstock.policy.metrics import METRICS, Metric
from penstock.policy.policy import (
    SUBJECTS,
    Basis,
    Clause,
    Policy,
    PolicySource,
    Subject,
    only_subjects,
    with_limit,
)
from penstock.policy.read import read_policy
from penstock.policy.words import amount, limit_text
from penstock.policy.write import policy_text

__all__ = [
    "METRICS",
    "SUBJECTS",
    "Basis",
    "Clause",
    "Finding",
    "Judgement",
    "Measures",
    "Metric",
    "Move",
    "Policy",
    "PolicySource",
    "Reading",
    "Status",
    "Subject",
    "amount",
    "judge",
    "limit_text",
    "only_subjects",
    "policy_text",
    "read_policy",
    "required_move",
    "with_limit",
]
