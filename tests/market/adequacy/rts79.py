"""The IEEE Reliability Test System of 1979: its units and its year of load.

Source: IEEE Reliability Test System, IEEE Transactions on Power Apparatus and Systems PAS-98 (6), 1979.
Loss of load and unserved energy of its 8,736 hours: R. N. Allan, R. Billinton, N. M. K. Abdel-Gawad, The IEEE
Reliability Test System: extensions to and evaluation of the generating system, IEEE Transactions on Power
Systems 1 (4), 1986.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from penstock.market.adequacy import Unit

PEAK_MW = 2850.0
LOLE_H, EUE_MWH, ENERGY_MWH = 9.394, 1176.0, 15_297_075.0

#: Number of units, capacity [MW], forced outage rate [1], mean time to repair [h].
UNITS = (
    (5, 12, 0.02, 60),
    (4, 20, 0.10, 50),
    (6, 50, 0.01, 20),
    (4, 76, 0.02, 40),
    (3, 100, 0.04, 50),
    (4, 155, 0.04, 40),
    (3, 197, 0.05, 50),
    (1, 350, 0.08, 100),
    (2, 400, 0.12, 150),
)

#: Peak of the week, of the year's [%]; of the day, of the week's, from Monday [%].
# fmt: off
WEEKS = (
    86.2, 90.0, 87.8, 83.4, 88.0, 84.1, 83.2, 80.6, 74.0, 73.7, 71.5, 72.7, 70.4,
    75.0, 72.1, 80.0, 75.4, 83.7, 87.0, 88.0, 85.6, 81.1, 90.0, 88.7, 89.6, 86.1,
    75.5, 81.6, 80.1, 88.0, 72.2, 77.6, 80.0, 72.9, 72.6, 70.5, 78.0, 69.5, 72.4,
    72.4, 74.3, 74.4, 80.0, 88.1, 88.5, 90.9, 94.0, 89.0, 94.2, 97.0, 100.0, 95.2,
)
DAYS = (93, 100, 98, 96, 94, 77, 75)

#: Load of the hour, of the day's peak, from midnight [%]: weekdays, then Saturday and Sunday.
WINTER = (
    (67, 63, 60, 59, 59, 60, 74, 86, 95, 96, 96, 95, 95, 95, 93, 94, 99, 100, 100, 96, 91, 83, 73, 63),
    (78, 72, 68, 66, 64, 65, 66, 70, 80, 88, 90, 91, 90, 88, 87, 87, 91, 100, 99, 97, 94, 92, 87, 81),
)
SUMMER = (
    (64, 60, 58, 56, 56, 58, 64, 76, 87, 95, 99, 100, 99, 100, 100, 97, 96, 96, 93, 92, 92, 93, 87, 72),
    (74, 70, 66, 65, 64, 62, 62, 66, 81, 86, 91, 93, 93, 92, 91, 91, 92, 94, 95, 95, 100, 93, 88, 80),
)
BETWEEN = (
    (63, 62, 60, 58, 59, 65, 72, 85, 95, 99, 100, 99, 93, 92, 90, 88, 90, 92, 96, 98, 96, 90, 80, 70),
    (75, 73, 69, 66, 65, 65, 68, 74, 83, 89, 92, 94, 91, 90, 90, 86, 85, 88, 92, 100, 97, 95, 90, 85),
)
# fmt: on


def load_mw() -> npt.NDArray[np.float64]:
    """Load of the 8,736 hours, shape (hours,). [MW]"""
    rows = []
    for week, share in enumerate(WEEKS, start=1):
        shapes = WINTER if week <= 8 or week >= 44 else SUMMER if 18 <= week <= 30 else BETWEEN
        for day, of_week in enumerate(DAYS):
            rows += [PEAK_MW * share * of_week * hour / 1e6 for hour in shapes[day >= 5]]
    return np.array(rows)


def units() -> list[Unit]:
    """The 32 units, all in zone RTS."""
    return [
        Unit(f"{capacity} MW {number}", "RTS", float(capacity), rate, float(repair))
        for count, capacity, rate, repair in UNITS
        for number in range(count)
    ]


def capacity_lost() -> npt.NDArray[np.float64]:
    """Probability of every number of MW being down, by exact convolution, shape (installed + 1,)."""
    chance = np.ones(1)
    for count, capacity, rate, _ in UNITS:
        for _unit in range(count):
            longer = np.zeros(len(chance) + capacity)
            longer[: len(chance)] += chance * (1.0 - rate)
            longer[capacity:] += chance * rate
            chance = longer
    return chance
