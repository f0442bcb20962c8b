"""What a step of the search chooses from: every word, or for each sentence words of its own.

The search sees words as places in what a sentence may choose from; `ids` gives them back.

Axes: b sentence   k hypothesis   n row (b·k)   t position   v word of the vocabulary
u word of the union of all lists   l word of a sentence's list   c word to choose from (v or l)
"""

from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int


class Everything(NamedTuple):
    """All words, for all sentences."""

    def ids(self, words: Int[Array, "b *k"]) -> Int[Array, "b *k"]:
        """The vocabulary's ids of these words."""
        return words

    def places(self, ids_bt: Int[Array, "b t"]) -> Int[Array, "b t"]:
        """The other way about."""
        return ids_bt

    def among(self, logits_tnv: Float[Array, "t n v"]) -> Float[Array, "t n v"]:
        """The logits of the words to choose from."""
        return logits_tnv

    def banned(self, banned_bv: Bool[Array, "b v"]) -> Bool[Array, "b v"]:
        """Which of the words to choose from are never chosen."""
        return banned_bv


class Lists(NamedTuple):
    """Each sentence's own words.

    A list is in one order, of one length and apart from the others when it is normalised: the
    bits of its sums are then its own as well.
    """

    id_bl: Int[Array, "b l"]
    place_bl: Int[Array, "b l"]  # in the union
    real_bl: Bool[Array, "b l"]

    @classmethod
    def of(cls, union_u: Int[Array, " u"], place_bl: Int[Array, "b l"]) -> "Lists":
        """From places in the union, whose size stands where a list has ended."""
        real_bl = place_bl < len(union_u)
        place_bl = jnp.where(real_bl, place_bl, 0)
        return cls(union_u[place_bl], place_bl, real_bl)

    def ids(self, words: Int[Array, "b *k"]) -> Int[Array, "b *k"]:
        """The vocabulary's ids of these words."""
        words_bn = words.reshape(len(words), -1)
        return jnp.take_along_axis(self.id_bl, words_bn, axis=1, mode="clip").reshape(words.shape)

    def places(self, ids_bt: Int[Array, "b t"]) -> Int[Array, "b t"]:
        """The other way about, for words that are on the list."""
        return (self.id_bl[:, None] == ids_bt[:, :, None]).argmax(axis=2)

    def among(self, logits_tnu: Float[Array, "t n u"]) -> Float[Array, "t n l"]:
        """The logits of the words to choose from."""
        positions, rows, union = logits_tnu.shape
        logits_tbku = logits_tnu.reshape(positions, len(self.id_bl), -1, union)
        place_1b1l = self.place_bl[None, :, None]
        logits_tbkl = jnp.take_along_axis(logits_tbku, place_1b1l, axis=3, mode="clip")
        logits_tbkl = jnp.where(self.real_bl[None, :, None], logits_tbkl, -jnp.inf)
        return logits_tbkl.reshape(positions, rows, -1)

    def banned(self, banned_bv: Bool[Array, "b v"]) -> Bool[Array, "b l"]:
        """Which of the words to choose from are never chosen."""
        return jnp.take_along_axis(banned_bv, self.id_bl, axis=1, mode="clip")


Words: TypeAlias = Everything | Lists
EVERYTHING = Everything()
