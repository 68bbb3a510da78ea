"""The coordinates of the descent: u, with coefficients w = T u.

Preconditioning changes the road and not the optimum. T comes from the factor of the
data's moments: "whiten" makes the features uncorrelated with unit variance, so that
squared error is ‖u − b‖² plus a constant; "standardize" gives them unit variance only;
``None`` leaves the user's own coordinates, the intercept among them.

The whitening T is triangular, not an eigenvector basis: adaptive optimizers act on each
coordinate, and eigenvectors of close eigenvalues depend on rounding.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments import Moments, norms

_EPS = torch.finfo(torch.float64).eps
_CLEAN = 1e-12  # a dependence below this is rounding
_CLOSE = 1e-7  # the longest rest that may be called rounding
_LEAST_RESTS = (1e-2, 1e-6, 0.0)  # of the columns to take first, then, at last


class Table(NamedTuple):
    """Mean squared error as seen from u: ‖design·u − goal‖² + rest² for each target."""

    design: Tensor | None  # (m, r); None is the identity
    goal: Tensor  # (m, targets)
    rest: Tensor  # (targets,)


class Coordinates(NamedTuple):
    """The map between u and (coef, intercept)."""

    to_coef: Tensor  # (p, r), or (p,) if diagonal
    from_coef: Tensor  # (r, p), or (p,) if diagonal
    x_mean: Tensor  # (p,) intercept = first coordinate, if it is one, + y_mean - coef @ x_mean
    y_mean: Tensor  # (targets,)
    spread: Tensor  # (targets,) u is in units of it, and losses are divided by its square
    has_intercept: bool = False  # the first coordinate is (the rest of) the intercept

    @property
    def n_coordinates(self) -> int:
        """Length of u."""
        return self.from_coef.shape[0] + int(self.has_intercept)

    def coef(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients (..., targets, p) and intercepts (..., targets) of u."""
        u = u * self.spread[:, None]
        w = u[..., int(self.has_intercept) :]
        w = w * self.to_coef if self.to_coef.ndim == 1 else w @ self.to_coef.T
        intercept = self.y_mean - w @ self.x_mean
        return w, intercept + u[..., 0] if self.has_intercept else intercept

    def rows(self, x: Tensor) -> Tensor:
        """Rows (samples, p) as seen from u: predictions are rows @ (u spread) + y_mean."""
        if self.to_coef.ndim == 1:
            z = (x - self.x_mean) * self.to_coef
        else:
            z = torch.addmm(-self.x_mean @ self.to_coef, x, self.to_coef)
        return torch.nn.functional.pad(z, (1, 0), value=1.0) if self.has_intercept else z

    def parameters(self, coef: Tensor, intercept: Tensor) -> Tensor:
        """The u (..., targets, r) of coefficients and intercepts."""
        u = coef * self.from_coef if self.from_coef.ndim == 1 else coef @ self.from_coef.T
        if self.has_intercept:
            own = intercept - self.y_mean + coef @ self.x_mean
            u = torch.cat([own[..., None], u], dim=-1)
        return u / self.spread[:, None]


def whiten(moments: Moments) -> tuple[Coordinates, Table]:
    """Uncorrelated features of unit variance; minimum norm where the rank is deficient."""
    root = moments.weight.sqrt()
    scale, factor, moving = _unit_columns(moments)
    basis, columns, inverse = _independent(factor, _noise(moments, scale), moving)
    goal, rest = moments.target, moments.rest
    if not len(columns):  # nothing varies: one coordinate that moves nothing
        still = torch.zeros_like(factor[:1])
        return _map(moments, still.T, still), Table(
            None, torch.zeros_like(goal[:1]), torch.hypot(rest, norms(goal)) / root
        )
    if basis is not None:
        seen = basis.T @ factor
        # a column whose rest is not rounding must not take part of another's coefficient
        factor = seen * (norms(factor - basis @ seen) < _CLOSE)
        goal = basis.T @ moments.target
        rest = torch.hypot(rest, norms(moments.target - basis @ goal))
        factor[:, columns] = seen[:, columns].triu()
    forward = factor * scale / root
    back = torch.zeros_like(forward.T)
    back[columns] = inverse * (root / scale[columns])[:, None]
    if len(columns) < len(scale):
        # Off the null space, in original units. Columns of different scales that do not
        # depend on each other must not be mixed by rounding, hence the exact zeros.
        reduced = inverse @ factor
        reduced = reduced.where(reduced.abs() > _CLEAN, 0.0)
        rows = torch.linalg.qr((reduced * scale).T).Q
        eye = torch.eye(len(columns), dtype=factor.dtype, device=factor.device)
        back = rows @ (rows.T @ back)
        back = back + back @ (eye - forward @ back)  # what rounding did to the fit
    return _map(moments, back, forward), Table(None, goal / root, rest / root)


def standardize(moments: Moments) -> tuple[Coordinates, Table]:
    """Features of unit variance; a constant column's coefficient stays 0."""
    root = moments.weight.sqrt()
    scale, factor, moving = _unit_columns(moments)
    back, forward = root / scale * moving, scale / root * moving
    table = Table(factor * moving, moments.target / root, moments.rest / root)
    return _map(moments, back, forward), table


