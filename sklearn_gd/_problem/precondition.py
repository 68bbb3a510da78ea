"""From the moments of the data to a preconditioner, and to squared error in its coordinates.

"whiten" makes the features uncorrelated with unit variance, "standardize" gives them unit
variance, and None leaves the coordinates of the user.

The T of whitening is triangular. Eigenvectors would do as well for gradient descent. But
adaptive optimizers act on each coordinate, and eigenvectors of nearly equal eigenvalues
depend on rounding. With fewer rows than columns the coordinates are fitted values instead.

An L2 penalty is p more rows of the data. Where the rows are fewer than the columns, this would
be a matrix of p x p. Then whitening adds the penalty in the row space, and diagonal
preconditioners leave it as a term of the objective.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.gram import certified_cholesky
from sklearn_gd._moments.rank import IndependentColumns, UnitColumns, independent_columns
from sklearn_gd._moments.row_space import RowSpace, factorize_rows, factorize_rows_by_qr
from sklearn_gd._moments.tensor_moments import TensorMoments, column_norms
from sklearn_gd._moments.triangle import gram_of_rows
from sklearn_gd._problem.preconditioners import (
    DeficientPreconditioner,
    DensePreconditioner,
    DiagonalPreconditioner,
    Preconditioner,
    RowSpacePreconditioner,
)

_DEPENDENCE_ROUNDING = 1e-12  # smaller entries of a dependence are rounding
_LEAST_RESIDUAL = 1e-6  # of unit columns, so that their basis does not depend on rounding
_MAX_ROUNDING = 1e-13  # of the sums of a prediction, where their terms cancel
# of the fitted values, where the minimum norm is in original units; between them the rounding of X
_MAX_FIT_ERRORS = (1e-9, 1e-7)


class PreconditionedMoments(NamedTuple):
    """A preconditioner, and the squared error ‖design·v − target‖² + ‖√ridge·v‖² + residual."""

    preconditioner: Preconditioner
    design: Tensor | None  # (m, coordinates); None is the identity
    target: Tensor  # (m, targets)
    residual_norm: Tensor  # (targets,)
    ridge: Tensor | None = None  # (coordinates,) the L2 penalty; None if rows of the design are it


def precondition_moments(
    moments: TensorMoments, precondition: str | None, l2: float, to_original: Tensor | None
) -> PreconditionedMoments:
    """The preconditioner that ``precondition`` names, for data and an L2 penalty.

    ``to_original`` (terms, terms) gives coefficients in original units; None is the identity.
    """
    n_rows, n_columns = moments.factor.shape
    is_wide = n_rows < n_columns and to_original is None
    if l2 and not is_wide:
        moments, l2 = _with_penalty_rows(moments, precondition, l2, to_original), 0.0
    if precondition != "whiten":
        return _diagonal(moments, precondition, l2)
    return _whiten_row_space(moments, l2) if is_wide else _whiten(moments)


def _with_penalty_rows(
    moments: TensorMoments, precondition: str | None, l2: float, to_original: Tensor | None
) -> TensorMoments:
    """The moments with the L2 penalty as further rows: sqrt(l2/2) times each coefficient.

    A column that is constant up to rounding stays constant, unless its coefficient descends beside
    the intercept, which is so without a precondition.
    """
    if to_original is None and precondition is None:
        to_original = torch.eye(len(moments.x_mean)).to(moments.factor)
    elif to_original is None:
        is_varying = UnitColumns.of(moments).is_varying
        moments = moments._replace(factor=moments.factor * is_varying)
        to_original = torch.diag(is_varying.to(moments.factor))
    return moments.with_rows((l2 / 2) ** 0.5 * to_original.T)


def _without_constants(moments: TensorMoments) -> TensorMoments:
    """The moments with zeros in columns that are constant up to rounding.

    The rounding of a large constant may be larger than the other columns.
    """
    is_varying = UnitColumns.of(moments).is_varying
    if is_varying.all():
        return moments
    return moments._replace(
        factor=moments.factor * is_varying, abs_max=moments.abs_max.where(is_varying, 0.0)
    )


def _diagonal(moments: TensorMoments, precondition: str | None, l2: float) -> PreconditionedMoments:
    """Features of unit variance, or as they are. Coefficients of constant columns stay 0."""
    root = moments.weight.sqrt()
    if precondition == "standardize":
        unit = UnitColumns.of(moments)
        # the penalty counts as variance, as its rows would
        deviation = torch.hypot(unit.scale / root, root.new_tensor((l2 / 2) ** 0.5))
        scale, inverse = unit.is_varying / deviation, unit.is_varying * deviation
    else:
        scale = inverse = torch.ones_like(moments.x_mean)
    return PreconditionedMoments(
        DiagonalPreconditioner(scale[None], inverse[None]),
        moments.factor * (scale / root),
        moments.target / root,
        moments.residual_norm / root,
        l2 / 2 * scale.square() if l2 else None,
    )


def _whiten(moments: TensorMoments) -> PreconditionedMoments:
    """Uncorrelated features of unit variance; the minimum norm where the rank is deficient."""
    unit = UnitColumns.of(moments)
    return _whiten_columns(moments, unit, independent_columns(unit))


def _whiten_columns(
    moments: TensorMoments, unit: UnitColumns, independent: IndependentColumns
) -> PreconditionedMoments:
    """The same, where it is known which columns are independent."""
    root = moments.weight.sqrt()
    target, residual_norm = moments.target, moments.residual_norm
    if not len(independent.columns):
        return _nothing_varies(moments)
    basis = independent.basis
    if basis is None:  # the factor is the triangle
        to_coef = independent.inverse * (root / unit.scale)[:, None]
        dense = DensePreconditioner(to_coef[None], (unit.raw / root)[None])
        return PreconditionedMoments(dense, None, target / root, residual_norm / root)
    target = basis.T @ moments.target
    outside = column_norms(moments.target - basis @ target)
    residual_norm = torch.hypot(residual_norm, outside)
    preconditioner = _minimum_norm(unit, independent, root)
    return PreconditionedMoments(preconditioner, None, target / root, residual_norm / root)


def _nothing_varies(moments: TensorMoments) -> PreconditionedMoments:
    """All columns are constant: one coordinate that moves nothing."""
    root, zeros = moments.weight.sqrt(), torch.zeros_like(moments.x_mean)[None, None]
    residual_norm = torch.hypot(moments.residual_norm, column_norms(moments.target))
    no_target = torch.zeros(1, moments.target.shape[1]).to(zeros)
    return PreconditionedMoments(
        DensePreconditioner(zeros.mT, zeros), None, no_target, residual_norm / root
    )


def _minimum_norm(
    unit: UnitColumns, independent: IndependentColumns, root: Tensor
) -> DeficientPreconditioner:
    """The coefficients of minimum norm, in original units if the fit allows it."""
    basis, columns, inverse = independent
    assert basis is not None
    is_other = unit.is_varying.clone()
    is_other[columns] = False
    others = torch.nonzero(is_other).ravel()
    exact = inverse @ (basis.T @ unit.take(others))
    scale_columns, scale_others = unit.scale[columns], unit.scale[others]
    # the rounding of float32 is larger, and so is that of its coefficients
    limit = unit.noise[columns].max().clamp(*_MAX_FIT_ERRORS)
    # entries that may be rounding are left out, unless the fit needs them
    for least in (_DEPENDENCE_ROUNDING, 0.0):
        dependence = exact.where(exact.abs() > least, 0.0)
        rest = unit.take(others) - unit.take(columns) @ dependence
        original = dependence * (scale_others / scale_columns[:, None])
        norm_map = _norm_map(original)
        # what the rest of the other columns adds to the fit of a unit vector in the basis
        error = rest * scale_others @ norm_map @ (inverse / scale_columns[:, None])
        if (column_norms(error) <= limit).all():
            break
    else:
        norm_map = _norm_map(dependence) * scale_columns / scale_others[:, None]
    constant = torch.nonzero(~unit.is_varying).ravel()
    order = torch.cat([columns, others, constant]).argsort()
    triangle = (basis.T @ unit.take(columns)).triu()
    return DeficientPreconditioner(
        (inverse * (root / scale_columns)[:, None])[None],
        (triangle * (scale_columns / root))[None],
        original[None],
        norm_map[None],
        order[None],
    )


def _norm_map(dependence: Tensor) -> Tensor:
    """N, with w_D = N·c of minimum ‖w_B‖² + ‖w_D‖² subject to w_B + G·w_D = c."""
    rank, others = dependence.shape
    identity = torch.eye(min(rank, others)).to(dependence)
    if others <= rank:
        q, r = torch.linalg.qr(torch.cat([dependence, identity]))
        return torch.linalg.solve_triangular(r, q[:rank].T, upper=True)
    # NᵀN would be larger than needed: N = Gᵀ(I + GGᵀ)⁻¹
    q, r = torch.linalg.qr(torch.cat([dependence.T, identity]))
    return torch.linalg.solve_triangular(r, q[:others].T, upper=True).T


def _whiten_row_space(moments: TensorMoments, l2: float) -> PreconditionedMoments:
    """The same with fewer rows than columns. The penalty is added in the row space."""
    moments = _without_constants(moments)
    space = factorize_rows(moments)
    if l2 and not space.is_certified:
        moments = _without_dependent_rows(moments)
        space = factorize_rows(moments)
    if space.is_certified:
        certified = _whiten_certified(moments, space, l2)
        if certified is not None:
            return certified
        space = factorize_rows_by_qr(moments)
    whitened = _whiten_by_qr(moments, space, l2)
    if l2:
        return _in_triangular_coordinates(moments, whitened)
    unit = UnitColumns.of(moments)
    independent = independent_columns(unit)
    basis = independent.basis
    if (
        basis is not None
        and basis.shape[1] == whitened.preconditioner.n_coordinates
        and _rounding_of_fit(moments, whitened.preconditioner) <= _MAX_ROUNDING
    ):
        return _in_basis(moments, whitened, basis)
    # The terms of the row space cancel, and its rank may be that of rounding. The fit comes before
    # the norm, and the columns tell the rank.
    return _whiten_columns(moments, unit, independent)


def _without_dependent_rows(moments: TensorMoments) -> TensorMoments:
    """The moments with as many rows as their rank, such as where rows are repeated.

    Further rows would be coordinates that move nothing, in a place that depends on rounding.
    """
    # the columns of the row space are fewer than those of the data, and span the same
    basis = _triangular_basis(_in_row_space(moments, factorize_rows_by_qr(moments)))
    if basis is None or not basis.shape[1]:
        return moments
    target = basis.T @ moments.target
    outside = column_norms(moments.target - basis @ target)
    return moments._replace(
        factor=basis.T @ moments.factor,
        target=target,
        residual_norm=torch.hypot(moments.residual_norm, outside),
    )


def _triangular_basis(moments: TensorMoments) -> Tensor | None:
    """Orthonormal fitted values (m, rank) that depend on the columns and not on the rows.

    The coordinates of a row space are fitted values, so that a row that is given twice would
    change the path of an adaptive optimizer. In this basis, that of ``_whiten``, the first
    independent columns are a triangle.
    """
    return independent_columns(UnitColumns.of(moments)).basis


def _in_basis(
    moments: TensorMoments, whitened: PreconditionedMoments, basis: Tensor
) -> PreconditionedMoments:
    """The same whitening, in coordinates that are the fitted values in a basis."""
    row_space = whitened.preconditioner
    assert isinstance(row_space, RowSpacePreconditioner)
    root = moments.weight.sqrt()
    rotation = basis.T @ row_space.transform(moments.factor) / root
    # rotation⁻¹ and not its transpose, which corrects what rounding did to the fit
    inner = row_space.inner._replace(
        matrix=torch.linalg.solve(rotation, row_space.inner.matrix, left=False),
        inverse=rotation @ row_space.inner.inverse,
    )
    return whitened._replace(
        preconditioner=row_space._replace(inner=inner), target=basis.T @ moments.target / root
    )


def _in_triangular_coordinates(
    moments: TensorMoments, whitened: PreconditionedMoments
) -> PreconditionedMoments:
    """The same whitening with a penalty, in coordinates that depend on the columns only.

    See ``_triangular_basis``. Here the map from coefficients to coordinates is a triangle in its
    first columns, or where these are nearly dependent, in its first independent columns.
    """
    row_space = whitened.preconditioner
    assert isinstance(row_space, RowSpacePreconditioner)
    inner, rank = row_space.inner, row_space.n_coordinates
    if not isinstance(inner, DensePreconditioner):  # the penalty is less than rounding
        return whitened
    basis, triangle = torch.linalg.qr(inner.inverse[0] @ row_space.rows[0, :, :rank])
    diagonal = triangle.diagonal()
    if (diagonal.abs() <= _LEAST_RESIDUAL * column_norms(triangle)).any():
        factor = moments.weight.sqrt() * (inner.inverse[0] @ row_space.rows[0])
        found = _triangular_basis(moments._replace(factor=factor))
        if found is None or found.shape[1] != rank:
            return whitened
        basis = found
    else:
        basis = basis * diagonal.sign()
    turned = DensePreconditioner(inner.matrix @ basis, basis.T @ inner.inverse)
    return whitened._replace(
        preconditioner=row_space._replace(inner=turned), target=basis.T @ whitened.target
    )


def _in_row_space(moments: TensorMoments, space: RowSpace) -> TensorMoments:
    """The moments of the coordinates of a row space, which are as many as the rows."""
    zeros = torch.zeros_like(space.lower[0])
    return TensorMoments(
        moments.weight,
        zeros,
        moments.y_mean,
        space.lower,
        moments.target,
        moments.residual_norm,
        space.noise(moments),
        zeros,
        moments.y_mean_rest,
    )


def _whiten_by_qr(moments: TensorMoments, space: RowSpace, l2: float) -> PreconditionedMoments:
    """Whitening in the row space by QR."""
    inner = _in_row_space(moments, space)
    if l2:
        identity = torch.eye(len(space.lower)).to(space.lower)
        inner = inner.with_rows((l2 / 2) ** 0.5 * identity)
    whitened = _whiten(inner)
    assert isinstance(whitened.preconditioner, DensePreconditioner | DeficientPreconditioner)
    preconditioner = RowSpacePreconditioner(space.rows[None], whitened.preconditioner)
    return whitened._replace(preconditioner=preconditioner)


def _rounding_of_fit(moments: TensorMoments, preconditioner: Preconditioner) -> float:
    """How far rounding moves the fitted values of unit deviation: the sum of all terms times ε."""
    size = moments.factor.abs().amax(dim=0) / moments.weight.sqrt()
    terms = size @ preconditioner.to_dense().matrix[0].abs()
    return float(torch.finfo(terms.dtype).eps * terms.max())


def _whiten_certified(
    moments: TensorMoments, space: RowSpace, l2: float
) -> PreconditionedMoments | None:
    """The same from Cholesky factors; None where they would not be accurate."""
    if l2:
        return _whiten_certified_ridge(moments, space, l2)
    root = moments.weight.sqrt()
    basis = _triangular_basis(moments)
    if basis is None or basis.shape[1] != len(space.lower):
        basis = torch.eye(len(space.lower)).to(space.lower)
    matrix = torch.cholesky_solve(basis, space.lower)
    if space.rounding() > _MAX_ROUNDING:
        error = basis - moments.factor @ (moments.factor.T @ matrix)
        matrix = matrix + torch.cholesky_solve(error, space.lower)
    inner = DensePreconditioner(root * matrix[None], basis.T[None] / root)
    return PreconditionedMoments(
        RowSpacePreconditioner(space.rows[None], inner),
        None,
        basis.T @ moments.target / root,
        moments.residual_norm / root,
    )


def _whiten_certified_ridge(
    moments: TensorMoments, space: RowSpace, l2: float
) -> PreconditionedMoments | None:
    """The same with an L2 penalty."""
    root, lower, inverse = moments.weight.sqrt(), space.lower, space.inverse
    assert inverse is not None
    ridge = l2 / 2 * moments.weight
    certified = certified_cholesky(gram_of_rows(lower.T) + ridge * torch.eye(len(lower)).to(lower))
    if certified is None:
        return None
    triangle, triangle_inverse = certified[0].T, certified[1].T
    matrix = inverse.T @ triangle_inverse * root
    inner = DensePreconditioner(matrix[None], (triangle @ inverse / root)[None])
    target = triangle_inverse.T @ (lower.T @ moments.target)
    optimum = triangle_inverse @ target
    outside = column_norms(torch.cat([moments.target - lower @ optimum, ridge.sqrt() * optimum]))
    whitened = PreconditionedMoments(
        RowSpacePreconditioner(space.rows[None], inner),
        None,
        target / root,
        torch.hypot(moments.residual_norm, outside) / root,
    )
    return _in_triangular_coordinates(moments, whitened)
