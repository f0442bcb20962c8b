"""Makes a model wider without changing what it says: its new units are silent, its new words too.

    python scripts/widen_model.py runs/small runs/large --size large
    python scripts/widen_model.py runs/small runs/wide --set model.decoder_units=768 \
        --set tokenizer.vocabulary=16000

So the speed of a large model can be measured, on sane outputs, without training one: it takes the
steps that the small model takes, each at its own cost. Weights between old units stay as they
are; all others are zero, whereupon a new unit's cell and output stay zero too.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from measuring import SIZES
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2

from seq2seq import cli, configfile, layout
from seq2seq.config import ModelConfig
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.errors import UserError
from seq2seq.model import network
from seq2seq.model import weights as weight_files
from seq2seq.model.weights import Sizes, Weights

Blocks: TypeAlias = tuple[int, ...]
"""An axis as the widths of what lies side by side on it."""

_GATES = 4
_SILENT = -1e4  # as a logit: no probability is left of it
_WIDTHS = ("embedding", "encoder_units", "decoder_units", "readout")
_STRUCTURE = (
    *("encoder_layers", "decoder_layers", "bidirectional", "tie", "residual", "layer_norm"),
    *("attention", "attention_heads", "context", "begin", "input_feeding"),
)


def main(argv: Sequence[str]) -> None:
    """Widens one model and says how many weights it has now."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help="a run folder or model folder")
    parser.add_argument("folder", type=Path, help="the new model folder")
    parser.add_argument("--size", choices=("small", "large"), help="a standard size")
    parser.add_argument("--set", action="append", default=[], help="widths, and the vocabulary")
    options = parser.parse_args(argv)
    found, made = layout.find_model(options.model), layout.ModelFolder(options.folder)
    if found.path.resolve() == made.path.resolve():
        raise UserError(f"{str(options.folder)!r} is the model itself; name another folder")
    config = configfile.from_json(found.config)
    sizes = SIZES[options.size] if options.size else {}
    asked = [*(f"model.{name}={width}" for name, width in sizes.items()), *options.set]
    wide = configfile.override(config, asked)
    require_wider(config.model, wide.model)
    longer = {
        side: with_unused_pieces(found.tokenizer(side).read_bytes(), wide.tokenizer.vocabulary)
        for side in layout.SIDES
    }
    vocabulary = Sizes(*(Tokenizer(longer[side]).size for side in layout.SIDES))
    weights = widened(weight_files.load(found), config.model, wide.model, vocabulary)
    made.path.mkdir(parents=True, exist_ok=True)
    for side, model in longer.items():
        made.tokenizer(side).write_bytes(model)
    made.config.write_text(configfile.to_json(wide), encoding="utf-8")
    weight_files.save(made, weights)
    count = sum(leaf.size for _, leaf in weight_files.flatten(weights))
    print(f"{made.path}: {count:,} weights")


def require_wider(narrow: ModelConfig, wide: ModelConfig) -> None:
    """Refuses what is not the same network with more units, or would not say the same."""
    for name in _STRUCTURE:
        if getattr(narrow, name) != getattr(wide, name):
            raise UserError(f"model.{name} is {getattr(narrow, name)!r}, and stays so")
    for name in _WIDTHS:
        if getattr(narrow, name) > getattr(wide, name):
            raise UserError(
                f"the model's {name} is {getattr(narrow, name)}; {getattr(wide, name)} is less"
            )
    # Silent units would move a mean, shift heads, or pair a query with another unit's key.
    if narrow.layer_norm or narrow.attention_heads > 1 or narrow.attention == "dot":
        raise UserError(
            "a model with layer_norm, several attention heads or attention='dot' says something "
            "else when it is wider"
        )


def with_unused_pieces(model: bytes, vocabulary: int) -> bytes:
    """A tokenizer with so many pieces: those at the end never occur in a text."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    if len(proto.pieces) > vocabulary:
        raise UserError(f"the model knows {len(proto.pieces)} pieces; {vocabulary} is less")
    for number in range(len(proto.pieces), vocabulary):
        kind = type(proto.pieces[0]).UNUSED
        proto.pieces.add(piece=f"<unused {number}>", score=0.0, type=kind)
    return proto.SerializeToString()


def widened(weights: Weights, narrow: ModelConfig, wide: ModelConfig, vocabulary: Sizes) -> Weights:
    """The weights among zeros, those of new words' biases apart."""
    given = dict(weight_files.flatten(weights))
    known = Sizes(*(len(given.get(f"{side}_ve", given["target_ve"])) for side in layout.SIDES))
    made: dict[str, Any] = {}
    for name, leaf in weight_files.flatten(network.shapes(wide, vocabulary)):
        axes = zip(_axes(name, narrow, known), _axes(name, wide, vocabulary), strict=True)
        made[name] = np.zeros(leaf.shape, np.float32)
        made[name][np.ix_(*(positions(*axis) for axis in axes))] = given[name]
    made["output_bias_v"][known.target :] = _SILENT
    if narrow.attention == "general":
        # Scores are divided by the root of the width.
        made["decoder.attention.key_mq"] *= math.sqrt(wide.decoder_units / narrow.decoder_units)
    return weight_files.unflatten(made)


def positions(narrow: Blocks, wide: Blocks) -> NDArray[np.integer]:
    """Where each place of a narrow axis is on the wide one."""
    starts = [0, *accumulate(wide)]
    return np.concatenate([
        start + np.arange(width) for start, width in zip(starts, narrow, strict=False)
    ])


def _axes(name: str, config: ModelConfig, vocabulary: Sizes) -> tuple[Blocks, ...]:
    """What lies side by side on each axis of a weight."""
    embedding, readout = (config.embedding,), (config.readout,)
    encoder, decoder = (config.encoder_units,), (config.decoder_units,)
    memory = encoder * (config.memory_units // config.encoder_units)
    context = memory if config.context == "layers" else ()
    stack, _, rest = name.partition(".layers.")
    if rest:
        number, leaf = int(rest.partition(".")[0]), rest.rpartition(".")[2]
        if stack == "encoder":
            # Whatever reads a bidirectional layer has both directions side by side.
            both = config.bidirectional == "all" or number == 1
            inputs, units = embedding if number == 0 else encoder * (1 + both), encoder
        elif number == 0:
            inputs, units = embedding + readout * config.input_feeding, decoder
        else:
            inputs, units = decoder + context, decoder
        gates = units * _GATES
        return {"input_ig": (inputs, gates), "recurrent_dg": (units, gates), "bias_g": (gates,)}[
            leaf
        ]
    states = decoder * (2 * config.decoder_layers)
    return {
        "source_ve": ((vocabulary.source,), embedding),
        "target_ve": ((vocabulary.target,), embedding),
        "output_ve": ((vocabulary.target,), readout),
        "output_bias_v": ((vocabulary.target,),),
        "decoder.attention.key_mq": (memory, decoder),
        "decoder.attention.query_qq": (decoder, decoder),
        "decoder.attention.score_hp": ((1,), decoder),
        "decoder.begin_ms": (memory, states),
        "decoder.begin_bias_s": (states,),
        "decoder.readout_de": (decoder + memory, readout),
        "decoder.readout_bias_e": (readout,),
    }[name]


if __name__ == "__main__":
    cli.run(main)
