"""Weights as whole numbers of eight bits, with a scale for each output channel. Imports no JAX.

A product of whole numbers is exact, so that a row has the same bits among any others. Knows no
layer.
"""

from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np


class Quantised(NamedTuple):
    """A matrix, near enough: `values * scale`."""

    values: Any  # int8
    scale: Any  # float32, one number for what a product sums over

    def __getitem__(self, index: EllipsisType) -> "Quantised":  # type: ignore[override]
        """All of it, as of an array; parameters of a network are read in this way."""
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the matrix."""
        return self.values.shape


def quantise(matrix: np.ndarray, axis: int) -> Quantised:
    """The nearest whole numbers, where products sum over `axis`."""
    scale = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), 1e-12) / 127
    with np.errstate(invalid="ignore"):  # the scale tells of what is no number
        values = np.clip(np.round(matrix / scale), -127, 127).astype(np.int8)
    return Quantised(values, scale.astype(np.float32))
