"""A clearing in the country's terms: fuels, money, emissions, surplus; and published figures beside it."""

from .books import Books, keep_books
from .figures import compare_figures
from .surplus import Surplus, find_surplus
from .validation import compare_energy, compare_fuels, compare_months

__all__ = [
    "Books",
    "Surplus",
    "compare_energy",
    "compare_figures",
    "compare_fuels",
    "compare_months",
    "find_surplus",
    "keep_books",
]
