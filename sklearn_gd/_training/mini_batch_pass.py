"""One pass over some of the rows, which goes on where the last pass ended.

The coordinates are those of the first pass: its means and deviations. So later rows of any
size continue the same descent. Between passes the state of the optimizer and the scheduler is
kept as NumPy and Python values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sklearn_gd._base.torch_state import find_device, isolated
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._problem.parametrization import Parametrization, TargetScaling
from sklearn_gd._problem.preconditioners import DiagonalPreconditioner
from sklearn_gd._solver.optimizers import OptimizerFactory
from sklearn_gd._training.coordinates import Coordinates, coordinates_of_stream
from sklearn_gd._training.options import FitOptions
from sklearn_gd._training.pass_average import PassAverage
from sklearn_gd._training.prepare import Model, descend_problems, prepare, start_objective
from sklearn_gd._training.result import FitResult, make_result
from sklearn_gd.losses import find_loss

PartialFitState = dict[str, Any]

# The objective of a small part varies by chance. A pass has diverged if the objective of its
# part ends above this factor times that of the first part, or of zeros on the same part.
_NOISE_OF_PARTS = 2.0


def fit_pass(
    data: TrainingData,
    basis: PolynomialBasis | None,
    options: FitOptions,
    *,
    start: Model | None,
    state: PartialFitState | None,
    seed: int,
) -> tuple[FitResult, PartialFitState]:
    """One pass over ``data``, and the state that the next pass needs."""
    options = options._replace(epochs=1)
    with isolated():
        if (
            options.optimizer_factory().is_lbfgs
        ):  # made by a callable: by name it has no partial_fit
            raise ValueError(
                f"partial_fit of {options.owner} does not support L-BFGS, whose estimates of the "
                "curvature need the same rows every time. Use 'sgd' or 'adam', or fit."
            )
        if state is None:
            coordinates = _first_coordinates(data, basis, options)
        else:
            coordinates = _restore_coordinates(state, options)
        fit = prepare(data, basis, options, seed=seed, coordinates=coordinates)
        average = None
        if fit.n_left_out is not None:
            average = PassAverage.of(state, options, data.n_weighted, fit.problem.loss_scale.device)
            fit = fit._replace(n_left_out=average.n_left_out)
        kept = _KeptOptimizers(fit.optimizer_factory, state["optimizers"] if state else [])
        # divergence is judged against the objective with which the stream began
        if state is None or "first_objective" not in state:
            first_objective = start_objective(fit, start)
        else:
            first_objective = to_tensor(state["first_objective"], fit.problem.loss_scale.device)
        trace = descend_problems(
            [fit],
            [[fit.lr]],
            start=start,
            start_u=average and average.u,
            earlier_mean=average and average.mean,
            optimizer_factory=kept.factory(),
            start_value=_NOISE_OF_PARTS * torch.maximum(first_objective, fit.problem.at_zero),
            keep_path=average is not None,
        )
        result = make_result(fit, trace.select(0, 0), fit.lr)
        result.check_finite(options.owner)
    return result, {
        **_save_coordinates(coordinates),
        "first_objective": first_objective.cpu().numpy(),
        "optimizers": kept.states(),
        **({} if average is None else average.state_after(trace)),
    }


def _first_coordinates(
    data: TrainingData, basis: PolynomialBasis | None, options: FitOptions
) -> Coordinates:
    """The coordinates of a stream that begins with these rows."""
    tensor_data = TensorData(data, basis, find_device(options.device))
    loss = find_loss(options.loss, options.loss_params, options.owner)
    return coordinates_of_stream(tensor_data, options, loss)


def _save_coordinates(coordinates: Coordinates) -> PartialFitState:
    """The coordinates of a stream by name, as NumPy."""
    parametrization = coordinates.parametrization
    preconditioner, scaling = parametrization.preconditioner, parametrization.scaling
    assert isinstance(preconditioner, DiagonalPreconditioner)
    tensors = {
        "scale": preconditioner.scale[0],
        "inverse_scale": preconditioner.inverse[0],
        "x_mean": parametrization.x_mean[0],
        "y_mean": scaling.y_mean[0, 0],
        "y_scale": scaling.y_scale[0, 0],
        "y_deviation": coordinates.y_deviation,
    }
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}


def _restore_coordinates(state: PartialFitState, options: FitOptions) -> Coordinates:
    """The coordinates of the earlier passes."""
    device = find_device(options.device)
    loss = find_loss(options.loss, options.loss_params, options.owner)

    def tensor(name: str) -> Tensor:
        return to_tensor(state[name], device)

    parametrization = Parametrization(
        DiagonalPreconditioner(tensor("scale")[None], tensor("inverse_scale")[None]),
        tensor("x_mean")[None],
        TargetScaling.of(tensor("y_mean"), tensor("y_scale"), loss.power),
        options.fit_intercept,
    )
    return Coordinates(parametrization, tensor("y_deviation"), None, None, options.bounds)


class _KeptOptimizers:
    """The optimizers and schedulers of a pass, made with the states of the pass before."""

    def __init__(self, factory: OptimizerFactory, earlier: list[PartialFitState]):
        self.original, self.earlier = factory, earlier
        self.optimizers: list[Optimizer] = []
        self.schedulers: list[LRScheduler] = []

    def factory(self) -> OptimizerFactory:
        """A factory that restores them in order."""
        make_scheduler = self._make_scheduler if self.original.make_scheduler else None
        return self.original._replace(make=self._make, make_scheduler=make_scheduler)

    def states(self) -> list[PartialFitState]:
        """Their states, as NumPy and Python values."""
        schedulers: Sequence[LRScheduler | None] = self.schedulers or [None] * len(self.optimizers)
        return [
            {
                "optimizer": _map_values(
                    optimizer.state_dict()["state"], lambda t: t.detach().cpu().numpy(), Tensor
                ),
                "scheduler": scheduler and scheduler.state_dict(),
                "progress": _progress(optimizer),
            }
            for optimizer, scheduler in zip(self.optimizers, schedulers, strict=True)
        ]

    def _make(self, leaf: Tensor, lr: float) -> Optimizer:
        optimizer = self.original.make(leaf, lr)
        if len(self.optimizers) < len(self.earlier):
            earlier = self.earlier[len(self.optimizers)]
            groups = optimizer.state_dict()["param_groups"]
            groups[0].update(earlier.get("progress", {}))
            tensors = _map_values(earlier["optimizer"], torch.tensor, np.ndarray)
            optimizer.load_state_dict({"state": tensors, "param_groups": groups})
        self.optimizers.append(optimizer)
        return optimizer

    def _make_scheduler(self, optimizer: Optimizer) -> LRScheduler:
        assert self.original.make_scheduler is not None
        scheduler = self.original.make_scheduler(optimizer)
        if len(self.schedulers) < len(self.earlier):
            scheduler.load_state_dict(self.earlier[len(self.schedulers)]["scheduler"])
            for group, lr in zip(optimizer.param_groups, scheduler.get_last_lr(), strict=True):
                group["lr"] = lr
        self.schedulers.append(scheduler)
        return scheduler


def _progress(optimizer: Optimizer) -> PartialFitState:
    """What an optimizer counts beside its options, such as Prodigy's estimate of the lr."""
    (group,) = optimizer.param_groups
    return {
        name: value
        for name, value in group.items()
        if name not in ("lr", "initial_lr")  # they come from the estimator and its scheduler
        and type(value) in (bool, int, float)
        and value != optimizer.defaults.get(name)
    }


def _map_values(value: Any, change: Any, kind: type) -> Any:
    """``value`` with everything of a type changed, also inside of dicts."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_values(item, change, kind) for key, item in value.items()}
    return value
