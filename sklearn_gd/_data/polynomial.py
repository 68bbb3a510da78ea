"""The polynomial basis: expand inputs, and convert coefficients from one basis to another.

Powers of raw inputs are almost linearly dependent. So inputs are mapped to [-1, 1], and each
feature is expanded in B_0 = 1, B_k(x) = x P_{k-1}(x), with P the Legendre polynomials. No B_k
but the first has a constant term, so that the same basis serves with and without an
intercept. The span of B_0 to B_k is the span of 1 to x^k, so that a lower degree is a leading
block. A term of several features is the product of the terms of each. The columns are in the
order of PolynomialFeatures of scikit-learn.

With ``precondition=None`` the same code is used with plain powers of the raw inputs. Where the
terms of low degrees are left out, powers of inputs that are scaled without a shift are used: the
other polynomials mix degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import legendre
from scipy import sparse
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd._data.array_api import NUMPY, Namespace


class PolynomialBasis(NamedTuple):
    """A polynomial basis of given inputs: which terms, and of which mapped inputs."""

    center: np.ndarray  # (n_features,)
    half_width: np.ndarray  # (n_features,)
    degree: int
    interaction_only: bool
    is_legendre: bool  # x P_{k-1}(x) of mapped inputs, or plain powers
    min_degree: int = 1  # terms of lower degrees are left out; above 1 only with plain powers

    def expand(self, x: Any, out: Any) -> Any:
        """The terms (terms, samples) of ``x`` (samples, features), in a part of ``out``.

        ``out`` (n_expanded, samples) has room for the terms of low degrees too, because higher
        terms are products of them. Only operators are used, and numbers of Python, so that
        arrays of all namespaces serve.
        """
        n_features = x.shape[1]
        top = 1 if self.interaction_only else self.degree
        powers = []
        for j, (center, half_width) in enumerate(
            zip(self.center.tolist(), self.half_width.tolist(), strict=True)
        ):
            t = (x[:, j] - center) / half_width
            powers.append([1.0, t, *_higher(t, top, self.is_legendre)])
        for first, last, feature, power, source in _plan(
            n_features, self.degree, self.interaction_only
        ):
            if source is None:
                out[first, :] = powers[feature][power]
            else:
                # in place, because new memory costs more than the products
                part = out[first:last, :]
                part[...] = out[source : source + last - first, :]
                part *= powers[feature][power]
        return out[self.n_left_out :, :]

    def powers(self) -> np.ndarray:
        """Exponents of the inputs in each term, shape (terms, features)."""
        return _powers(len(self.center), self.degree, self.interaction_only, self.min_degree)

    def sensitivity(self) -> np.ndarray:
        """Bounds (terms,) on the change of terms, for a relative change of the inputs by 1."""
        powers = self.powers()
        power = np.arange(powers.max(initial=0) + 1)
        slope = np.where(power > 0, 1.0 + power * (power - 1.0) / 2.0, 0.0)  # of x·P(k−1)(x)
        sensitivity = np.zeros(len(powers))
        for j, size in enumerate(1.0 + abs(self.center) / self.half_width):
            sensitivity += slope[powers[:, j]] * size
        return sensitivity

    @property
    def n_expanded(self) -> int:
        """Number of terms that `expand` computes."""
        return self.n_left_out + self.n_terms

    @property
    def n_left_out(self) -> int:
        """Number of terms of degrees below the lowest."""
        return self.with_low_degrees().n_terms - self.n_terms if self.min_degree > 1 else 0

    def with_low_degrees(self) -> PolynomialBasis:
        """The basis with the terms of all degrees from 1; the terms of this one come last."""
        return self._replace(min_degree=1)

    def convert(
        self, coef: np.ndarray, intercept: np.ndarray, other: PolynomialBasis
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same polynomials, (targets, terms) and (targets,), in another basis."""
        if self.is_same(other):
            return coef, intercept
        with np.errstate(all="ignore"):  # callers check that coefficients are finite
            return self._converted(coef, intercept, other)

    def convert_columns(
        self, columns: np.ndarray, constant: float, other: PolynomialBasis
    ) -> np.ndarray:
        """The columns (rows, terms) of another basis of the same terms, from those of this one.

        ``constant`` is the value of the constant term: 1, or 0 for differences of rows. The
        change of basis is applied, and not stored as a matrix of terms x terms.
        """
        table = np.column_stack([np.full(len(columns), constant), columns])
        for change in reversed(list(other._changes(self))):
            table = table @ change.T
        return table[:, 1:]

    def convert_magnitudes(self, magnitudes: np.ndarray, other: PolynomialBasis) -> np.ndarray:
        """Bounds (terms,) for the columns of another basis, from bounds for those of this one."""
        table = np.append(0.0, magnitudes)
        for change in reversed(list(other._changes(self))):
            table = abs(change) @ table
        return table[1:]

    def _converted(
        self, coef: np.ndarray, intercept: np.ndarray, other: PolynomialBasis
    ) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients and intercepts in another basis, one feature after the other."""
        terms = np.concatenate([intercept[:, None], coef], axis=1)
        for change in self._changes(other):
            terms = terms @ change
        return terms[:, 1:], terms[:, 0]

    def _changes(self, other: PolynomialBasis) -> Iterator[sparse.csr_array]:
        """A change of basis for each feature, from the terms of ``self`` to those of ``other``.

        Row i of their product is term i of ``self`` as a combination of the terms of
        ``other``. The constant term comes first.
        """
        n_features = len(self.center)
        plan = _change_plan(n_features, self.degree, self.interaction_only, self.min_degree)
        for j, (rows, columns, row_powers, column_powers) in enumerate(plan):
            top = 1 if self.interaction_only else self.degree
            change = _univariate_change(self, other, j, top)
            if not np.array_equal(change, np.eye(top + 1)):
                size = self.n_terms + 1
                values = change[row_powers, column_powers]
                yield sparse.csr_array((values, (rows, columns)), shape=(size, size))

    def is_same(self, other: PolynomialBasis) -> bool:
        """Whether another basis of the same terms is identical."""
        return (
            self.is_legendre == other.is_legendre
            and np.array_equal(self.center, other.center)
            and np.array_equal(self.half_width, other.half_width)
        )

    @property
    def digits_lost_by_powers(self) -> float:
        """How many decimal digits plain powers lose, because inputs are far from zero."""
        offset = float((abs(self.center) / self.half_width).max())
        return self.degree * float(np.log10(max(offset, 1.0)))

    @property
    def n_terms(self) -> int:
        """Number of terms."""
        return len(self.powers())

    def united(self, low: np.ndarray, high: np.ndarray, *, center: bool) -> PolynomialBasis:
        """The basis for the inputs of this basis and for inputs between ``low`` and ``high``."""
        if not self.is_legendre:
            return self
        return legendre_basis(
            np.minimum(low, self.center - self.half_width),
            np.maximum(high, self.center + self.half_width),
            self.degree,
            interaction_only=self.interaction_only,
            center=center,
        )

    def monomials(self) -> PolynomialBasis:
        """The basis of the user: plain powers, the same terms."""
        monomials = monomial_basis(
            len(self.center), self.degree, interaction_only=self.interaction_only
        )
        return monomials._replace(min_degree=self.min_degree)

    def evaluate(self, x: Any, coef: Any, intercept: Any, namespace: Namespace = NUMPY) -> Any:
        """The polynomials (targets, terms) at the rows of ``x``, block by block.

        All arrays are in one namespace. The result has the dtype of ``coef``.
        """
        x = x.tocsr() if sparse.issparse(x) else x
        result = namespace.empty((x.shape[0], intercept.shape[0]), coef.dtype)
        rows = max(2**18 // coef.shape[1], 256)
        for start in range(0, x.shape[0], rows):
            stop = min(start + rows, x.shape[0])
            block = x[start:stop, :]
            block = block.toarray() if sparse.issparse(block) else block
            block = namespace.as_type(block, coef.dtype)
            out = namespace.empty((self.n_expanded, block.shape[0]), coef.dtype)
            result[start:stop, :] = (coef @ self.expand(block, out)).T + intercept
        return result


def legendre_basis(
    low: np.ndarray, high: np.ndarray, degree: int, *, interaction_only: bool, center: bool
) -> PolynomialBasis:
    """The basis for inputs between ``low`` and ``high``; shifted only if ``center``."""
    middle = low / 2 + high / 2 if center else np.zeros_like(low)
    half = np.maximum(high - middle, middle - low)
    # subnormal widths have no accurate inverse
    half = np.where(half > np.finfo(np.float64).tiny, half, 1.0)
    return PolynomialBasis(middle, half, degree, interaction_only, True)


def monomial_basis(n_features: int, degree: int, *, interaction_only: bool) -> PolynomialBasis:
    """Plain powers of the inputs as they are."""
    ones = np.ones(n_features)
    return PolynomialBasis(ones * 0.0, ones, degree, interaction_only, False)


def well_conditioned_basis(
    terms: PolynomialBasis, low: np.ndarray, high: np.ndarray, *, center: bool
) -> PolynomialBasis:
    """The best basis of the same terms for inputs between ``low`` and ``high``."""
    has_low_degrees = terms.min_degree == 1
    basis = legendre_basis(
        low,
        high,
        terms.degree,
        interaction_only=terms.interaction_only,
        center=center and has_low_degrees,
    )
    return basis._replace(is_legendre=has_low_degrees, min_degree=terms.min_degree)


def polynomial_features(
    n_features: int, degree: int, interaction_only: bool, min_degree: int = 1
) -> PolynomialFeatures:
    """scikit-learn's fitted expansion with the same terms, without the bias column."""
    degrees = degree if min_degree == 1 else (min_degree, degree)
    expansion = PolynomialFeatures(degrees, interaction_only=interaction_only, include_bias=False)
    return expansion.fit(np.zeros((1, n_features)))


