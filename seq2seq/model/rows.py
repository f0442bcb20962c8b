"""Which rows of a product belong to which sentence, where not all have equally many.

A search multiplies the hypotheses that grow, and no others, so that their rows stand close
together; what concerns a sentence (its source, the choice among its hypotheses) is done on a grid
of sentences and hypotheses, some of whose places are empty.

Axes: n row   b sentence   k hypothesis
"""

from typing import NamedTuple

from jax import Array
from jaxtyping import Int


class Rows(NamedTuple):
    """The way from the grid to the rows, and back."""

    place_n: Int[Array, " n"]  # of each row in the grid (b·k); of a row that nobody needs, any
    row_bk: Int[Array, "b k"]  # of each place of the grid; of an empty one, any

    @property
    def sentence_n(self) -> Int[Array, " n"]:
        """The sentence of each row."""
        return self.place_n // self.row_bk.shape[1]

    @property
    def hypothesis_n(self) -> Int[Array, " n"]:
        """Its number among those of its sentence."""
        return self.place_n % self.row_bk.shape[1]

    def packed(self, x_bk: Array) -> Array:
        """Of a grid, the places that are rows."""
        return x_bk.reshape(self.row_bk.size, *x_bk.shape[2:])[self.place_n]
