"""When training ends, decided by nothing but the validations."""

import pytest

from seq2seq.training.stopping import Stopper


def after(stopper, values):
    for number, value in enumerate(values, start=1):
        stopper = stopper.after(float(value), step=10 * number, epoch=number)
    return stopper


def bleu(patience=3, min_gain=0.0):
    return Stopper(metric="bleu", patience=patience, min_gain=min_gain)


def test_a_plateau_ends_training_when_patience_has_run_out():
    assert not after(bleu(), [10, 20, 20, 19]).done
    assert after(bleu(), [10, 20, 20, 19, 18]).done


def test_an_improvement_starts_patience_anew():
    assert not after(bleu(), [10, 9, 9, 11, 10, 10]).done


def test_a_gain_below_the_minimum_is_none():
    assert after(bleu(min_gain=0.5), [10, 10.4, 10.5, 10.3]).best == 10
    assert after(bleu(min_gain=0.5), [10, 10.6]).best == 10.6


@pytest.mark.parametrize(
    ("metric", "best"), [("bleu", 3), ("chrf", 3), ("loss", 1), ("perplexity", 1)]
)
def test_each_metric_knows_its_direction(metric, best):
    stopper = Stopper(metric=metric, patience=5, min_gain=0.0)
    assert after(stopper, [2, 1, 3, 2]).best == best


def test_patience_zero_never_stops():
    assert not after(bleu(patience=0), [10] * 100).done


def test_a_value_that_is_no_number_is_never_the_best():
    assert after(bleu(), [float("nan")]).best is None
    assert after(bleu(), [10, float("inf")]).best == 10


def test_the_history_goes_on_after_a_restart_with_the_patience_of_today():
    stopped = after(bleu(), [10, 20, 20, 20])
    assert bleu(patience=5).restored(stopped.state()) == after(bleu(patience=5), [10, 20, 20, 20])


def test_the_screen_says_the_best_and_how_long_ago():
    assert str(after(bleu(patience=8), [31.1, 31.2, 31, 31, 30])) == (
        "best 31.2 at epoch 2, 3 of 8 without improvement"
    )
