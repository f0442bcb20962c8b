import itertools
import json

import numpy as np
import pytest

from seq2seq.corpus.shards import (
    Meta,
    SplitCount,
    SplitWriter,
    is_complete,
    open_split,
    read_meta,
    write_meta,
)
from seq2seq.errors import UserError
from seq2seq.layout import PreparedFolder

PAIRS = [([5, 6, 7], [8]), ([9], [10, 11]), ([300], [400, 500, 600]), ([1_000], [2_000])]


def write(tmp_path, shard_pairs=10, dtype=np.uint16, pairs=PAIRS):
    folder = PreparedFolder(tmp_path)
    with SplitWriter(folder, "train", shard_pairs=shard_pairs, dtype=np.dtype(dtype)) as writer:
        for start in range(0, len(pairs), 3):
            some = [side for pair in pairs[start : start + 3] for side in pair]
            writer.append(
                np.concatenate(some).astype(dtype), np.array(list(map(len, some)), np.int64)
            )
    meta = Meta(
        **{"fingerprint": "f", "request": "r", "source_language": "de", "target_language": "en"},
        **{"train": writer.count, "valid": SplitCount(), "read": {}, "dropped": {}},
        **{"tokenizers": {}, "inputs": [], "findings": []},
    )
    write_meta(folder, meta)
    return folder


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
@pytest.mark.parametrize("shard_pairs", [1, 2, 3, 4, 100])
def test_what_was_written_is_what_is_mapped(tmp_path, shard_pairs, dtype):
    shards = open_split(write(tmp_path, shard_pairs, dtype), "train")
    sides = [np.split(shard.tokens, shard.offsets[1:-1]) for shard in shards]
    assert [side.tolist() for some in sides for side in some] == [*itertools.chain(*PAIRS)]
    assert [len(shard) for shard in shards][:-1] == [shard_pairs] * (len(shards) - 1)
    assert all(isinstance(shard.tokens, np.memmap) for shard in shards)
    assert all(shard.tokens.dtype == dtype for shard in shards)


def test_lengths_are_those_of_the_pairs(tmp_path):
    [shard] = open_split(write(tmp_path), "train")
    source, target = shard.lengths()
    assert source.tolist() == [3, 1, 1, 1]
    assert target.tolist() == [1, 2, 3, 1]
    assert source.dtype == target.dtype == np.int32


def test_some_pairs_of_a_side_are_read_together_with_zeros_behind_them(tmp_path):
    [shard] = open_split(write(tmp_path), "train")
    ids, lengths = shard.side(0, np.array([2, 0]), 4)
    assert ids.tolist() == [[300, 0, 0, 0], [5, 6, 7, 0]]
    assert lengths.tolist() == [1, 3]
    ids, lengths = shard.side(1, np.array([3, 2, 0]), 3)
    assert ids.tolist() == [[2_000, 0, 0], [400, 500, 600], [8, 0, 0]]
    assert lengths.tolist() == [1, 3, 1]


def test_meta_is_read_as_it_was_written(tmp_path):
    meta = read_meta(write(tmp_path))
    assert meta.train == SplitCount(shards=1, pairs=4, source_tokens=6, target_tokens=7)
    assert meta.fingerprint == "f"


def test_another_format_version_is_refused(tmp_path):
    folder = write(tmp_path)
    tree = json.loads(folder.meta.read_text())
    folder.meta.write_text(json.dumps(tree | {"format": 99}))
    with pytest.raises(UserError, match="format version 99"):
        read_meta(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', '{"format": 1, "x": 2}'])
def test_a_damaged_meta_is_refused(tmp_path, content):
    folder = write(tmp_path)
    folder.meta.write_text(content)
    with pytest.raises(UserError, match="damaged"):
        read_meta(folder)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="is no prepared folder"):
        read_meta(PreparedFolder(tmp_path))
    with pytest.raises(UserError, match="does not exist"):
        read_meta(PreparedFolder(tmp_path / "none"))


def test_a_shard_that_was_cut_off_or_is_missing_is_refused(tmp_path):
    folder = write(tmp_path)
    tokens = folder.tokens("train", 0)
    tokens.write_bytes(tokens.read_bytes()[:-2])
    with pytest.raises(UserError, match="damaged"):
        open_split(folder, "train")
    tokens.unlink()
    with pytest.raises(UserError, match="missing"):
        open_split(folder, "train")
    assert not is_complete(folder, read_meta(folder))


def test_offsets_of_another_shard_are_refused(tmp_path):
    folder = write(tmp_path, shard_pairs=2)
    folder.offsets("train", 0).write_bytes(folder.offsets("train", 1).read_bytes())
    with pytest.raises(UserError, match="does not fit"):
        open_split(folder, "train")