def identity(moments: Moments, *, fit_intercept: bool) -> tuple[Coordinates, Table]:
    """The user's own coordinates, the intercept among them: the textbook's descent."""
    root = moments.weight.sqrt()
    design, goal = moments.factor / root, moments.target / root
    if fit_intercept:
        means = torch.cat([torch.ones_like(root)[None], moments.x_mean])
        design = torch.cat([means[None], torch.nn.functional.pad(design, (1, 0))])
        goal = torch.cat([moments.y_mean[None], goal])
    ones = torch.ones_like(moments.x_mean)
    none = torch.zeros_like(moments.y_mean)
    plain = Coordinates(ones, ones, ones * 0.0, none, none + 1.0, fit_intercept)
    return plain, Table(design, goal, moments.rest / root)


def penalized(moments: Moments, l2: float, to_original: Tensor | None) -> Moments:
    """The moments with the L2 penalty as further rows: sqrt(l2/2) times each coefficient.

    A column that is constant up to rounding stays constant, and its coefficient 0.
    """
    if not l2:
        return moments
    if to_original is None:
        _, _, moving = _unit_columns(moments)
        moments = moments._replace(factor=moments.factor * moving)
        to_original = torch.diag(moving.to(moments.factor))
    return moments.with_rows((l2 / 2) ** 0.5 * to_original.T)


def _map(moments: Moments, to_coef: Tensor, from_coef: Tensor) -> Coordinates:
    """A map on centred columns, in units of the targets' deviations."""
    spread = moments.deviations()[1]
    return Coordinates(
        to_coef,
        from_coef,
        moments.x_mean,
        moments.y_mean,
        torch.where(spread > 0, spread, 1.0),
    )


def _unit_columns(moments: Moments) -> tuple[Tensor, Tensor, Tensor]:
    """Norms of the factor's columns, the columns at unit norm, and which are not constant."""
    scale = norms(moments.factor)
    moving = scale > 10 * _EPS * moments.peak * moments.weight.sqrt()
    scale = torch.where(moving, scale, 1.0)
    return scale, moments.factor / scale, moving


def _noise(moments: Moments, scale: Tensor) -> Tensor:
    """How far rounding alone can put a unit column from the span of the others."""
    shortest = 10 * _EPS * max(10, *moments.factor.shape)
    return (10 * _EPS * moments.peak * moments.weight.sqrt() / scale).clamp(min=shortest)


def _independent(
    factor: Tensor, noise: Tensor, moving: Tensor
) -> tuple[Tensor | None, Tensor, Tensor]:
    """Columns that are no combinations of others, orthonormalized, and their triangle's inverse.

    What rounding leaves of a combination of columns is the same combination of their
    noises, so a column counts if its rest is longer than that. They are taken in order,
    those with a long rest first: of two that nearly agree one waits, and is not needed
    where the others suffice. None for the orthonormal basis means that ``factor`` is
    triangular in it already.
    """
    rows, p = factor.shape
    everything = torch.arange(p, device=factor.device)
    if rows == p and moving.all() and not factor.tril(-1).any():
        eye = torch.eye(p, dtype=factor.dtype, device=factor.device)
        inverse = torch.linalg.solve_triangular(factor, eye, upper=True)
        # a column of the inverse is the combination, over the length of the rest
        if ((inverse * noise[:, None]).square().sum(0) < 1.0).all():
            return None, everything, inverse
    most = min(rows, p)
    basis, inverse = factor.new_zeros(rows, most), factor.new_zeros(most, most)
    columns: list[int] = []
    size = partial(torch.linalg.vector_norm, dim=0)  # of columns near unit length
    for least in _LEAST_RESTS:
        waiting = moving.clone()
        waiting[columns] = False
        # a panel of columns is freed of the earlier basis in one product, twice for accuracy
        for panel in everything[waiting].split(64):
            start = len(columns)
            before = basis[:, :start]
            rest, taken = factor[:, panel], factor.new_zeros(start, len(panel))
            for _ in range(2):
                part = before.T @ rest
                rest, taken = rest - before @ part, taken + part
            combination = inverse[:start, :start] @ taken
            # within the panel a rest only gets shorter
            error = torch.hypot(noise[panel], size(combination * noise[columns, None]))
            hopeful = size(rest) > error.clamp(min=least)
            for j in torch.nonzero(hopeful).ravel().tolist():
                column, k = int(panel[j]), len(columns)
                vector, own = rest[:, j], basis[:, start:k]
                shares = own.new_zeros(own.shape[1])
                for _ in range(2):
                    part = own.T @ vector
                    vector, shares = vector - own @ part, shares + part
                length = size(vector)
                made_of = inverse[:k, start:k] @ shares
                made_of[:start] += combination[:, j]
                doubt = torch.hypot(noise[column], size(made_of * noise[columns]))
                if k < most and length > doubt and length > least:
                    basis[:, k] = vector / length
                    inverse[:k, k], inverse[k, k] = -made_of / length, 1.0 / length
                    columns.append(column)
    rank = len(columns)
    return basis[:, :rank], torch.tensor(columns, device=factor.device), inverse[:rank, :rank]
