"""The average of the parameters over the passes of `partial_fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_data import to_tensor
from sklearn_gd._solver.loop import Trace
from sklearn_gd._training.options import FitOptions

_KEY = "average"


class PassAverage(NamedTuple):
    """Where a pass starts, and the mean that it goes on with."""

    u: Tensor | None  # the parameters after the last step, if there was a pass before
    mean: Tensor | None  # of the steps before
    n_left_out: int  # steps of this pass, or minus the number of steps in the mean already
    n_averaged: int  # steps in the mean after this pass
    n_rows: int  # rows seen after this pass

    @classmethod
    def of(
        cls,
        state: Mapping[str, Any] | None,
        options: FitOptions,
        n_rows: int,
        device: torch.device,
    ) -> PassAverage:
        """For a pass over so many rows, from the state of the passes before."""
        earlier = (state or {}).get(_KEY)
        n_steps = -(-n_rows // min(options.batch_size or n_rows, n_rows))
        if earlier is None:
            n_left_out = options.n_steps_left_out(n_rows) or 0
            return cls(None, None, n_left_out, max(n_steps - n_left_out, 0), n_rows)
        n_averaged, n_seen = earlier["n_averaged"], earlier["n_rows"]
        if n_averaged:
            n_left_out = -n_averaged
        else:
            rest = options._replace(average=max(int(options.average) - n_seen, 1))
            n_left_out = rest.n_steps_left_out(n_rows) or 0
        u, mean = (to_tensor(earlier[name], device) for name in ("u", "mean"))
        return cls(u, mean, n_left_out, max(n_steps - n_left_out, 0), n_seen + n_rows)

    def state_after(self, trace: Trace) -> dict[str, Any]:
        """What the next pass needs, as NumPy and Python values."""
        assert trace.path is not None
        # a target that diverged goes on where it was put
        u = torch.where(trace.diverged.to(trace.u.device)[..., None], trace.u, trace.path[-1])
        return {
            _KEY: {
                "u": u.cpu().numpy(),
                "mean": trace.u.cpu().numpy(),
                "n_averaged": self.n_averaged,
                "n_rows": self.n_rows,
            }
        }
