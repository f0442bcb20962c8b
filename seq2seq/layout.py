"""The only module that knows file names inside prepared, run and model folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seq2seq.errors import UserError

Side = Literal["source", "target"]
SIDES: tuple[Side, Side] = ("source", "target")


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """What `prepare` writes and `train` reads."""

    path: Path

    @property
    def meta(self) -> Path:
        """Format version, counts, what was dropped and why, checksums; written last."""
        return self.path / "meta.json"

    def tokenizer(self, side: Side) -> Path:
        """The SentencePiece model of a side; a joint one is stored as both."""
        return self.path / f"{side}.model"

    def tokens(self, split: str, shard: int) -> Path:
        """All pieces of a shard, pair after pair, source before target."""
        return self.path / f"{split}-{shard:05d}.tokens.npy"

    def offsets(self, split: str, shard: int) -> Path:
        """Where each side of each pair begins in `tokens`: 2 x pairs + 1 numbers."""
        return self.path / f"{split}-{shard:05d}.offsets.npy"

    def text(self, split: str, side: Side) -> Path:
        """The raw lines of a split that is translated and scored (`valid`)."""
        return self.path / f"{split}.{side}.txt"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Everything a translation needs, and nothing else."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved settings of the run."""
        return self.path / "config.json"

    def tokenizer(self, side: Side) -> Path:
        """The SentencePiece model of a side."""
        return self.path / f"{side}.model"

    @property
    def weights(self) -> Path:
        """Named tensors, in the safetensors format."""
        return self.path / "weights.safetensors"

    @property
    def calibration(self) -> Path:
        """From probabilities to confidence; a model may be without."""
        return self.path / "calibration.json"

    @property
    def shortlist(self) -> Path:
        """For each source piece the target pieces that it may become; there if it was made."""
        return self.path / "shortlist.safetensors"

    @property
    def card(self) -> Path:
        """The model card."""
        return self.path / "README.md"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What `train` writes: enough to resume it, and to translate with its best model."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved settings, with whatever was chosen by measurement."""
        return self.path / "config.json"

    def tokenizer(self, side: Side) -> Path:
        """The SentencePiece model of a side."""
        return self.path / f"{side}.model"

    @property
    def checkpoints(self) -> Path:
        """Orbax's folder: the full training state, by step."""
        return self.path / "checkpoints"

    @property
    def models(self) -> Path:
        """The parent of the model folders."""
        return self.path / "models"

    def model(self, name: str) -> ModelFolder:
        """One of the exported models; its name is the step, six digits or more."""
        return ModelFolder(self.models / name)

    @property
    def best(self) -> Path:
        """A relative symbolic link to the best of `models`."""
        return self.path / "best"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.path / "metrics.jsonl"

    def profile(self, process: int) -> Path:
        """What JAX's profiler writes of some updates, on one of the processes."""
        return self.path / "profile" / str(process)

    @property
    def lock(self) -> Path:
        """Held while a training runs, so that no second one writes into the same folder."""
        return self.path / ".lock"


def step_name(step: int) -> str:
    """The name of the model exported at a step; names sort like the steps."""
    return f"{step:06d}"


def find_model(path: str | Path) -> ModelFolder:
    """The model folder meant by `path`: a run folder, its `best`, or a model folder."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"model {str(path)!r} does not exist")
    if not path.is_dir():
        raise UserError(
            f"model {str(path)!r} is a file; name the run folder or model folder that holds it"
        )
    run = RunFolder(path)
    model = ModelFolder(run.best if run.best.exists() else path)
    missing = [
        file.name
        for file in (model.config, *map(model.tokenizer, SIDES), model.weights)
        if not file.is_file()
    ]
    if missing and (run.checkpoints.exists() or run.best.is_symlink()):
        raise UserError(
            f"run folder {str(path)!r} has no finished model yet; "
            "its first validation writes one (best/)"
        )
    if missing:
        raise UserError(
            f"{str(path)!r} is no model folder: {', '.join(missing)} missing; "
            "name a run folder that train wrote, or a folder with config.json, "
            "source.model, target.model and weights.safetensors"
        )
    return model
