"""Draws a run's learning curve, or what a translation attended to, as PNG, SVG or PDF.

    python scripts/plot.py curve runs/demo curve.png
    python scripts/plot.py attention runs/demo "Guten Morgen." attention.png

Needs matplotlib: scripts/setup.sh plot
"""

import json
from collections.abc import Sequence
from pathlib import Path

from seq2seq import Translator, cli
from seq2seq.decoding import plotting
from seq2seq.errors import UserError
from seq2seq.layout import RunFolder


def main(argv: Sequence[str]) -> None:
    """Draws one picture and says where it is."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    kinds = parser.add_subparsers(required=True, metavar="curve | attention")
    curve = kinds.add_parser("curve", help="loss and BLEU over the updates of a run")
    curve.add_argument("run", type=Path, help="a run folder")
    curve.add_argument("picture", type=Path, help="a file that ends in .png, .svg or .pdf")
    curve.set_defaults(draw=lambda options: draw_curve(options.run, options.picture))
    attention = kinds.add_parser("attention", help="the attention matrix of one sentence")
    attention.add_argument("model", help="a run folder or model folder")
    attention.add_argument("text", help="one sentence")
    attention.add_argument("picture", type=Path, help="a file that ends in .png, .svg or .pdf")
    attention.set_defaults(
        draw=lambda options: plotting.draw_attention(
            Translator.load(options.model).attention(options.text), options.picture
        )
    )
    options = parser.parse_args(argv)
    plotting.require(options.picture)
    options.draw(options)
    print(options.picture)


def draw_curve(run: Path, picture: Path) -> None:
    """Training and validation loss on the left scale, validation BLEU on the right."""
    metrics = RunFolder(run).metrics
    if not metrics.is_file():
        raise UserError(f"{str(run)!r} is no run folder: it has no {metrics.name}")
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    figure, losses = plotting.new_figure(8, 4.5)
    for name, label in (("loss", "training loss"), ("valid_loss", "validation loss")):
        points = [(row["step"], row[name]) for row in rows if name in row]
        losses.plot(*zip(*points, strict=True), label=label)
    losses.set_xlabel("update")
    losses.set_ylabel("loss")
    points = [(row["step"], row["valid_bleu"]) for row in rows if "valid_bleu" in row]
    if points:
        scores = losses.twinx()
        scores.plot(*zip(*points, strict=True), "o-", color="tab:green", label="validation BLEU")
        scores.set_ylabel("BLEU")
    figure.legend(loc="outside upper center", ncols=3)
    plotting.save(figure, picture)


if __name__ == "__main__":
    cli.run(main)
