"""How a call is divided into queues, and that queues side by side change nothing."""

from collections import Counter

import pytest

from seq2seq import Translator
from seq2seq.decoding import executables, tiles
from seq2seq.decoding.tiles import Queue


@pytest.mark.parametrize(
    ("sentences", "most", "expected"),
    [
        ({"a": 1}, 4, [1]),
        ({"a": 127}, 4, [127]),  # two of fewer than 64 would not be worth it
        ({"a": 128}, 4, [64, 64]),
        ({"a": 1_000}, 2, [250, 250, 250, 250]),  # 256 places
        ({"a": 400}, 8, [67, 67, 67, 67, 66, 66]),
        ({"a": 3, "b": 130, "c": 1}, 2, [3, 65, 65, 1]),
    ],
)
def test_a_call_is_dealt_out_in_equal_parts(sentences, most, expected):
    shapes = [shape for shape, count in sentences.items() for _ in range(count)]
    order = list(range(len(shapes)))
    queues = list(tiles._grouped(order, shapes, lambda at: Queue(256, 36, 120), most=most))
    assert list(map(len, queues)) == expected
    assert sorted(place for queue in queues for place in queue) == order
    assert all(len({shapes[place] for place in queue}) == 1 for queue in queues)


def test_queues_side_by_side_give_what_they_give_one_by_one_and_compile_once(model, monkeypatch):
    traced = executables._traced
    compiled = Counter()

    def counting(name):
        compiled[name] += 1
        return traced(name)

    monkeypatch.setattr(executables, "_traced", counting)
    translator = Translator.load(model.path)
    sources = [
        translator._source.encode(f"ein Hund {'und ein Kind ' * (n % 4)}") for n in range(24)
    ]
    together = translator._tiles.decode(sources, {0, 1, 3}, block_ngrams=0)
    monkeypatch.setattr(tiles, "_WORTH_A_QUEUE", 3)
    monkeypatch.setattr("seq2seq.processor.count", lambda: 8)
    before = compiled.total()
    assert translator._tiles.decode(sources, {0, 1, 3}, block_ngrams=0) == together
    assert compiled.total() <= before + 1
