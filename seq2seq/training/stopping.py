"""When to stop, as a pure function of the validations so far. Knows no schedule and no model."""

import dataclasses
import math
from typing import Any

HIGHER_IS_BETTER = {"bleu": True, "chrf": True, "loss": False, "perplexity": False}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stopper:
    """Remembers the best validation and how many have followed without improvement."""

    metric: str
    patience: int  # validations without gain before stopping; 0: never stops
    min_gain: float
    best: float | None = None
    best_step: int = 0
    best_epoch: int = 0
    without_gain: int = 0

    def after(self, value: float, *, step: int, epoch: int) -> "Stopper":
        """The stopper after one more validation."""
        if self.improves(value):
            return dataclasses.replace(
                self, best=value, best_step=step, best_epoch=epoch, without_gain=0
            )
        return dataclasses.replace(self, without_gain=self.without_gain + 1)

    def improves(self, value: float) -> bool:
        """Whether `value` beats the best so far by more than the minimum gain."""
        if not math.isfinite(value):
            return False
        if self.best is None:
            return True
        gain = value - self.best if HIGHER_IS_BETTER[self.metric] else self.best - value
        return gain > self.min_gain

    @property
    def done(self) -> bool:
        """Whether patience has run out."""
        return self.patience > 0 and self.without_gain >= self.patience

    def __str__(self) -> str:
        """What the screen says, as in `best 31.2 at epoch 12, 3 of 8 without improvement`."""
        if self.best is None:
            return f"no {self.metric} yet"
        limit = f" of {self.patience}" if self.patience else ""
        return (
            f"best {self.best:.4g} at epoch {self.best_epoch}, "
            f"{self.without_gain}{limit} without improvement"
        )

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: the history, not the settings."""
        return {
            name: getattr(self, name)
            for name in ("best", "best_step", "best_epoch", "without_gain")
        }

    def restored(self, state: dict[str, Any]) -> "Stopper":
        """This stopper's settings with a checkpoint's history."""
        return dataclasses.replace(self, **state)
