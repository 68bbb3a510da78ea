"""One pass over some of the rows, going on where the last pass ended.

The coordinates are those of the first pass: its means and deviations (1 where zero), so
that later rows of any size continue the same descent. Between passes the state of the
optimizer and the scheduler is kept as NumPy and Python values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._coordinates import Coordinates
from sklearn_gd._data import Data
from sklearn_gd._optimizers import Recipe
from sklearn_gd._polynomial import Basis
from sklearn_gd._problem import Settings, pose_stream, stream_coordinates
from sklearn_gd._source import to_tensor
from sklearn_gd._torch import find_device, isolated
from sklearn_gd._training import Model, Training, make_recipe, report, run, step_length


def train_on_part(
    data: Data,
    basis: Basis | None,
    settings: Settings,
    *,
    start: Model | None,
    stream: dict[str, Any] | None,
    seed: int,
) -> tuple[Training, dict[str, Any]]:
    """One pass over ``data``, and what the next pass needs."""
    settings = settings._replace(epochs=1)
    with isolated():
        made = make_recipe(settings)
        if made.is_lbfgs:  # from a callable: a name or class has no partial_fit
            raise ValueError(
                f"partial_fit of {settings.owner} does not support L-BFGS, whose estimates of the "
                "curvature need the same rows every time. Use 'sgd' or 'adam', or fit."
            )
        device = find_device(settings.device)
        if stream is None:
            coordinates = stream_coordinates(data, basis, settings)
            spread = data.y.std(axis=0) if settings.fit_intercept else np.sqrt((data.y**2).mean(0))
            stream = {"spread": np.where(spread > 0, spread, 1.0), "optimizers": []}
        else:
            parts = [to_tensor(part, device) for part in stream["coordinates"]]
            coordinates = Coordinates(
                parts[0], parts[1], parts[2], parts[3], parts[4], settings.fit_intercept
            )
        problem = pose_stream(data, basis, settings, made, coordinates, stream["spread"], seed)
        lr = step_length(settings.lr, made, None)
        kept = _Kept(made, stream["optimizers"])
        trace = run(problem, kept.recipe(), [lr], settings, start, must_fall=False)
        training = report(problem, made, lr, trace, settings)
        state = {
            "coordinates": tuple(part.cpu().numpy() for part in coordinates[:5]),
            "spread": stream["spread"],
            "optimizers": kept.states(),
        }
    return training, state


class _Kept:
    """The optimizers and schedulers of a pass, made with the states of the pass before."""

    def __init__(self, made: Recipe, states: list[tuple[Any, Any]]):
        self.made, self.earlier = made, states
        self.optimizers: list[Any] = []
        self.schedulers: list[Any] = []

    def recipe(self) -> Recipe:
        """The recipe that restores them in order."""
        schedule = self._schedule if self.made.schedule else None
        return self.made._replace(make=self._make, schedule=schedule)

    def states(self) -> list[tuple[Any, Any]]:
        """Their states, as NumPy and Python values."""
        schedulers = self.schedulers or [None] * len(self.optimizers)
        return [
            (
                _map(optimizer.state_dict()["state"], lambda t: t.detach().cpu().numpy(), Tensor),
                scheduler and scheduler.state_dict(),
            )
            for optimizer, scheduler in zip(self.optimizers, schedulers, strict=True)
        ]

    def _make(self, leaf: Tensor, lr: float) -> Any:
        optimizer = self.made.make(leaf, lr)
        if len(self.optimizers) < len(self.earlier):
            state, _ = self.earlier[len(self.optimizers)]
            groups = optimizer.state_dict()["param_groups"]
            tensors = _map(state, torch.tensor, np.ndarray)
            optimizer.load_state_dict({"state": tensors, "param_groups": groups})
        self.optimizers.append(optimizer)
        return optimizer

    def _schedule(self, optimizer: Any) -> Any:
        assert self.made.schedule is not None
        scheduler = self.made.schedule(optimizer)
        if len(self.schedulers) < len(self.earlier):
            _, state = self.earlier[len(self.schedulers)]
            scheduler.load_state_dict(state)
            for group, lr in zip(optimizer.param_groups, scheduler.get_last_lr(), strict=True):
                group["lr"] = lr
        self.schedulers.append(scheduler)
        return scheduler


def _map(value: Any, change: Any, kind: type) -> Any:
    """``value`` with everything of a kind in its dicts changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: _map(item, change, kind) for key, item in value.items()}
    return value
