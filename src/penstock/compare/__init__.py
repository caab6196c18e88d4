"""Two countries side by side, and where two figures do not mean the same."""

from penstock.compare.compare import Comparison, compare, compare_studies

__all__ = ["Comparison", "compare", "compare_studies"]
