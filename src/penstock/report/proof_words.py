"""What the proofs of a tariff, of hosting capacity and of a design say: every number is the document's."""

from __future__ import annotations

from .design_words import design_sentences, proposed_sentence, verdict_sentence
from .hosting_words import hosting_sentences, why_headroom_differs
from .tariff_words import tariff_sentences

__all__ = [
    "design_sentences",
    "hosting_sentences",
    "proposed_sentence",
    "tariff_sentences",
    "verdict_sentence",
    "why_headroom_differs",
]
