"""The public moments: NumPy fields, and arithmetic on them. Loading this file imports no torch.

`_moments/arithmetic.py` computes sums, and `_moments/difference.py` computes differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import log
from numbers import Real
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from sklearn_gd._base.parameters import boolean, check_params, either, integer
from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.polynomial import PolynomialBasis, legendre_basis, monomial_basis
from sklearn_gd._data.tables import TableReader, columns_of_frame
from sklearn_gd._data.validation import check_unfitted_data

_MAX_TERMS_OF_CONDITION = 1000  # with more terms `repr` would take seconds
_OF_RULES = {
    "degree": integer(1),
    "interaction_only": boolean(),
    "verbose": either(integer(0), boolean()),
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Moments:
    """What squared error needs to know of the data: means, and a triangular factor.

    Moments take the place of the rows in `fit`, `partial_fit` and `score` of the estimators.
    They have the size of the features and not that of the rows, so that they serve where the
    rows cannot be in one place. ``a + b`` and ``sum(parts)`` are the moments of all rows
    together, exactly. ``a - b`` takes rows out again. ``0.99 * a`` gives all rows less
    weight. Moments with equal contents are equal.

    Moments are made by `of`, `scan` and `from_dict`. The parameters below are attributes too.
    All arrays are float64.

    Parameters
    ----------
    n_samples : int
        Number of rows of positive weight.
    weight : float
        Sum of the weights, or the number of rows if they have no weights.
    feature_names : tuple of str or None
        Names of the features, if X has string column names.
    has_single_target : bool
        Whether y was one-dimensional.
    x_mean : ndarray of shape (n_terms,)
        Weighted means of the terms. With ``degree=1`` the terms are the features. With a
        higher degree they are the polynomials x P_{k-1}(x) of the features mapped to
        [-1, 1], with P the Legendre polynomials, and the products of these polynomials.
    y_mean : ndarray of shape (n_targets,)
        Weighted means of the targets.
    factor : ndarray of shape (n_factor_rows, n_terms)
        A matrix F with FᵀF = Σ wᵢ(xᵢ − μ)(xᵢ − μ)ᵀ. It has at most as many rows as columns.
    target : ndarray of shape (n_factor_rows, n_targets)
        A matrix T with FᵀT = Σ wᵢ(xᵢ − μ)(yᵢ − ν)ᵀ.
    residual_norm : ndarray of shape (n_targets,)
        Square root of what Σ wᵢ(yᵢ − ν)² has beyond the squares of `target`.
    abs_max : ndarray of shape (n_terms,)
        Largest absolute value of each term, which says what a constant column and its
        rounding are. It is zero where all columns are known to vary. For features in float32
        it is larger by the ratio of the roundings of float32 and float64. For terms of features
        that are far from zero it is larger, as their rounding is.
    x_mean_rest : ndarray of shape (n_terms,)
        What rounding took from `x_mean`, so that sums do not depend on how far from zero the
        features are. The means are `x_mean` + `x_mean_rest` to about twice the digits.
    y_mean_rest : ndarray of shape (n_targets,)
        What rounding took from `y_mean`.
    degree : int, default=1
        Degree of the polynomial terms.
    interaction_only : bool, default=False
        Whether powers of a single feature above the first are left out.
    log_weight : float, default=0.0
        Sum of the logarithms of the weights, which the likelihood of the data needs.
    x_low, x_high : ndarray of shape (n_features,) or None, default=None
        Smallest and largest value of each feature, where ``degree`` is above 1. Between them
        features are mapped to [-1, 1].

    See Also
    --------
    GDLinearRegressor : Takes moments in place of X.
    GDLinearRegressorCV : Takes a list of moments, each part a fold.

    Notes
    -----
    The sum of two moments stacks their factors, with the difference of their means as one
    more row, and takes the QR factorization. So it loses no digits, however often parts are
    added, and however far from zero the features are: the rounding of the means is kept beside
    them. The moments of polynomials with other ranges of the features are first converted to
    the common range, which is exact.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, Moments
    >>> X, y = load_diabetes(return_X_y=True)
    >>> north, south = Moments.of(X[:200], y[:200]), Moments.of(X[200:], y[200:])
    >>> north + south
    Moments(n_samples=442, n_features=10, n_targets=1, weight=442, condition=22)
    >>> model = GDLinearRegressor().fit(north + south)
    >>> round(model.score(X, y), 4)
    0.5177
    """

    __module__ = "sklearn_gd"
    __array_ufunc__ = None  # NumPy's numbers leave products with moments to `__rmul__`

    n_samples: int
    weight: float
    feature_names: tuple[str, ...] | None
    has_single_target: bool
    x_mean: np.ndarray
    y_mean: np.ndarray
    factor: np.ndarray
    target: np.ndarray
    residual_norm: np.ndarray
    abs_max: np.ndarray
    x_mean_rest: np.ndarray
    y_mean_rest: np.ndarray
    degree: int = 1
    interaction_only: bool = False
    log_weight: float = 0.0
    x_low: np.ndarray | None = None
    x_high: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        degree: int = 1,
        interaction_only: bool = False,
    ) -> Moments:
        """Compute the moments of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe, Dask collection} of shape \
