"""Joining the tensors of several problems along their first axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def stack_padded(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors (problems, ...) joined along the first axis, padded with zeros in the others.

    Problems may differ in their number of coordinates. A coordinate that is padded with
    zeros has no gradient, so that no optimizer moves it.
    """
    if len({tensor.shape[1:] for tensor in tensors}) == 1:
        return torch.cat(list(tensors))
    largest = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    stack = tensors[0].new_zeros(sum(len(tensor) for tensor in tensors), *largest)
    first = 0
    for tensor in tensors:
        index = (slice(first, first + len(tensor)), *map(slice, tensor.shape[1:]))
        stack[index] = tensor
        first += len(tensor)
    return stack