def _higher(t: Any, top: int, use_legendre: bool) -> list[Any]:
    """B_2(t) .. B_top(t): t P_{k-1}(t) by Bonnet's recursion, or powers."""
    values = []
    before, last = 1.0, t
    for k in range(1, top):
        values.append(t * last)
        rising = (2 * k + 1) / (k + 1) * t * last - k / (k + 1) * before
        before, last = last, rising if use_legendre else t * last
    return values


@lru_cache(maxsize=32)
def _powers(
    n_features: int, degree: int, interaction_only: bool, min_degree: int = 1
) -> np.ndarray:
    """Exponents of the inputs in each term."""
    expansion = polynomial_features(n_features, degree, interaction_only, min_degree)
    powers: np.ndarray = expansion.powers_
    powers.flags.writeable = False
    return powers


@lru_cache(maxsize=32)
def _plan(
    n_features: int, degree: int, interaction_only: bool
) -> tuple[tuple[int, int, int, int, int | None], ...]:
    """Steps (first, last, feature, power, source): out[first:last] = out[source:..] * B_power.

    In graded lexicographic order the terms of one degree that begin with feature j to
    the power k are B_k(x_j) times a tail of the block k degrees lower.
    """
    steps: list[tuple[int, int, int, int, int | None]] = []
    # starts[d][j]: where the terms of degree d whose first feature is j begin
    starts: list[list[int]] = [[]]
    at = 0
    for d in range(1, degree + 1):
        start = []
        for j in range(n_features):
            start.append(at)
            for k in range(1 if interaction_only else d, 0, -1):
                if k == d:
                    steps.append((at, at + 1, j, k, None))
                    at += 1
                elif d - k < d and j + 1 < n_features:
                    source, end = starts[d - k][j + 1], starts[d - k][n_features]
                    if end > source:
                        steps.append((at, at + end - source, j, k, source))
                        at += end - source
        starts.append([*start, at])
    return tuple(steps)


