"""Takes a named piece of one country into a copy of another: clauses of a policy, parameters, a tariff."""

from penstock.borrow.borrow import Borrowed, Item, borrow
from penstock.borrow.pieces import pieces_of
from penstock.borrow.units import SCALES

__all__ = ["SCALES", "Borrowed", "Item", "borrow", "pieces_of"]
