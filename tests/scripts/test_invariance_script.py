"""The check of invariance sees a translator that looks at its neighbours."""

import importlib

import pytest

from seq2seq.decoding.translation import Alternative, Translation

check_invariance = importlib.import_module("check_invariance")


class Stub:
    """Upper case; in calls of other sizes than all lines, with another text or score."""

    def __init__(self, word="", second="", score=0.0):
        self.word, self.second, self.score = word, second, score

    def translate_all(self, lines):
        word, second, score = (
            (self.word, self.second, self.score) if len(lines) < 10 else ("", "", 0.0)
        )
        return [
            Translation(
                line,
                line.upper() + word,
                score=score - 1.0,
                alternatives=(Alternative(line + second, -2.0, -2.0),),
            )
            for line in lines
        ]


@pytest.mark.parametrize(
    ("stub", "same"),
    [
        (Stub(), True),
        (Stub(score=1e-6), True),
        (Stub(score=1e-3), False),
        (Stub(word="!"), False),
        (Stub(second="!"), False),
    ],
)
def test_what_depends_on_the_call_is_found(stub, same):
    lines = [f"line {number}" for number in range(10)]
    asking = check_invariance.Asking(stub, check_invariance.Kind(), lines)
    assert check_invariance.check(asking, seed=1, alone=2) is same
