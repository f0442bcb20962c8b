"""A training state as it is saved, always whole, and as the devices keep it.

Whether they keep it in parts is the settings' business; so a run may be resumed with another
setting, and on other devices.
"""

from typing import Any

import jax
import numpy as np

from seq2seq.config import Config
from seq2seq.model import network
from seq2seq.model.network import Sizes, Weights
from seq2seq.training import parallel
from seq2seq.training.parallel import Devices
from seq2seq.training.sharing import InParts, is_divided, shaped
from seq2seq.training.step import TrainState, initial_state


class Keeping:
    """The way to the devices and back, one leaf at a time where they keep parts.

    All of them whole on a device at once is just what there may be no room for.
    """

    def __init__(self, config: Config, sizes: Sizes, devices: Devices) -> None:
        self._devices = devices
        self._in_parts = config.train.shard_optimizer
        self.whole: TrainState = jax.eval_shape(
            lambda weights: initial_state(config, weights), network.shapes(config.model, sizes)
        )
        """What a state looks like when it is saved."""
        parts = InParts(parallel.AXIS, config.train.reduce)
        # The second argument only says how many devices there are: pmap wants one that is divided.
        self._divide = parallel.over_devices(
            lambda leaf, _: parts.part(leaf), divided=(False, True), result=True, donate=False
        )
        self._join = parallel.over_devices(parts.joined, divided=(True,), donate=False)

    @property
    def looks(self) -> TrainState:
        """What a state looks like when it is placed; so the update is compiled without one."""
        looks = self._devices.looks(self.whole)
        if not self._in_parts:
            return looks
        kept = self.whole.moments, self.whole.average
        moments, average = jax.tree.map(self._placed_look, kept)
        return looks._replace(moments=moments, average=average)

    def place(self, state: TrainState) -> TrainState:
        """A whole state, placed where the update wants it."""
        if not self._in_parts:
            return self._devices.replicate(state)
        moments, average = jax.tree.map(self._placed, (state.moments, state.average))
        rest = self._devices.replicate(state._replace(moments=None, average=None))
        return rest._replace(moments=moments, average=average)

    def fetch(self, state: TrainState) -> TrainState:
        """NumPy copies, whole."""
        if not self._in_parts:
            return parallel.to_host(state)
        kept = state.moments, state.average
        moments, average = self._fetched(kept, (self.whole.moments, self.whole.average))
        rest = parallel.to_host(state._replace(moments=None, average=None))
        return rest._replace(moments=moments, average=average)

    def judged(self, state: TrainState) -> Weights:
        """The weights that are validated, whole on every device: the average, if there is one."""
        if state.average is None:
            return state.weights
        if not self._in_parts:
            return state.average
        return self._devices.replicate(self._fetched(state.average, self.whole.average))

    def _placed(self, leaf: Any) -> Any:
        leaf = self._devices.replicate(leaf)
        return self._divide(leaf, np.zeros(len(self._devices.local))) if is_divided(leaf) else leaf

    def _placed_look(self, leaf: Any) -> Any:
        if not is_divided(leaf):
            return self._devices.looks(leaf)
        each = np.zeros(len(self._devices.local))
        return self._devices.looks(jax.eval_shape(self._divide, leaf, each), divided=True)

    def _fetched(self, tree: Any, like: Any) -> Any:
        return jax.tree.map(
            lambda leaf, look: (
                shaped(parallel.to_host(self._join(leaf)), look)
                if is_divided(leaf)
                else parallel.to_host(leaf)
            ),
            tree,
            like,
        )