@lru_cache(maxsize=32)
def _change_plan(
    n_features: int, degree: int, interaction_only: bool, min_degree: int
) -> tuple[tuple[np.ndarray, ...], ...]:
    """For each feature the entries of a change of basis: rows, columns, and powers of both.

    The change of a feature takes a term to the terms with lower powers of this feature, and
    the same powers of the others. The constant term comes first. Terms that are left out have
    no part in it, because then all changes are diagonal.
    """
    terms = _powers(n_features, degree, interaction_only, min_degree)
    powers = np.vstack([np.zeros(n_features, dtype=int), terms])
    rows = list(map(tuple, powers.tolist()))
    index = {row: i for i, row in enumerate(rows)}
    plan = []
    for j in range(n_features):
        changed = [
            (i, column, rows[i][j], k)
            for i in np.flatnonzero(powers[:, j]).tolist()
            for k in range(rows[i][j] + 1)
            if (column := index.get((*rows[i][:j], k, *rows[i][j + 1 :]))) is not None
        ]
        same = np.flatnonzero(powers[:, j] == 0)  # terms without the feature, which are many
        zeros = np.zeros_like(same)
        plan.append(tuple(np.hstack([np.array(changed).T, [same, same, zeros, zeros]])))
    return tuple(plan)


def _univariate_change(
    a: PolynomialBasis, b: PolynomialBasis, feature: int, top: int
) -> np.ndarray:
    """C with B^a_k(x) = sum_l C[k, l] B^b_l(x) for one feature's part of both bases."""
    # t_a as a polynomial of t_b
    inner = np.array(
        [
            (b.center[feature] - a.center[feature]) / a.half_width[feature],
            b.half_width[feature] / a.half_width[feature],
        ]
    )
    change = np.zeros((top + 1, top + 1))
    for k, outer in enumerate(_in_powers(a.is_legendre, top)):
        power = outer[k : k + 1]
        for coefficient in outer[:k][::-1]:  # Horner's scheme
            power = np.convolve(power, inner)
            power[0] += coefficient
        change[k, : len(power)] = power
    if b.is_legendre:
        change = change @ np.linalg.inv(_in_powers(True, top))
    return np.tril(change)


@lru_cache(maxsize=64)
def _in_powers(use_legendre: bool, top: int) -> np.ndarray:
    """B_0 .. B_top as polynomials in powers of their own argument, a row for each."""
    matrix = np.eye(top + 1)
    if use_legendre:
        for k in range(1, top + 1):
            matrix[k, 1 : k + 1] = legendre.leg2poly([0.0] * (k - 1) + [1.0])
    matrix.flags.writeable = False
    return matrix
