"""Where a training stands, apart from its arrays: what a checkpoint notes beside them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from seq2seq.training.progress import Place
from seq2seq.training.stopping import Stopper


class Standing(NamedTuple):
    """Counters and history; with the settings and the data they decide what comes next."""

    stopper: Stopper
    step: int = 0
    epoch: int = 1
    batch: int = 0  # updates done in this epoch
    validated: int = -1  # the step of the last validation
    plateau: int = 0  # validations without gain since the last gain or halving of the rate
    ranked: tuple[tuple[float, str], ...] = ()  # the best models and their values, best first

    def place(self, batches: int) -> Place:
        """The standing as it is reported, in an epoch of so many batches."""
        return Place(self.step, self.epoch, self.batch, batches)

    def after_update(self) -> "Standing":
        """One update later."""
        return self._replace(step=self.step + 1, batch=self.batch + 1)

    def after_epoch(self) -> "Standing":
        """Before the first update of the next epoch."""
        return self._replace(epoch=self.epoch + 1, batch=0)

    def after_validation(self, value: float, *, plateau_patience: int) -> "Standing":
        """With one more validation; `plateau` at its patience says that the rate is due."""
        stopper = self.stopper.after(value, step=self.step, epoch=self.epoch)
        waited = 0 if self.plateau == plateau_patience else self.plateau
        plateau = 0 if stopper.without_gain == 0 else waited + 1
        return self._replace(stopper=stopper, validated=self.step, plateau=plateau)

    def notes(self) -> dict[str, Any]:
        """As JSON."""
        return {**self._asdict(), "stopper": self.stopper.state()}

    def restored(self, notes: Mapping[str, Any]) -> "Standing":
        """What `notes` wrote down, with the stopping settings of today."""
        return Standing(
            stopper=self.stopper.restored(notes["stopper"]),
            ranked=tuple((value, name) for value, name in notes["ranked"]),
            **{name: notes[name] for name in ("step", "epoch", "batch", "validated", "plateau")},
        )
