import io
import pickle

import numpy as np
import pytest
import sentencepiece

from seq2seq.config import TokenizerConfig
from seq2seq.corpus.subwords import Training, train
from seq2seq.corpus.text import normalise
from seq2seq.corpus.tokenizer import BOS, EOS, PAD, UNK, Tokenizer
from seq2seq.errors import UserError


@pytest.fixture(scope="module")
def sample(pairs, tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "sample"
    path.write_text("".join(f"{source}\n{target}\n" for source, target in pairs))
    return path


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def tokenizer(request, sample):
    config = TokenizerConfig(kind=request.param, vocabulary=400, symbols=("<2en>",))
    return Tokenizer(train(Training(sample, config)))


def foreign_model(path, sample, **settings):
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        **{"input": str(sample), "model_writer": writer, "vocab_size": 300, "minloglevel": 2}
        | settings
    )
    path.write_bytes(writer.getvalue())
    return path


STRANGE = [
    "",
    "Der Zug  nach\tOslo",
    "Ärger\u2028und\x85Streit\r",
    "日本語 😀 👩\u200d👩\u200d👧",
    "<s> </s> <pad> <unk> <0x41> \u2581",
    "<2en> Der Zug<2en>",
    "Mu\u0308ller \u0301 ===== ....",
]


@pytest.mark.parametrize("text", STRANGE)
def test_decoding_gives_back_the_normalised_text(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == normalise(text)


@pytest.mark.parametrize("text", STRANGE)
def test_no_text_is_encoded_with_special_pieces(tokenizer, text):
    assert not {PAD, BOS, EOS, UNK} & set(tokenizer.encode(text))


def test_special_pieces_have_fixed_ids(tokenizer):
    assert [tokenizer.piece(i) for i in (PAD, BOS, EOS, UNK)] == ["<pad>", "<s>", "</s>", "<unk>"]


def test_a_symbol_is_one_piece_wherever_it_stands(tokenizer):
    pieces = [tokenizer.piece(i) for i in tokenizer.encode("Zug<2en>nach <2en> Oslo")]
    assert sum("<2en>" in piece for piece in pieces) == 2


def test_a_batch_is_its_lines_one_by_one(tokenizer, pairs):
    lines = [source for source, _ in pairs[:50]] + STRANGE
    assert tokenizer.encode_batch(lines) == [tokenizer.encode(line) for line in lines]
    assert tokenizer.encode_batch([]) == []


def split_by_lines(tokenizer, lines):
    pieces, lengths = tokenizer.encode_lines([line.encode() for line in lines])
    return [part.tolist() for part in np.split(pieces, np.cumsum(lengths)[:-1])]


def test_many_lines_are_split_as_each_alone_but_for_ties(tokenizer, pairs):
    lines = [line for pair in pairs for line in pair]
    lines[100:100] = map(normalise, STRANGE)
    found, alone = split_by_lines(tokenizer, lines), tokenizer.encode_batch(lines)
    assert list(map(tokenizer.decode, found)) == lines
    assert sum(a != b for a, b in zip(found, alone, strict=True)) <= len(lines) // 1_000


def test_many_lines_may_be_none_or_empty(tokenizer):
    assert [part.tolist() for part in tokenizer.encode_lines([])] == [[], []]
    assert split_by_lines(tokenizer, ["", ""]) == [[], []]


@pytest.mark.parametrize(
    "settings",
    [{"byte_fallback": False}, {"byte_fallback": True, "normalization_rule_name": "nmt_nfkc"}],
)
def test_models_that_do_not_stop_at_line_feeds_split_line_by_line(
    sample, tmp_path, pairs, settings
):
    ids = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "vocab_size": 500}
    loaded = Tokenizer.load(foreign_model(tmp_path / "m", sample, **ids, **settings))
    lines = ["", *(source for source, _ in pairs)]
    assert split_by_lines(loaded, lines) == loaded.encode_batch(lines)


def test_a_tokenizer_survives_being_sent_to_another_process(tokenizer, pairs):
    other = pickle.loads(pickle.dumps(tokenizer))
    assert all(other.encode(line) == tokenizer.encode(line) for line, _ in pairs[:50])


def test_lone_bytes_become_a_replacement_character_and_never_a_newline(tokenizer):
    by_name = {tokenizer.piece(i): i for i in range(tokenizer.size)}
    ids = [*tokenizer.encode("Zug"), by_name["<0xE2>"], by_name["<0x0A>"], by_name["<0x0D>"]]
    assert tokenizer.decode(ids) == "Zug\ufffd"
    assert tokenizer.decode(np.array(ids)) == "Zug\ufffd"


def test_control_bytes_are_banned_and_the_end_of_sentence_is_not(tokenizer):
    banned = {tokenizer.piece(i) for i in tokenizer.banned_ids}
    assert {"<pad>", "<s>", "<unk>", "<0x00>", "<0x0A>", "<0x0D>"} <= banned
    assert not {"</s>", "<0x41>", "<0xC3>"} & banned


def test_blank_pieces_show_nothing_alone(tokenizer):
    blank = set(tokenizer.blank_ids)
    assert all(tokenizer.decode([i]) for i in range(tokenizer.size) if i not in blank)
    assert {tokenizer.piece(i) for i in blank} >= {"</s>", "<0x20>", "<0x41>"}


def test_training_twice_gives_the_same_model(sample):
    training = Training(sample, TokenizerConfig(vocabulary=400))
    assert train(training) == train(training)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_vocabulary_larger_than_the_text_allows_names_one_that_works(tmp_path, kind):
    path = tmp_path / "sample"
    path.write_text("ein Haus\nein Hof\n")
    with pytest.raises(UserError, match=r"tokenizer\.vocabulary=8000 .* or less") as caught:
        train(Training(path, TokenizerConfig(kind=kind)))
    workable = int(str(caught.value).split("set it to ")[1].split()[0])
    if workable >= 300:
        train(Training(path, TokenizerConfig(kind=kind, vocabulary=workable)))


def test_symbols_with_spaces_are_refused(sample):
    with pytest.raises(UserError, match="'a b'"):
        train(Training(sample, TokenizerConfig(symbols=("a b",))))


def test_a_model_with_other_special_ids_is_refused(sample, tmp_path):
    with pytest.raises(UserError, match="--pad_id=0"):
        Tokenizer.load(foreign_model(tmp_path / "m", sample))


@pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 100])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "x.model"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a SentencePiece model"):
        Tokenizer.load(path)


def test_a_missing_model_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        Tokenizer.load(tmp_path / "none.model")
