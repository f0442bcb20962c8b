"""Makes a small model folder to give away: the best model of a run, its weights in 8 bits.

    python scripts/pack_model.py runs/de-en data/models/de-en
    python scripts/pack_model.py runs/de-en FOLDER --weights bfloat16

A README.md that is in FOLDER already stays, for it is the model card that people have written.
"""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from seq2seq import cli, configfile, layout
from seq2seq.errors import UserError
from seq2seq.model import weights as weight_files


def main(argv: Sequence[str]) -> None:
    """Packs one model and says how large it is."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("run", help="a run folder or model folder")
    parser.add_argument("folder", type=Path, help="the new model folder")
    parser.add_argument(
        "--weights", choices=("int8", "bfloat16", "float32"), default="int8", help="(%(default)s)"
    )
    options = parser.parse_args(argv)
    found, packed = layout.find_model(options.run), layout.ModelFolder(options.folder)
    if found.path.resolve() == packed.path.resolve():
        raise UserError(f"{str(options.folder)!r} is the model itself; name another folder")
    packed.path.mkdir(parents=True, exist_ok=True)
    for side in layout.SIDES:
        shutil.copyfile(found.tokenizer(side), packed.tokenizer(side))
    config = configfile.from_json(found.config)
    # Where the corpora lay on this machine is nobody's business.
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, root=""))
    packed.config.write_text(configfile.to_json(config), encoding="utf-8")
    weight_files.save(packed, weight_files.load(found), options.weights)
    for extra in ((found.calibration, packed.calibration), (found.shortlist, packed.shortlist)):
        if extra[0].exists():
            shutil.copyfile(*extra)
    if not packed.card.exists():
        shutil.copyfile(found.card, packed.card)
    size = sum(path.stat().st_size for path in packed.path.iterdir())
    print(f"{packed.path}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    cli.run(main)
