import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq.decoding import plotting
from seq2seq.decoding.translation import Attention
from seq2seq.errors import UserError

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("SVG", b"<?xml"), ("pdf", b"%PDF")]
)
def test_any_script_is_drawn_without_a_warning(tmp_path, kind, begin) -> None:
    # Also what no font has, and what would be a formula.
    source = ("▁Straße", "▁дом", "▁家族", "▁مرحبا", "$x^$", "😀", "\U0010fffd", "</s>")
    found = Attention(source, ("▁street", "</s>"), np.full((2, len(source)), 1 / len(source)))
    picture = tmp_path / f"a.{kind}"
    plotting.require(picture)
    plotting.draw_attention(found, picture)
    assert picture.read_bytes().startswith(begin)


def test_what_no_font_has_is_drawn_as_a_sign_for_it(tmp_path, monkeypatch) -> None:
    import matplotlib

    usual = plotting._characters
    monkeypatch.setattr(
        plotting,
        "_characters",
        lambda file: usual(file) if file.endswith("DejaVuSans.ttf") else set(),
    )
    found = Attention(("▁дом", "▁家"), ("▁house", "</s>"), np.full((2, 2), 0.5))
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plotting.draw_attention(found, tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "дом" in drawn
    assert "家" not in drawn
    assert "▁\ufffd" in drawn


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.docx", "must end in .png, .svg, .pdf"), ("a", "must end"), ("no/a.png", "folder is miss")],
)
def test_what_cannot_be_drawn_is_refused_before(tmp_path, name, message) -> None:
    with pytest.raises(UserError, match=message):
        plotting.require(tmp_path / Path(name))


def test_a_missing_matplotlib_is_a_sentence_that_says_how_to_install_it(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"install it with scripts/setup.sh plot"):
        plotting.require(tmp_path / "a.png")
