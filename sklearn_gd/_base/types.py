"""Names for the types of what users pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from scipy import sparse
    from sklearn.model_selection import BaseCrossValidator
    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

# arrays and frames, which NumPy reads, and sparse matrices
MatrixLike: TypeAlias = "ArrayLike | sparse.sparray | sparse.spmatrix"
LossLike: TypeAlias = "str | Callable[[Tensor, Tensor], Tensor]"
OptimizerLike: TypeAlias = "str | Callable[..., Optimizer]"
SchedulerLike: TypeAlias = "Callable[[Optimizer], LRScheduler] | None"
Interval: TypeAlias = "tuple[float | None, float | None]"
PositiveLike: TypeAlias = "bool | Sequence[bool] | Mapping[str, bool]"
BoundsLike: TypeAlias = "Interval | Sequence[Interval] | Mapping[str, Interval] | None"
RandomState: TypeAlias = int | np.random.RandomState | None
Params: TypeAlias = Mapping[str, Any]  # parameters by name; every value has a type of its own
Style: TypeAlias = Mapping[str, Any]  # keyword arguments of matplotlib
Results: TypeAlias = dict[str, Any]  # a table by column, such as cv_results_
CrossValidation: TypeAlias = (
    "int | BaseCrossValidator | Iterable[tuple[ArrayLike, ArrayLike]] | None"
)
ScoringLike: TypeAlias = "str | Callable[..., object] | Sequence[str] | Mapping[str, object] | None"
RefitLike: TypeAlias = "bool | str | Callable[[Results], int]"
Scorer: TypeAlias = "Callable[..., float | Mapping[str, float]]"
TorchFunction: TypeAlias = "Callable[..., Tensor]"
Structure: TypeAlias = Any  # a tensor, or a list, tuple or dict of tensors
