"""Tensors of several problems, padded with zeros."""

import torch

from sklearn_gd._problem.stacking import stack_padded


def test_equal_shapes_are_concatenated():
    parts = [torch.ones(1, 2, 3), torch.full((2, 2, 3), 2.0)]
    torch.testing.assert_close(stack_padded(parts), torch.cat(parts))


def test_other_shapes_are_padded_with_zeros():
    parts = [torch.ones(1, 2, 1), torch.full((2, 1, 3), 2.0), torch.full((1, 3, 2), True)]
    stack = stack_padded(parts[:2])
    assert stack.tolist() == [
        [[1, 0, 0], [1, 0, 0]],
        [[2, 2, 2], [0, 0, 0]],
        [[2, 2, 2], [0, 0, 0]],
    ]
    flags = stack_padded([parts[2], torch.full((1, 1, 1), True)])
    assert flags.dtype == torch.bool
    assert int(flags.sum()) == 7


def test_its_arguments_are_only_read():
    parts = [torch.ones(1, 2), torch.ones(1, 3)]
    stack_padded(parts).fill_(5.0)
    assert all((part == 1).all() for part in parts)
