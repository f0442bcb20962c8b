"""Writes into a model folder which target words a source may become, learnt from the training data.

    python scripts/make_shortlist.py prepared/my runs/my
    python -m seq2seq.translate runs/my "Guten Morgen." --set translate.shortlist=true

With it, translation on a CPU is faster, the more so the larger the vocabulary.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from seq2seq import cli, layout
from seq2seq.corpus import dictionary, shards
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.decoding import shortlist
from seq2seq.errors import UserError
from seq2seq.files import checksum

_log = logging.getLogger("seq2seq.make_shortlist")


def main(argv: Sequence[str]) -> None:
    """Makes the file and says how large the lists are."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("prepared", type=Path, help="the prepared folder that it was trained on")
    parser.add_argument("model", help="a run folder or model folder")
    parser.add_argument(
        "--best", type=int, default=30, help="words for each source piece (%(default)s)"
    )
    parser.add_argument(
        "--frequent", type=int, default=600, help="words for every sentence (%(default)s)"
    )
    parser.add_argument(
        "--pairs", type=int, default=100_000, help="learn from so many at most (%(default)s)"
    )
    options = parser.parse_args(argv)
    for name in ("best", "frequent", "pairs"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name}={getattr(options, name)} must be at least 1")
    prepared, model = layout.PreparedFolder(options.prepared), layout.find_model(options.model)
    pairs = shards.open_split(prepared, "train")
    for side in layout.SIDES:
        if checksum(prepared.tokenizer(side)) != checksum(model.tokenizer(side)):
            raise UserError(
                f"prepared folder {str(options.prepared)!r} and model {options.model!r} have "
                f"different vocabularies ({model.tokenizer(side).name}); name the folder that the "
                "model was trained on"
            )
    source, target = (Tokenizer.load(model.tokenizer(side)) for side in layout.SIDES)
    found = dictionary.estimate(pairs, target.size, pairs=options.pairs)
    made = shortlist.choose(found, source, target, best=options.best, frequent=options.frequent)
    shortlist.save(model, made)
    _log.info(
        "%d words for every sentence, %.0f for a source piece, of %s",
        *(len(made.always_w), len(made.target_i) / source.size, f"{target.size:,}"),
    )
    print(model.shortlist)


if __name__ == "__main__":
    cli.run(main)
