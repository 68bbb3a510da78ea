"""The options of a fit."""

from functools import partial

import pytest
import torch

from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._problem.penalties import Penalty
from tests._training.reference import fit_options


def test_the_penalty_and_the_loss():
    options = fit_options(alpha=0.3, l1_ratio=0.25, positive=True)
    assert options.penalty == Penalty(0.3, 0.25, options.bounds)
    assert options.bounds is not None
    assert fit_options().penalty.bounds is None
    assert options.is_squared
    assert not fit_options(loss="huber").is_squared
    assert not fit_options(loss=lambda p, t: (p - t) ** 2).is_squared


def test_the_optimizer_is_checked_against_the_other_options():
    factory = fit_options(optimizer="adam").optimizer_factory()
    assert factory.optimizer_class is torch.optim.Adam
    with pytest.raises(
        InvalidParameterError, match="The 'optimizer' parameter of test must be 'sgd'"
    ):
        fit_options(optimizer="adam", positive=True).optimizer_factory()
    with pytest.raises(InvalidParameterError, match="The 'lr_scheduler' parameter of test"):
        fit_options(lr_scheduler=3).optimizer_factory()


def test_a_scheduler_is_part_of_the_factory():
    scheduler = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9)
    assert fit_options(lr_scheduler=scheduler).optimizer_factory().make_scheduler is scheduler
