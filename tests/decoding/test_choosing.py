"""Choosing the next hypotheses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.decoding.choosing import top


@pytest.mark.parametrize("words", [1_999, 2_000])
def test_choosing_by_blocks_of_words_is_the_same_as_sorting_all_of_them(words):
    scores_bkv = jax.random.normal(jax.random.key(0), (3, 2, words))
    best, at = top(scores_bkv.at[1].set(-jnp.inf), 5)
    order = np.argsort(-np.asarray(scores_bkv), axis=2)[:, :, :5]
    np.testing.assert_array_equal(at[::2], order[::2])
    np.testing.assert_array_equal(best[::2], np.take_along_axis(scores_bkv, order, axis=2)[::2])
    assert (np.asarray(best[1]) == -np.inf).all()
