"""Samples, diverse hypotheses and wishes, against brute force on models made of tables."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.config import TranslateConfig
from seq2seq.decoding import phrases, wording
from seq2seq.decoding.beam import Hypotheses, Options, Task, wished
from seq2seq.decoding.choosing import top
from seq2seq.decoding.search import Sentences, search
from seq2seq.decoding.wishes import wish

PAD, BOS, EOS = 0, 1, 2
PIECES = (b"", b"", b"", b" a", b"a", b"b", b" b")  # spell words of a and b
SPELLING = wording.Spelling(PIECES)


def table(vocabulary: int, *, sentences: int = 1, seed: int = 0) -> jax.Array:
    """Log-probabilities of a word given the one before it, for each sentence."""
    logits = 2 * jax.random.normal(jax.random.key(seed), (sentences, vocabulary, vocabulary))
    return jax.nn.log_softmax(logits)


def run(
    table_qxv: jax.Array, limits: list[int], wishes=None, *, beam: int, **options
) -> Hypotheses:
    """Searches in two slots, so that most sentences come into one that another has left.

    There are rows for little more than one sentence, so that the other one often waits.
    """
    slots, rows = min(2, len(limits)), beam + beam // 2
    fixed = {"begin": BOS, "end": EOS, "positions": 13, "slots": slots, "rows": rows}
    settings = Options(**fixed, beam=beam, **options)
    return compiled(table_qxv, jnp.array(limits), wishes or {}, settings)


@functools.partial(jax.jit, static_argnames="settings")
def compiled(table_qxv: jax.Array, limit_q: jax.Array, wishes, settings: Options) -> Hypotheses:
    sentences, vocabulary = table_qxv.shape[0], table_qxv.shape[-1]

    def step(words_n, rows, table_bxv, state):
        total_n = words_n.astype(float)  # anything: scores are log-probabilities beside it
        scores_nv = table_bxv[rows.sentence_n, words_n] + total_n[:, None]
        return scores_nv, total_n, state, jnp.ones((len(words_n), 1))

    banned_v = jnp.array([word in (PAD, BOS) for word in range(vocabulary)])
    banned_qv = jnp.broadcast_to(banned_v, (sentences, vocabulary))
    task = wished(Task(limit_q, jnp.ones((sentences, 1), bool), banned_qv), wishes)
    return search(step, Sentences(table_qxv, ()), task, settings)


def outputs(result: Hypotheses, sentence: int = 0) -> list[tuple[int, ...]]:
    return [
        tuple(np.asarray(result.trace.words_bkt)[sentence, place, :length].tolist())
        for place, length in enumerate(np.asarray(result.lengths_bk)[sentence])
        if result.ranks_bk[sentence, place] > -math.inf
    ]


def forced(table_xv: jax.Array, words: tuple[int, ...]) -> float:
    return sum(float(table_xv[pair]) for pair in zip((BOS, *words), words, strict=False))


def every_output(vocabulary: int, limit: int) -> list[tuple[int, ...]]:
    return [
        (*body, EOS)
        for length in range(1, limit + 1)
        for body in itertools.product(range(3, vocabulary), repeat=length)
    ]


def text(words: tuple[int, ...]) -> str:
    return " ".join(b"".join(PIECES[word] for word in words).decode().split())


def worded(automata: list[phrases.Automaton]) -> dict[str, np.ndarray]:
    """The arrays of sentences with these rules, whose prefixes are single words."""
    wishes = [
        wish([], TranslateConfig(), wording.tables(each, SPELLING, banned=[PAD, BOS], prefix=[]))
        for each in automata
    ]
    arrays = [dict(each.arrays) for each in wishes]
    for each in arrays:  # without phrases to contain there is one set of them alone
        each["needed_bqm"] = np.resize(each["needed_bqm"].T, (64, 64)).T
    return {name: np.stack([each[name] for each in arrays]) for name in arrays[0]}


def seeds(sentences: int) -> dict[str, np.ndarray]:
    return {"seed_b2": np.arange(2 * sentences, dtype=np.uint32).reshape(-1, 2)}


RULES = [
    phrases.automaton("", ["ab"], []),
    phrases.automaton("", ["a", "b"], []),
    phrases.automaton("b", ["a b"], []),
    phrases.automaton("", ["bb"], ["b", "a a"]),
    phrases.automaton("a ", [], ["b"]),
]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_beam_as_wide_as_the_space_finds_the_best_output_that_keeps_the_rules(seed):
    models = table(7, sentences=len(RULES), seed=seed)
    result = run(
        models, [3] * len(RULES), worded(RULES), beam=90, nbest=3, length_penalty=0.5, banks=True
    )
    for sentence, rules in enumerate(RULES):
        ranks = {
            words: forced(models[sentence], words) / len(words) ** 0.5
            for words in every_output(7, 3)
            if rules.accepts(text(words))
        }
        best = sorted(ranks, key=lambda words: -ranks[words])[:3]
        assert outputs(result, sentence)[: len(best)] == best
        np.testing.assert_allclose(
            result.ranks_bk[sentence, : len(best)], [ranks[words] for words in best], rtol=1e-5
        )


def test_a_narrow_beam_keeps_the_rules_however_unlikely_they_are():
    models = table(7, sentences=8 * len(RULES), seed=3).at[..., 5].add(-20.0)
    limits = [3, 3, 4, 3, 3] * 4 + [9] * 4 * len(RULES)
    result = run(models, limits, worded(RULES * 8), beam=4, banks=True)
    for sentence, rules in enumerate(RULES * 8):
        found = outputs(result, sentence)
        assert found
        for place, words in enumerate(found):
            assert rules.accepts(text(words))
            score = result.scores_bk[sentence, place]
            assert score == pytest.approx(forced(models[sentence], words), abs=1e-4)


def test_wishes_of_neighbours_change_nothing():
    models = table(7, sentences=len(RULES), seed=4)
    wishes = worded(RULES)
    together = run(models, [6] * len(RULES), wishes, beam=4, banks=True)
    for sentence in range(len(RULES)):
        here = slice(sentence, sentence + 1)
        own = {name: array[here] for name, array in wishes.items()}
        alone = run(models[here], [6], own, beam=4, banks=True)
        assert outputs(alone) == outputs(together, sentence)


def test_a_least_length_is_kept():
    models = table(7, sentences=3).at[..., EOS].set(5.0)
    result = run(models, [9, 9, 2], {"least_b": np.array([1, 4, 2])}, beam=3)
    shortest = [min(map(len, outputs(result, sentence))) - 1 for sentence in range(3)]
    assert shortest == [1, 4, 2]


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.6}, {"top_k": 3, "top_p": 0.8}]
)
def test_samples_come_as_often_as_they_are_likely(options):
    model, draws = table(7, seed=5), 4_000
    result = run(model, [2], seeds(1), beam=draws, nbest=draws, sampling=True, **options)
    likely = dict.fromkeys(every_output(7, 2), 1.0)
    for words in likely:
        for at, (last, word) in enumerate(zip((BOS, *words), words, strict=False)):
            shares = distribution(np.asarray(model[0, last]), first=at == 0, **options)
            likely[words] *= shares[word] if at < 2 else 1.0  # at the limit there is only the end
    found = outputs(result)
    assert len(found) == draws
    expected = np.array([draws * likely[words] for words in likely])
    counts = np.array([found.count(words) for words in likely])
    assert counts[expected == 0].sum() == 0
    assert counts.sum() == draws
    usual = expected > 5
    chi_square = ((counts - expected)[usual] ** 2 / expected[usual]).sum()
    assert chi_square < usual.sum() + 5 * math.sqrt(2 * usual.sum())


def distribution(scores_v, *, first: bool, temperature=1.0, top_k=0, top_p=1.0) -> np.ndarray:
    """What a word should be drawn from, by sorting."""
    scores_v = scores_v / temperature
    scores_v[[PAD, BOS] + [EOS] * first] = -np.inf
    order = np.argsort(-scores_v)[: top_k or None]
    shares = np.exp(scores_v[order]) / np.exp(scores_v[order]).sum()
    kept = order[np.cumsum(shares) - shares < top_p]
    result = np.zeros(len(scores_v))
    result[kept] = np.exp(scores_v[kept]) / np.exp(scores_v[kept]).sum()
    return result


def test_samples_of_a_sentence_depend_on_its_seed_alone():
    models = table(9, sentences=4, seed=6)
    together = run(models, [9, 3, 9, 12], seeds(4), beam=3, nbest=3, sampling=True)
    for sentence, limit in enumerate([9, 3, 9, 12]):
        here = slice(sentence, sentence + 1)
        own = {"seed_b2": seeds(4)["seed_b2"][here]}
        alone = run(models[here], [limit], own, beam=3, nbest=3, sampling=True)
        assert outputs(alone) == outputs(together, sentence)
    fewer = run(models, [9, 3, 9, 12], seeds(4), beam=1, sampling=True)
    assert outputs(fewer) == outputs(together)[:1]


def test_the_score_of_a_sample_is_its_log_probability():
    model = table(9, seed=7)
    result = run(
        model, [9], seeds(1), beam=9, nbest=9, sampling=True, temperature=2.0, top_k=5, top_p=0.9
    )
    for place, words in enumerate(outputs(result)):
        assert result.scores_bk[0, place] == pytest.approx(forced(model[0], words), abs=1e-4)


def test_with_only_the_best_word_a_sample_is_greedy():
    models = table(9, sentences=16, seed=8)
    greedy, sampled = (
        run(models, [9] * 16, seeds(16), beam=1, **options)
        for options in ({}, {"sampling": True, "top_k": 1})
    )
    for sentence in range(16):
        assert outputs(sampled, sentence) == outputs(greedy, sentence)


def test_with_the_greatest_diversity_each_hypothesis_goes_its_own_way_from_the_first_word():
    model = table(9, seed=9)
    result = run(model, [6], beam=4, nbest=4, diversity=1e3)
    expected = set()
    first_v = np.asarray(model[0, BOS]).copy()
    first_v[[PAD, BOS, EOS]] = -np.inf
    for first in np.argsort(-first_v)[:4]:
        words = [int(first)]
        while words[-1] != EOS:
            scores_v = np.asarray(model[0, words[-1]]).copy()
            scores_v[[PAD, BOS]] = -np.inf
            words.append(EOS if len(words) == 6 else int(scores_v.argmax()))
        expected.add(tuple(words))
    assert set(outputs(result)) == expected


@pytest.mark.parametrize("words", [1_999, 2_000])
def test_choosing_by_blocks_of_words_is_the_same_as_sorting_all_of_them(words):
    scores_bkv = jax.random.normal(jax.random.key(0), (3, 2, words))
    best, at = top(scores_bkv.at[1].set(-jnp.inf), 5)
    order = np.argsort(-np.asarray(scores_bkv), axis=2)[:, :, :5]
    np.testing.assert_array_equal(at[::2], order[::2])
    np.testing.assert_array_equal(best[::2], np.take_along_axis(scores_bkv, order, axis=2)[::2])
    assert (np.asarray(best[1]) == -np.inf).all()
