"""The search against brute force, and its behaviour at the edges, on models made of tables."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.decoding.beam import Hypotheses, Options, Task
from seq2seq.decoding.search import Sentences, search

PAD, BOS, EOS = 0, 1, 2
SOURCES = 3
STEPS: list[None] = []  # one for each step of the last search


def table(vocabulary: int, *, sentences: int = 1, seed: int = 0) -> jax.Array:
    """Log-probabilities of a word given the two words before it, for each sentence."""
    logits = 2 * jax.random.normal(jax.random.key(seed), (sentences, *[vocabulary] * 3))
    return jax.nn.log_softmax(logits)


def run(table_qxyv: jax.Array, limits: list[int], *, beam: int = 3, **options) -> Hypotheses:
    """Searches with the table as the model; attention walks along the source."""
    return counted_run(table_qxyv, limits, beam=beam, **options)[0]


def counted_run(
    table_qxyv: jax.Array,
    limits: list[int],
    *,
    beam: int,
    slots: int = 0,
    rows: int = 0,
    **options,
) -> tuple[Hypotheses, int]:
    """The same, and the number of steps."""
    slots = slots or len(limits)
    fixed = {
        "begin": BOS,
        "end": EOS,
        "positions": 31,
        "slots": slots,
        "rows": rows or slots * beam,
    }
    STEPS.clear()
    found = compiled(table_qxyv, jnp.array(limits), Options(**fixed, beam=beam, **options))
    jax.effects_barrier()
    return found, len(STEPS)


@functools.partial(jax.jit, static_argnames="settings")
def compiled(table_qxyv: jax.Array, limit_q: jax.Array, settings: Options) -> Hypotheses:
    sentences, vocabulary = table_qxyv.shape[0], table_qxyv.shape[-1]

    def step(words_n, rows, table_bxyv, state):
        jax.debug.callback(lambda: STEPS.append(None))
        before_n, at_n = state
        scores_nv = table_bxyv[rows.sentence_n, before_n, words_n]
        attention_ns = jax.nn.one_hot(at_n % SOURCES, SOURCES)
        total_n = jnp.zeros(words_n.shape)  # the scores are log-probabilities already
        return scores_nv, total_n, (words_n, at_n + 1), attention_ns

    banned_v = jnp.array([word in (PAD, BOS) for word in range(vocabulary)])
    task = Task(
        limit_q,
        jnp.ones((sentences, SOURCES), bool),
        jnp.broadcast_to(banned_v, (sentences, vocabulary)),
    )
    state = (jnp.full(sentences, BOS), jnp.zeros(sentences, int))
    return search(step, Sentences(table_qxyv, state), task, settings)


def outputs(result: Hypotheses, sentence: int = 0) -> list[list[int]]:
    return [
        np.asarray(result.trace.words_bkt)[sentence, place, :length].tolist()
        for place, length in enumerate(np.asarray(result.lengths_bk)[sentence])
        if result.ranks_bk[sentence, place] > -math.inf
    ]


def forced(table_xyv: jax.Array, words: list[int]) -> list[float]:
    history = [BOS, BOS, *words]
    return [
        float(table_xyv[before, last, word])
        for before, last, word in zip(history, history[1:], words, strict=False)
    ]


def every_output(vocabulary: int, limit: int) -> list[list[int]]:
    words = [word for word in range(vocabulary) if word not in (PAD, BOS, EOS)]
    return [
        [*body, EOS]
        for length in range(1, limit + 1)
        for body in itertools.product(words, repeat=length)
    ]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_beam_as_wide_as_the_space_finds_the_best_output(penalty, seed):
    model = table(6, seed=seed)
    ranks = {
        tuple(words): sum(forced(model[0], words)) / len(words) ** penalty
        for words in every_output(6, 3)
    }
    best = sorted(ranks, key=lambda words: -ranks[words])
    result = run(model, [3], beam=60, length_penalty=penalty, nbest=5)
    assert outputs(result)[:5] == [list(words) for words in best[:5]]
    np.testing.assert_allclose(
        result.ranks_bk[0, :5], [ranks[words] for words in best[:5]], rtol=1e-5
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy(seed):
    model, words = table(9, seed=seed), []
    while not words or words[-1] != EOS:
        history = [BOS, BOS, *words]
        scores = np.array(model[0, history[-2], history[-1]])
        scores[[PAD, BOS] + [EOS] * (not words)] = -np.inf
        words.append(EOS if len(words) == 12 else int(scores.argmax()))
    assert outputs(run(model, [12], beam=1)) == [words]


def test_the_score_is_the_log_probability_of_the_emitted_words_and_their_end():
    model = table(9, sentences=2)
    result = run(model, [6, 9], beam=4, nbest=4)
    for sentence, place in itertools.product(range(2), range(4)):
        words = outputs(result, sentence)[place]
        expected = forced(model[sentence], words)
        assert result.scores_bk[sentence, place] == pytest.approx(sum(expected), abs=1e-4)
        found = result.trace.log_probabilities_bkt[sentence, place, : len(words)]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_hypotheses_come_best_first():
    ranks = np.asarray(run(table(9, sentences=4), [7] * 4, beam=5, nbest=5).ranks_bk)
    assert (np.diff(ranks) <= 0).all()


def test_hypotheses_differ_from_one_another():
    result = run(table(9), [7], beam=6, nbest=6)
    assert len({tuple(words) for words in outputs(result)}) == 6


@pytest.mark.parametrize("beam", [1, 2, 5])
def test_a_sentence_alone_gives_what_it_gives_among_others(beam):
    model = table(9, sentences=4, seed=4)
    together = run(model, [2, 9, 4, 30], beam=beam)
    for sentence, limit in enumerate([2, 9, 4, 30]):
        alone = run(model[sentence : sentence + 1], [limit], beam=beam)
        assert outputs(together, sentence) == outputs(alone)
        np.testing.assert_array_equal(together.scores_bk[sentence], alone.scores_bk[0])


@pytest.mark.parametrize(("slots", "rows"), [(1, 3), (2, 6), (5, 15), (5, 3), (7, 8)])
def test_what_becomes_of_a_sentence_does_not_depend_on_slots_and_rows(slots, rows):
    model = table(9, sentences=7, seed=4)
    limits = [2, 9, 0, 30, 5, 0, 12]
    together, queued = (
        run(model, limits, beam=3, **few) for few in ({}, {"slots": slots, "rows": rows})
    )
    for sentence in range(7):
        assert outputs(queued, sentence) == outputs(together, sentence)
        np.testing.assert_array_equal(queued.scores_bk[sentence], together.scores_bk[sentence])


def test_no_slot_waits_while_there_is_a_sentence_in_the_queue():
    model = table(9, sentences=8).at[..., EOS].set(-90.0)
    limits = [3, 9, 3, 3, 3, 3, 3, 3]  # words: with the end 4, and once 10
    _, steps = counted_run(model, limits, beam=1, slots=2)
    first, second = 4 + 4 + 4 + 4 + 4, 10 + 4 + 4
    assert steps == max(first, second)


def test_no_row_is_spent_on_what_does_not_grow():
    ends, grows = 3, 4  # words: one that only the end can follow, one that comes again and again
    model = jnp.full((24, 9, 9, 9), -50.0).at[:, :, BOS, ends].set(0).at[:, :, BOS, grows].set(-1)
    model = model.at[:, :, ends, EOS].set(0).at[:, :, grows, grows].set(0)
    found, steps = counted_run(model, [9] * 24, beam=2, slots=8, rows=8, nbest=2)
    assert outputs(found) == [[ends, EOS], [*[grows] * 9, EOS]]
    grown = 24 * (1 + 2 + 8)  # before the first word there is one hypothesis
    alone = 10  # steps that the last sentence may take by itself
    assert steps <= grown // 8 + alone


@pytest.mark.parametrize("penalty", [0.5, 2.0])
def test_asking_for_more_hypotheses_does_not_change_the_best(penalty):
    model = table(9, sentences=64, seed=5)
    one, all_of_them = (
        run(model, [9] * 64, beam=4, length_penalty=penalty, nbest=nbest) for nbest in (1, 4)
    )
    for sentence in range(64):
        assert outputs(one, sentence)[0] == outputs(all_of_them, sentence)[0]


def chains(*likely: tuple[list[int], list[float]]) -> jax.Array:
    """A model that knows these outputs, and what each of their words costs."""
    model = jnp.full((1, 9, 9, 9), -50.0)
    for words, costs in likely:
        history = [BOS, BOS, *words]
        for before, last, word, cost in zip(history, history[1:], words, costs, strict=False):
            model = model.at[0, before, last, word].set(-cost)
    return model


@pytest.mark.parametrize(("patience", "waits"), [(3, False), (4, True), (0, True)])
def test_who_needs_more_certain_words_than_is_granted_is_given_up(patience, waits):
    short, long = [3, EOS], [4, 5, 6, 7, 8, EOS]  # ranks: -0.5, and -0.48 in the end
    model = chains((short, [1, 0]), (long, [2.9, 0, 0, 0, 0, 0]))
    found, steps = counted_run(model, [9], beam=2, patience=patience)
    assert outputs(found)[0] == (long if waits else short)
    assert short in outputs(found)
    assert steps == (len(long) if waits else len(short))


def test_giving_up_is_measured_by_as_many_as_are_asked_for():
    outs = [[3, EOS], [4, EOS], [5, 6, 7, 8, EOS]]
    model = chains((outs[0], [1, 0]), (outs[1], [2, 0]), (outs[2], [3, 0, 0, 0, 0]))
    one, two, three = (
        outputs(run(model, [9], beam=3, patience=1, nbest=nbest)) for nbest in (1, 2, 3)
    )
    assert one == two == outs[:2]
    assert sorted(three) == outs


@pytest.mark.parametrize(("prune", "stays"), [(2.3, False), (2.5, True), (0.0, True)])
def test_who_is_too_far_behind_the_best_grows_no_more(prune, stays):
    ahead, behind = [3, EOS], [4, EOS]
    model = chains((ahead, [0.1, 5]), (behind, [2.5, 0]))
    found = outputs(run(model, [9], beam=2, prune=prune))
    assert found[0] == (behind if stays else ahead)
    assert (behind in found) == stays


def test_whoever_is_asked_for_may_be_far_behind():
    ahead, behind = [3, EOS], [4, EOS]
    model = chains((ahead, [0.1, 0]), (behind, [9, 0]))
    assert outputs(run(model, [9], beam=2, nbest=2, prune=1.0)) == [ahead, behind]


def test_a_place_that_was_pruned_goes_to_the_next_word_of_another():
    outs = [[3, 5, EOS], [3, 6, EOS]]
    model = chains((outs[0], [0.1, 0.5, 0]), (outs[1], [0.1, 1, 0]), ([4, EOS], [9, 0]))
    assert outputs(run(model, [9], beam=2, prune=1.0)) == outs


def test_no_output_is_empty_even_if_the_end_is_the_likeliest_first_word():
    model = table(9).at[..., EOS].set(10.0)
    assert [len(words) for words in outputs(run(model, [5], beam=3))] == [2, 2, 2]


def test_at_the_limit_the_sentence_ends_and_the_end_is_paid_for():
    model = table(9).at[..., EOS].set(-50.0)
    result = run(model, [4], beam=3)
    assert all(len(words) == 5 and words[-1] == EOS for words in outputs(result))
    assert (np.asarray(result.scores_bk) < -50).all()


def test_a_place_without_a_sentence_costs_no_step_and_has_no_hypothesis():
    assert outputs(run(table(9, sentences=2), [0, 4]), 0) == []


def test_banned_words_do_not_appear():
    model = table(9).at[..., [PAD, BOS]].set(9.0)
    assert not {PAD, BOS} & set(itertools.chain(*outputs(run(model, [9], beam=5))))


def test_nothing_permitted_gives_no_hypothesis_rather_than_a_crash_or_an_endless_loop():
    assert outputs(run(table(3), [5], beam=4)) == []


def test_not_a_number_never_wins():
    model = table(9).at[..., 5].set(jnp.nan)
    result = run(model, [6], beam=4)
    assert outputs(result)
    assert 5 not in set(itertools.chain(*outputs(result)))
    assert np.isfinite(np.asarray(result.scores_bk)[0, 0])


def test_a_distribution_that_is_none_ends_the_search():
    assert outputs(run(table(9) + jnp.nan, [6], beam=4)) == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_blocked_ngrams_come_only_once(size):
    model = table(7).at[..., EOS].set(-9.0).at[..., 4].set(0.5)
    plain = outputs(run(model, [12], beam=2))[0]
    blocked = outputs(run(model, [12], beam=2, block_ngrams=size))[0]
    grams = [tuple(blocked[at : at + size]) for at in range(len(blocked) - size + 1)]
    assert plain == [4] * 12 + [EOS]
    assert len(grams) == len(set(grams))


def test_the_coverage_penalty_prefers_hypotheses_that_looked_at_every_source_position():
    model = table(9, seed=3).at[:, BOS, :, EOS].set(0.0)
    lengths = [
        len(outputs(run(model, [8], beam=4, nbest=4, coverage_penalty=weight))[0])
        for weight in (0.0, 5.0)
    ]
    assert lengths[0] < SOURCES <= lengths[1]


def test_each_word_knows_the_source_position_it_came_from():
    result = run(table(9), [7], beam=3)
    length = int(result.lengths_bk[0, 0])
    assert result.trace.sources_bkt[0, 0, :length].tolist() == [
        at % SOURCES for at in range(length)
    ]
    np.testing.assert_allclose(result.trace.weights_bkt[0, 0, :length], 1.0)
