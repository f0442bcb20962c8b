"""Draws a run's learning curve, or what a translation attended to, as PNG or SVG.

    python scripts/plot.py curve runs/demo curve.png
    python scripts/plot.py attention runs/demo "Guten Morgen." attention.png

Needs matplotlib: scripts/setup.sh plot
"""

import json
from collections.abc import Sequence
from pathlib import Path

from seq2seq import Translator, cli
from seq2seq.errors import UserError
from seq2seq.layout import RunFolder


def main(argv: Sequence[str]) -> None:
    """Draws one picture and says where it is."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    kinds = parser.add_subparsers(required=True, metavar="curve | attention")
    curve = kinds.add_parser("curve", help="loss and BLEU over the updates of a run")
    curve.add_argument("run", type=Path, help="a run folder")
    curve.add_argument("picture", type=Path, help="a file that ends in .png or .svg")
    curve.set_defaults(draw=lambda options: draw_curve(options.run, options.picture))
    attention = kinds.add_parser("attention", help="the attention matrix of one sentence")
    attention.add_argument("model", help="a run folder or model folder")
    attention.add_argument("text", help="one sentence")
    attention.add_argument("picture", type=Path, help="a file that ends in .png or .svg")
    attention.set_defaults(
        draw=lambda options: draw_attention(options.model, options.text, options.picture)
    )
    options = parser.parse_args(argv)
    options.draw(options)
    print(options.picture)


def draw_curve(run: Path, picture: Path) -> None:
    """Training and validation loss on the left scale, validation BLEU on the right."""
    metrics = RunFolder(run).metrics
    if not metrics.is_file():
        raise UserError(f"{str(run)!r} is no run folder: it has no {metrics.name}")
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    figure, losses = new_figure(8, 4.5)
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
    save(figure, picture)


def draw_attention(model: str, text: str, picture: Path) -> None:
    """A row for each piece of the translation, a column for each of the source."""
    found = Translator.load(model).attention(text)
    height, width = found.weights_ts.shape
    figure, axes = new_figure(1.5 + 0.4 * width, 1.2 + 0.4 * height)
    axes.imshow(found.weights_ts, cmap="Greys", vmin=0, vmax=1)
    axes.set_xticks(range(width), found.source, rotation=90)
    axes.set_yticks(range(height), found.target)
    axes.xaxis.tick_top()
    save(figure, picture)


def new_figure(width: float, height: float):
    """A figure with one pair of axes, for files only: no window system is touched."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("matplotlib is missing; install it with scripts/setup.sh plot") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def save(figure, picture: Path) -> None:
    """Writes the file."""
    if not picture.parent.is_dir():
        raise UserError(f"cannot write {str(picture)!r}: its folder is missing")
    try:
        figure.savefig(picture, dpi=120)
    except ValueError as error:
        raise UserError(f"cannot write {str(picture)!r}: {str(error).lower()}") from None


if __name__ == "__main__":
    cli.run(main)