(n_samples, n_features)
            Rows. Each block of a Dask collection is read where it is; only its moments move.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the rows. A row of weight zero has no influence.
        degree : int, default=1
            Degree of the polynomial terms. Moments of degree d serve `GDPolynomialRegressor`
            up to this degree, and the linear estimators.
        interaction_only : bool, default=False
            Leave out powers of a single feature above the first.

        Returns
        -------
        Moments
            From one pass over the rows, and one before it for the ranges of the features
            where ``degree`` is above 1.

        Raises
        ------
        ValueError
            If the data hold NaN or infinity, if they overflow float64, or if X is sparse and
            its factor would need more than 512 MB.

        Examples
        --------
        >>> from sklearn_gd import Moments
        >>> moments = Moments.of([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        >>> moments.n_samples, moments.x_mean.tolist(), moments.y_mean.tolist()
        (3, [1.0], [3.0])
        """
        check_params("Moments", {"degree": degree, "interaction_only": interaction_only}, _OF_RULES)
        if is_collection(X):
            from sklearn_gd._moments.collection import moments_of_collection

            return moments_of_collection(
                X, y, sample_weight, int(degree), interaction_only=bool(interaction_only)
            )
        data, names = check_unfitted_data("Moments", X, y, sample_weight)
        from sklearn_gd._moments.arithmetic import moments_of

        return moments_of(
            data, int(degree), feature_names=names, interaction_only=bool(interaction_only)
        )

    @classmethod
    def scan(
        cls,
        table: Any,
        target: str | Sequence[str],
        *,
        features: Sequence[str] | None = None,
        sample_weight: str | None = None,
        degree: int = 1,
        interaction_only: bool = False,
        verbose: int = 0,
    ) -> Moments:
        """Compute the moments of a table that need not fit into memory.

        The table is read once, in chunks of 16 MB, beside which pyarrow has its buffers.

        Parameters
        ----------
        table : str, path or table
            The path of a Parquet or CSV file, a pattern such as ``"sales/*.parquet"``, a
            folder of Parquet files, a dataset or table of pyarrow, a LazyFrame or DataFrame
            of polars, a relation of DuckDB, a data frame of Dask, or anything else with
            ``__arrow_c_stream__``.
        target : str or sequence of str
            The column, or the columns, of the targets.
        features : sequence of str, default=None
            The columns of the features. None takes all columns that are neither targets nor
            weights, in the order of the table.
        sample_weight : str, default=None
            The column of non-negative weights.
        degree : int, default=1
            Degree of the polynomial terms.
        interaction_only : bool, default=False
            Leave out powers of a single feature above the first.
        verbose : int, default=0
            With 1, show a progress bar, which needs the extra ``progress``. How far it is in a
            file is known of Parquet files only. A Dask DataFrame has the progress bar of Dask.

        Returns
        -------
        Moments
            The moments of all rows, with the names of the features.

        Raises
        ------
        ValueError
            If a column is missing or holds text, null, NaN or infinity. The message names the
            column, the file and the batch.
        TypeError
            If ``table`` is no table.
        FileNotFoundError
            If there is no such file.
        ImportError
            If pyarrow is not installed, or rich with ``verbose=1``. The extras ``tables`` and
            ``progress`` install them.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from sklearn_gd import GDLinearRegressor, Moments
        >>> table = pa.table({"area": [50.0, 80.0, 120.0], "price": [110.0, 170.0, 250.0]})
        >>> moments = Moments.scan(table, "price")
        >>> GDLinearRegressor(lr="auto").fit(moments).equation()
        'y = 10 + 2 area'
        """
        params = {"degree": degree, "interaction_only": interaction_only, "verbose": verbose}
        check_params("Moments", params, _OF_RULES)
        if is_collection(table):
            parts = columns_of_frame(table, target, features, sample_weight)
            return cls.of(*parts, degree=degree, interaction_only=interaction_only)
        reader = TableReader(table, target, features, sample_weight)
        from sklearn_gd._moments.scan import scan_moments

        return scan_moments(
            reader, int(degree), interaction_only=bool(interaction_only), verbose=bool(verbose)
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Moments:
        """Make moments from the dict of `to_dict`.

        Parameters
        ----------
        values : dict
            What `to_dict` returned, directly or through JSON.

        Returns
        -------
        Moments
            Equal to the moments that were saved.

        Raises
        ------
        ValueError
            If a key is missing or unknown, a number is not finite, or shapes do not agree.

        Examples
        --------
        >>> import json
        >>> from sklearn_gd import Moments
        >>> moments = Moments.of([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        >>> Moments.from_dict(json.loads(json.dumps(moments.to_dict()))) == moments
        True
        """
        from sklearn_gd._moments.checked_fields import checked_fields

        return cls(**checked_fields(values, [field.name for field in fields(cls)]))

    def to_dict(self) -> dict[str, Any]:
        """Convert to a dict of plain values, ready for JSON.

        Returns
        -------
        dict
            Numbers, strings, booleans, None and lists of them. Nothing is lost: `from_dict`
            gives equal moments, also after `json.dumps` and `json.loads`.

        Examples
        --------
        >>> from sklearn_gd import Moments
        >>> Moments.of([[0.0], [1.0]], [1.0, 3.0]).to_dict()["x_mean"]
        [0.5]
        """
        plain = {}
        for name, value in vars(self).items():
            plain[name] = value.tolist() if isinstance(value, np.ndarray) else value
        if self.feature_names is not None:
            plain["feature_names"] = list(self.feature_names)
        return plain

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.x_mean) if self.x_low is None else len(self.x_low)

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return len(self.y_mean)

    @property
    def condition(self) -> float:
        """Condition number of the terms at unit variance; infinity if some are dependent."""
        norms = column_norms(self.factor)
        if len(self.factor) < self.factor.shape[1] or not is_varying(self, norms).all():
            return np.inf
        singular = np.linalg.svd(self.factor / norms, compute_uv=False)
        with np.errstate(divide="ignore"):
            return float(singular[0] / singular[-1])

    @property
    def basis(self) -> PolynomialBasis:
        """The polynomial basis whose terms are the columns."""
        if self.x_low is None or self.x_high is None:
            return monomial_basis(self.n_features, 1, interaction_only=self.interaction_only)
        return legendre_basis(
            self.x_low,
            self.x_high,
            self.degree,
            interaction_only=self.interaction_only,
            center=True,
        )

    def __repr__(self) -> str:
        parts = [
            f"n_samples={self.n_samples}",
            f"n_features={self.n_features}",
            f"n_targets={self.n_targets}",
            f"weight={self.weight:.6g}",
        ]
        if self.degree > 1:
            parts.append(f"degree={self.degree}")
        if len(self.x_mean) <= _MAX_TERMS_OF_CONDITION:
            parts.append(f"condition={self.condition:.2g}")
        return f"Moments({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moments):
            return NotImplemented
        ours, theirs = vars(self), vars(other)
        return all(np.array_equal(ours[name], theirs[name]) for name in ours)

    __hash__ = None  # type: ignore[assignment]  # the arrays can be changed

    def __add__(self, other: object) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        self._check_alike(other, "added")
        from sklearn_gd._moments.arithmetic import add

        return add(self, other)

    def __radd__(self, other: object) -> Moments:
        # `sum` begins with 0
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other: object) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        self._check_alike(other, "subtracted")
        from sklearn_gd._moments.arithmetic import subtract

        return subtract(self, other)

    def __mul__(self, factor: object) -> Moments:
        if not isinstance(factor, Real) or isinstance(factor, bool):
            return NotImplemented
        number = float(factor)
        weight = self.weight * number
        if not (number > 0 and 0 < weight < np.inf):
            raise ValueError(
                f"Moments can be multiplied by a positive finite number, and got {factor!r}, "
                f"which makes their weight {weight}. Use a number above 0, such as 0.99."
            )
        root = number**0.5
        return self._replace(
            weight=weight,
            log_weight=self.log_weight + self.n_samples * log(number),
            factor=self.factor * root,
            target=self.target * root,
            residual_norm=self.residual_norm * root,
        )

    __rmul__ = __mul__

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "Moments hold no rows, so that they cannot be an array. Estimators of sklearn_gd take "
            "them in fit, partial_fit and score. In place of GridSearchCV, cross_val_score and "
            "transformers, which need rows, use GDLinearRegressorCV or GDPolynomialRegressorCV "
            "with a list of moments."
        )

    def _replace(self, **changes: Any) -> Moments:
        """The same moments with some fields changed."""
        return Moments(**{**vars(self), **changes})

    def _check_alike(self, other: Moments, done: str) -> None:
        """Raise unless both moments are of the same features, terms and targets."""
        for words, ours, theirs in (
            ("number of features", self.n_features, other.n_features),
            ("number of targets", self.n_targets, other.n_targets),
            ("degree", self.degree, other.degree),
            ("interaction_only", self.interaction_only, other.interaction_only),
            ("feature names", self.feature_names, other.feature_names),
        ):
            is_free = words == "interaction_only" and self.degree == 1
            if ours != theirs and not is_free:
                raise ValueError(
                    f"Moments can be {done} only if both are of the same columns. These differ in "
                    f"{words}: {_shown(ours)} and {_shown(theirs)}. Make both from the same "
                    "columns, with the same degree and interaction_only."
                )


def column_norms(columns: np.ndarray) -> np.ndarray:
    """Euclidean norms of columns, safe from overflow and underflow."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    norms: np.ndarray = np.linalg.norm(columns / np.where(largest > 0, largest, 1.0), axis=0)
    return norms * largest


def is_varying(moments: Moments, norms: np.ndarray) -> np.ndarray:
    """Which columns, of these norms, are more than a constant and its rounding."""
    rounding = 10 * np.finfo(np.float64).eps * moments.abs_max * moments.weight**0.5
    varies: np.ndarray = norms > rounding
    return varies


def _shown(value: object) -> str:
    """A value for a message: of many names the first ones."""
    if not isinstance(value, tuple):
        return str(value)
    return str([*value[:5], *["..."] * (len(value) > 5)])
