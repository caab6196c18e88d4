"""HiGHS: one model that is built once per block shape and updated in place from block to block."""

from __future__ import annotations

import highspy
import numpy as np

from penstock.errors import Fault, SolverError

from .assembly import Entries
from .system import FloatArray

__all__ = ["Model"]

_GAP_TOLERANCE = 1e-7
# Every column has a limit or costs nothing below zero, so no model is unbounded.
_INFEASIBLE = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


class Model:
    """One HiGHS model."""

    def __init__(self) -> None:
        # The compiled class itself: its Python wrapper prints a banner on standard output when it is made.
        self.highs = highspy._core._Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self.highs.setOptionValue("dual_feasibility_tolerance", 1e-9)
        self.signature: tuple[int, ...] | None = None
        nothing = np.zeros(0)
        self._bounds: tuple[FloatArray, FloatArray, FloatArray] = (nothing, nothing, nothing)
        self._rows: tuple[FloatArray, FloatArray] = (nothing, nothing)

    def build(
        self,
        entries: Entries,
        bounds: tuple[FloatArray, FloatArray, FloatArray],
        rows: tuple[FloatArray, FloatArray],
    ) -> None:
        """A fresh model.

        entries: coefficients. bounds: cost, least and most of every column. rows: least and most of each.
        """
        cost, low, high = (part.ravel() for part in bounds)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(cost), len(rows[0])
        model.col_cost_, model.col_lower_, model.col_upper_ = cost, low, high
        model.row_lower_, model.row_upper_ = rows
        starts, indices, values = entries.by_column(len(cost))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = starts
        model.a_matrix_.index_ = indices
        model.a_matrix_.value_ = values
        if self.highs.passModel(model) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refused the model: a fault of Penstock; report it with the system")
        self._bounds, self._rows = (cost, low, high), rows

    def update(
        self, bounds: tuple[FloatArray, FloatArray, FloatArray], rows: tuple[FloatArray, FloatArray]
    ) -> None:
        """New costs and limits for the coefficients that are there; the last basis is kept."""
        cost, low, high = (part.ravel() for part in bounds)
        columns = np.arange(len(cost), dtype=np.int32)
        self.highs.changeColsCost(len(cost), columns, cost)
        self.highs.changeColsBounds(len(cost), columns, low, high)
        for row, (least, most) in enumerate(zip(*rows, strict=True)):
            self.highs.changeRowBounds(row, least, most)
        self._bounds, self._rows = (cost, low, high), rows

    def run(self, where: str) -> tuple[FloatArray, FloatArray] | None:
        """Value of every column and dual of every row at the optimum; None where the limits clash.

        A hot start whose primal and dual objectives disagree is solved again from cold.
        where: the hours, for the message of SolverError.
        """
        self.highs.run()
        if self._doubtful():
            self.highs.clearSolver()
            self.highs.run()
        status = self.highs.getModelStatus()
        if status in _INFEASIBLE:
            return None
        if status != highspy.HighsModelStatus.kOptimal or self._doubtful():
            raise SolverError(
                Fault(
                    where,
                    f"HiGHS ended with {self.highs.modelStatusToString(status)!r}",
                    "check the system for costs or limits of very different size",
                )
            )
        solution = self.highs.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)

    def _doubtful(self) -> bool:
        """True unless the status is proven: infeasible, or optimal with weak duality closing the gap."""
        status = self.highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            return status not in _INFEASIBLE
        solution = self.highs.getSolution()
        cost, low, high = self._bounds
        objective = float(np.dot(cost, np.array(solution.col_value)))
        bound = _dual_part(np.array(solution.row_dual), *self._rows)
        bound += _dual_part(np.array(solution.col_dual), low, high)
        return abs(objective - bound) > _GAP_TOLERANCE * max(1.0, abs(objective))


def _dual_part(dual: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """What the limits contribute to the dual objective at these duals: the limit that each pushes against."""
    pushed = np.where(dual > 0, low, high)
    # A dual within HiGHS's tolerance of zero may stand at a limit that is infinite.
    pushed = np.where(np.abs(dual) < 1e-8, np.clip(pushed, -1e9, 1e9), pushed)
    return float(np.dot(dual, pushed))
