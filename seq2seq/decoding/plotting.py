"""Draws what a translation attended to. matplotlib, an extra, is imported when it is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.decoding.translation import Attention
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
_USUAL = "DejaVu Sans"  # comes with matplotlib
_UNKNOWN = "\ufffd"


def require(picture: Path) -> None:
    """Finds out before any work what would be in the way of the picture."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UserError("matplotlib is missing; install it with scripts/setup.sh plot") from None
    if picture.suffix.lower() not in KINDS:
        raise UserError(f"cannot draw {str(picture)!r}: its name must end in {', '.join(KINDS)}")
    if not picture.parent.is_dir():
        raise UserError(f"cannot write {str(picture)!r}: its folder is missing")


def new_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes, for files only: no window system is touched."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def save(figure: "Figure", picture: Path) -> None:
    """Writes the file, in the format that its name says."""
    figure.savefig(picture, dpi=120)


def draw_attention(found: Attention, picture: Path) -> None:
    """A row for each piece of the translation, a column for each of the source."""
    height, width = found.weights_ts.shape
    figure, axes = new_figure(1.5 + 0.4 * width, 1.2 + 0.4 * height)
    axes.imshow(found.weights_ts, cmap="Greys", vmin=0, vmax=1)
    families, missing = _fonts({*"".join((*found.source, *found.target))})
    shown = str.maketrans(dict.fromkeys(missing, _UNKNOWN))
    # A piece is no formula, dollars or not.
    style = {"fontfamily": families, "parse_math": False}
    axes.set_xticks(range(width), [x.translate(shown) for x in found.source], rotation=90, **style)
    axes.set_yticks(range(height), [x.translate(shown) for x in found.target], **style)
    axes.xaxis.tick_top()
    save(figure, picture)


def _fonts(characters: set[str]) -> tuple[list[str], set[str]]:
    """Installed fonts that together have the characters, and those that none has."""
    from matplotlib.font_manager import FontProperties, fontManager

    names = {entry.name for entry in fontManager.ttflist}
    families = []
    for name in sorted(names, key=lambda name: (name != _USUAL, name)):
        if not characters:
            break
        # A list, for a mere name is read as a pattern, with signs of its own.
        if known := characters & _characters(fontManager.findfont(FontProperties(family=[name]))):
            families.append(name)
            characters = characters - known
    return families, characters


def _characters(file: str) -> set[str]:
    from matplotlib.font_manager import get_font

    try:
        return set(map(chr, get_font(file).get_charmap()))
    except RuntimeError:  # not a font that can be drawn with, such as one of coloured emoji
        return set()
