"""Maximum likelihood for geometric Brownian motion with jumps (Merton, 1976) from daily log returns.

Of a day with n jumps the log return is normal with mean a + n m and variance s² + n d², and n is Poisson with
mean l, so the density of a return r is the mixture

    f(r) = sum over n of exp(−l) l^n / n! · phi(r; a + n m, s² + n d²),

cut where n has no weight left. a, log s, log l, m and log d are found together; the inverse of the observed
information (minus the second derivatives of the log likelihood at its maximum) is their covariance, carried
to the yearly parameters by the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from penstock.errors import BitcoinError, Fault

__all__ = ["DAYS_PER_YEAR", "PARAMETERS", "fit"]

Floats = npt.NDArray[np.float64]
DAYS_PER_YEAR = 365
PARAMETERS = ("drift_per_year", "volatility_per_root_year", "jumps_per_year", "jump_mean", "jump_sd")
MOST_JUMPS_A_DAY = 16  # of a mean of 1 a day, the largest allowed, more than 16 have a chance below 1e-14
JUMP_STARTS_AT = 3.0  # robust standard deviations, for the first guess only
_FACTORIAL = np.array([math.lgamma(n + 1.0) for n in range(MOST_JUMPS_A_DAY + 1)])
_COUNT = np.arange(MOST_JUMPS_A_DAY + 1)


def fit(log_return: Floats) -> tuple[dict[str, float], dict[str, float]]:
    """Estimates and standard errors of `PARAMETERS`, by name, in the units of `JumpDiffusion`.

    log_return: daily log returns, shape (n,). [1]

    Raises BitcoinError where the likelihood has no maximum with jumps inside the limits (0 to 1 a day).
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    def cost(theta: Floats) -> float:
        return -_log_likelihood(theta, log_return)

    guess = _first_guess(log_return)
    bounds = [(None, None), (-12.0, 1.0), (-9.0, 0.0), (None, None), (-9.0, 2.0)]
    found = minimize(cost, guess, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-6})
    theta = np.asarray(found.x, dtype=np.float64)
    at_limit = any(
        low is not None and high is not None and not low + 1e-6 < x < high - 1e-6
        for x, (low, high) in zip(theta, bounds, strict=True)
    )
    information = _second_derivatives(cost, theta)
    if not np.isfinite(found.fun) or at_limit or (np.linalg.eigvalsh(information) <= 0).any():
        problem = f"{len(log_return)} daily returns do not tell jumps from the motion between them"
        raise BitcoinError(Fault("history", problem, "choose a longer window", column="price_usd"))
    slope = _slopes(theta)
    error = np.sqrt(np.diag(slope @ np.linalg.inv(information) @ slope.T))
    return (
        dict(zip(PARAMETERS, map(float, _yearly(theta)), strict=True)),
        dict(zip(PARAMETERS, map(float, error), strict=True)),
    )


def _first_guess(log_return: Floats) -> Floats:
    middle = np.median(log_return)
    robust = max(1.4826 * float(np.median(np.abs(log_return - middle))), 1e-4)
    far = np.abs(log_return - middle) > JUMP_STARTS_AT * robust
    jumps = log_return[far] if far.sum() > 1 else np.array([-4.0, 4.0]) * robust
    rate = min(max(float(far.mean()), 1e-3), 0.5)
    return np.array([middle, np.log(robust), np.log(rate), jumps.mean(), np.log(jumps.std())])


def _log_likelihood(theta: Floats, log_return: Floats) -> float:
    middle, log_s, log_l, jump, log_d = theta
    variance = np.exp(2 * log_s) + _COUNT * np.exp(2 * log_d)
    weight = -np.exp(log_l) + _COUNT * log_l - _FACTORIAL - 0.5 * np.log(2 * np.pi * variance)
    away = log_return[:, None] - (middle + _COUNT * jump)
    terms = weight - 0.5 * away**2 / variance
    top = terms.max(axis=1)
    return float((top + np.log(np.exp(terms - top[:, None]).sum(axis=1))).sum())


def _yearly(theta: Floats) -> Floats:
    """The parameters per year, in the order of `PARAMETERS`."""
    middle, log_s, log_l, jump, log_d = theta
    s, rate, d = np.exp(log_s), np.exp(log_l), np.exp(log_d)
    growth = middle + s**2 / 2 + rate * np.expm1(jump + d**2 / 2)
    return np.array([DAYS_PER_YEAR * growth, s * math.sqrt(DAYS_PER_YEAR), DAYS_PER_YEAR * rate, jump, d])


def _steps(theta: Floats) -> Floats:
    """Steps small beside each parameter's scale: a and m are in units of s and d, the rest are logs."""
    _, log_s, _, _, log_d = theta
    return np.array([1e-2 * np.exp(log_s), 1e-3, 1e-3, 1e-2 * np.exp(log_d), 1e-3])


def _slopes(theta: Floats) -> Floats:
    """First derivatives of `_yearly`, shape (5, 5)."""
    rows = [(_yearly(theta + h) - _yearly(theta - h)) / (2 * h.sum()) for h in np.diag(_steps(theta))]
    return np.array(rows).T


def _second_derivatives(function: Callable[[Floats], float], theta: Floats) -> Floats:
    """Second derivatives by central differences, shape (5, 5)."""
    step = np.diag(_steps(theta))
    size = len(theta)
    second = np.empty((size, size))
    for i in range(size):
        for j in range(i, size):
            up, across = step[i], step[j]
            corners = (
                function(theta + up + across)
                - function(theta + up - across)
                - function(theta - up + across)
                + function(theta - up - across)
            )
            second[i, j] = second[j, i] = corners / (4 * up.sum() * across.sum())
    return second
