"""The options of a fit: the checked parameters of an estimator that training reads."""

from __future__ import annotations

from typing import NamedTuple

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.types import LossLike, OptimizerLike, Params, SchedulerLike
from sklearn_gd._problem.penalties import Penalty
from sklearn_gd._solver.optimizers import OptimizerFactory, make_optimizer_factory, with_scheduler


class FitOptions(NamedTuple):
    """The parameters of the same names of `GDLinearRegressor`, and whose they are.

    The bounds are those of `positive` too.
    """

    owner: str  # the name of the estimator, for messages
    lr: float | str
    epochs: int
    optimizer: OptimizerLike
    optimizer_params: Params | None
    device: str
    loss: LossLike
    loss_params: Params | None
    alpha: float
    l1_ratio: float
    bounds: Bounds | None
    fit_intercept: bool
    precondition: str | None
    batch_size: int | None
    shuffle: bool
    lr_scheduler: SchedulerLike
    tol: float | str | None
    n_iter_no_change: int
    average: bool | int

    @property
    def penalty(self) -> Penalty:
        """The penalty on coefficients."""
        return Penalty(self.alpha, self.l1_ratio, self.bounds)

    @property
    def is_squared(self) -> bool:
        """Whether the loss is the squared error, which needs the data once."""
        return isinstance(self.loss, str) and self.loss == "squared_error"

    def n_steps_left_out(self, n_rows: int) -> int | None:
        """How many steps come before the average of the parameters; None without an average.

        The average begins with the step after which `average` rows were seen, as in
        SGDRegressor. ``n_rows`` are the rows of positive weight.
        """
        if not self.average:
            return None
        rows_per_step = min(self.batch_size or n_rows, n_rows)
        epochs, rows = divmod(int(self.average) - 1, n_rows)
        return epochs * -(-n_rows // rows_per_step) + rows // rows_per_step

    def optimizer_factory(self) -> OptimizerFactory:
        """The optimizer and its scheduler, checked against the other options."""
        factory = make_optimizer_factory(self.optimizer, self.optimizer_params, self.owner)
        self.penalty.check_optimizer(factory, self.optimizer, self.owner)
        return with_scheduler(factory, self.lr_scheduler, self.owner)
