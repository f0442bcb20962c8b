"""Multi-head attention over an encoded source: dot, general (bilinear) or additive.

The memory is laid out once per sentence; queries of all positions, or of all hypotheses of a
beam, are then answered by the same products. Knows no decoder.

Axes: b sentence   k hypothesis   t position   n row (b·k)   s source   h head   q query feature
m memory feature   p feature of a head's query and key   u feature of a head's value
"""

import functools
import operator
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float

from seq2seq.model.dropout import Dropout
from seq2seq.model.initial import Draw
from seq2seq.model.product import product
from seq2seq.model.reduction import among_many
from seq2seq.model.rows import Rows


class Memory(NamedTuple):
    """An encoded source, ready to be attended to."""

    keys_bhsp: Float[Array, "b h s p"]
    values_bhsu: Float[Array, "b h s u"]
    mask_bs: Bool[Array, "b s"]  # true at real tokens
    summary_bm: Float[Array, "b m"]  # the last states of both directions
    rows: Rows | None = None  # who asks; otherwise, equally many rows of each sentence in turn


class Attention(nnx.Module):
    """Queries of width `query` over a memory of width `memory`."""

    def __init__(
        self,
        kind: Literal["dot", "general", "additive"],
        *,
        query: int,
        memory: int,
        heads: int,
        dtype: DTypeLike,
        draw: Draw,
    ) -> None:
        self.key_mq = None if kind == "dot" else nnx.Param(draw.matrix(memory, query))
        additive = kind == "additive"
        self.query_qq = nnx.Param(draw.matrix(query, query)) if additive else None
        self.score_hp = nnx.Param(draw.matrix(heads, query // heads)) if additive else None
        self.heads = heads
        self.dtype = dtype

    def remember(
        self,
        memory_sbm: Float[Array, "s b m"],
        mask_bs: Bool[Array, "b s"],
        summary_bm: Float[Array, "b m"],
    ) -> Memory:
        """Projects and lays out the keys and values of a batch of sources."""
        if self.key_mq is None:
            keys_sbq = memory_sbm
        else:
            keys_sbq = product("sbm,mq->sbq", memory_sbm, self.key_mq[...], self.dtype)
        return Memory(self._by_head(keys_sbq), self._by_head(memory_sbm), mask_bs, summary_bm)

    def _by_head(self, x_sbd: Float[Array, "s b d"]) -> Float[Array, "b h s p"]:
        source, batch, width = x_sbd.shape
        split = x_sbd.reshape(source, batch, self.heads, width // self.heads)
        return split.transpose(1, 2, 0, 3).astype(self.dtype)

    def __call__(
        self, query_tnq: Float[Array, "t n q"], memory: Memory, *, dropout: Dropout, rate: float
    ) -> tuple[Float[Array, "t n m"], Float[Array, "t n s"]]:
        """The context of every query, and its weights over the source (mean of the heads)."""
        query_tbkq = _by_sentence(query_tnq, memory)
        *grid, width = query_tbkq.shape
        scores_bhtks = self._scores(
            query_tbkq.reshape(*grid, self.heads, width // self.heads), memory
        )
        mask_bs = memory.mask_bs[:, None, None, None, :]
        weights_bhtks = among_many(jax.nn.softmax, jnp.where(mask_bs, scores_bhtks, -jnp.inf))
        # The mean over heads is reported as it is before dropout: a distribution.
        sum_btks = functools.reduce(operator.add, jnp.unstack(weights_bhtks, axis=1))
        report_tbks = (sum_btks / self.heads).transpose(1, 0, 2, 3)
        dropped_tbhks = dropout(weights_bhtks.transpose(2, 0, 1, 3, 4), rate, site=0)
        dropped_bhtks = dropped_tbhks.transpose(1, 2, 0, 3, 4)
        context_bhtku = product("bhtks,bhsu->bhtku", dropped_bhtks, memory.values_bhsu, self.dtype)
        context_tbkm = context_bhtku.transpose(2, 0, 3, 1, 4).reshape(*grid, -1)
        return _by_row(context_tbkm, memory), _by_row(report_tbks, memory)

    def _scores(
        self, query_tbkhp: Float[Array, "t b k h p"], memory: Memory
    ) -> Float[Array, "b h t k s"]:
        if self.score_hp is None or self.query_qq is None:
            scale = query_tbkhp.shape[-1] ** -0.5
            return product("tbkhp,bhsp->bhtks", query_tbkhp * scale, memory.keys_bhsp, self.dtype)
        *grid, heads, width = query_tbkhp.shape
        projected_tbkq = product(
            "tbkr,rq->tbkq",
            query_tbkhp.reshape(*grid, heads * width),
            self.query_qq[...],
            self.dtype,
        )
        query_tbkhp = projected_tbkq.reshape(*grid, heads, width)
        sums_tbkhsp = jnp.tanh(
            query_tbkhp[..., None, :] + memory.keys_bhsp[None, :, None].astype(jnp.float32)
        )
        return product("tbkhsp,hp->bhtks", sums_tbkhsp, self.score_hp[...], self.dtype)


def _by_sentence(x_tnd: Array, memory: Memory) -> Array:
    positions, _, width = x_tnd.shape
    if memory.rows is None:
        return x_tnd.reshape(positions, memory.mask_bs.shape[0], -1, width)
    return x_tnd[:, memory.rows.row_bk]


def _by_row(x_tbkd: Array, memory: Memory) -> Array:
    positions, *_, width = x_tbkd.shape
    x_tnd = x_tbkd.reshape(positions, -1, width)
    return x_tnd if memory.rows is None else x_tnd[:, memory.rows.place_n]
