"""The training loop: epochs, validations, checkpoints, and what to do when something happens.

All that decides the weights is a function of the settings, the data and the step; clocks and
signals only decide when work is saved, never what it is. Knows no text: validation brings its
translating and scoring as a function.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from seq2seq.corpus.batching import Plan, Planned
from seq2seq.errors import Interrupted, UserError
from seq2seq.layout import step_name
from seq2seq.model import network
from seq2seq.training import models, parallel
from seq2seq.training.checkpoints import Checkpoints, Kind
from seq2seq.training.interruption import Requests, Watchdog
from seq2seq.training.keeping import Keeping
from seq2seq.training.profiling import Profiler
from seq2seq.training.progress import Place, Reporter
from seq2seq.training.standing import Standing
from seq2seq.training.step import initial_state
from seq2seq.training.stopping import HIGHER_IS_BETTER, Stopper
from seq2seq.training.task import Task
from seq2seq.training.updates import Ready, Updates

_LOOKED_AHEAD = 1_000  # batches whose shapes are compiled in the order of their first use
_SMALLEST_RATE_SCALE = 2.0**-6  # after so many halvings the fault is not the rate's


class Loop:
    """One training, from wherever its run folder stands to its end."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._train = task.config.train
        self._reporter = Reporter(
            task.run.metrics,
            speaks=task.devices.is_first,
            every=self._train.log_every_steps,
            tensorboard=self._train.tensorboard,
        )
        self._checkpoints = Checkpoints(task.run, keep=self._train.keep_checkpoints)
        traces = task.run.profile(task.devices.process)
        self._profiler = Profiler(traces, self._train.profile_steps, say=self._reporter.note)
        self._updates = Updates(task)
        self._keeping = Keeping(task.config, task.sizes, task.devices)
        self._at = self._beginning()
        self._asked = np.zeros(2, np.int32)
        self._diverged = False
        self._updated = False

    def run(self) -> None:
        """Trains to the end; raises Interrupted when asked to stop, with everything saved."""
        self._watchdog = Watchdog(self._train.watchdog_minutes)
        try:
            with Requests(self._train, process=self._task.devices.process) as self._requests:
                self._resume()
                if self._finished:
                    self._reporter.note(f"training was finished before: {self._at.stopper}")
                else:
                    self._prepare()
                    self._run_epochs()
                self._average()
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            tokens = self._task.plan.batch_tokens
            raise UserError(
                f"the device has too little memory for train.batch_tokens={tokens}; take "
                f"train.batch_tokens={tokens // 2}, or split the batch with "
                f"train.accumulate={2 * self._train.accumulate}"
            ) from None
        finally:
            self._watchdog.close()
            self._updates.close()
            self._profiler.close()
            self._reporter.close()
        self._checkpoints.close()

    # Where a run stands.

    def _beginning(self) -> Standing:
        train = self._train
        return Standing(
            Stopper(metric=train.stop_metric, patience=train.patience, min_gain=train.min_gain)
        )

    def _start_anew(self) -> None:
        config = self._task.config
        # Hosts of another kind would draw other last bits.
        weights = parallel.from_first(
            network.initialise(config.model, self._task.sizes, self._train.seed)
        )
        self._state = self._keeping.place(initial_state(config, weights))
        self._at = self._beginning()

    def _resume(self) -> None:
        steps = self._checkpoints.steps
        if steps:
            self._restore(steps[-1])
            self._reporter.note(
                f"resuming at step {self._at.step}, epoch {self._at.epoch}: {self._at.stopper}"
            )
        self._reporter.cut_back(self._at.step)

    def _restore(self, step: int) -> None:
        state, notes = self._checkpoints.restore(step, self._keeping.whole)
        if notes["fingerprint"] != self._task.fingerprint:
            raise UserError(
                f"run {str(self._task.run.path)!r} was trained on other prepared data than "
                f"{self._task.config.data.prepared!r}; name that folder with "
                "--set data.prepared=FOLDER, or start a new run folder"
            )
        if notes["devices"] != self._task.devices.total:
            self._reporter.note(
                f"the run had {notes['devices']} devices and now has {self._task.devices.total}: "
                "it goes on, but not bit for bit as it would have"
            )
        self._state = self._keeping.place(state)
        self._at = self._at.restored(notes)

    @property
    def _finished(self) -> bool:
        return (
            self._at.stopper.done
            or self._at.epoch > self._train.max_epochs
            or 0 < self._train.max_steps <= self._at.step
        )

    @property
    def _place(self) -> Place:
        return self._at.place(self._task.plan.batches)

    # Updates.

    def _prepare(self) -> None:
        devices, plan = self._task.devices, self._task.plan
        weights = sum(leaf.size for leaf in jax.tree.leaves(self._keeping.whole.weights))
        self._reporter.note(
            f"{weights:,} weights; {plan.pairs:,} pairs, {plan.batches:,} updates an epoch in "
            f"{len(plan.shapes)} shapes; {devices.total} x {devices.kind}; "
            + self._checkpoints.announce(self._keeping.whole, self._task.run)
        )
        ahead = itertools.islice(self._planned(), _LOOKED_AHEAD)
        self._updates.compile(self._keeping.looks, (batch.shape for batch in ahead if batch))
        # Threads compile while this one makes the weights.
        if not self._checkpoints.steps:
            self._start_anew()
        self._reporter.note(self._updates.largest())

    def _run_epochs(self) -> None:
        batches = self._batches()
        while not self._finished:
            batch = next(batches)
            if batch is None:
                self._end_epoch()
                continue
            self._update(batch)
            self._obey()
            if self._diverged:
                self._roll_back()
                batches = self._batches()

    def _batches(self) -> Iterator[Ready | None]:
        return self._updates.batches(self._planned())

    def _planned(self) -> Iterator[Planned | None]:
        return _planned(self._task.plan, self._train.seed, self._at.epoch, self._at.batch)

    def _update(self, batch: Ready) -> None:
        self._at = self._at.after_update()
        self._state = self._updates.send(
            self._state, batch, wishes=self._requests.now(), place=self._place
        )
        self._profiler.after_update(self._state)
        # One update behind, so that the device never waits for the host to read a number.
        self._read(leave=1 if self._updated else 0)
        self._tell()
        if self._due(self._train.validate_every_steps):
            self._validate()
            self._save("step")
        elif self._due(self._train.checkpoint_every_steps):
            self._save("step")
        elif 0 < self._train.max_steps == self._at.step:
            self._validate()
            self._save("step")

    def _tell(self) -> None:
        if not self._updated:
            self._updated = True
            seconds = time.monotonic() - self._task.began
            self._reporter.note(f"first update after {seconds:.1f} s")
        if waited := self._updates.waited():
            self._reporter.note(waited)

    def _due(self, every: int) -> bool:
        return every > 0 and self._at.step % every == 0

    def _read(self, *, leave: int = 0) -> None:
        for place, update in self._updates.read(leave=leave):
            self._watchdog.beat()
            self._asked = np.maximum(self._asked, update.requests)
            self._diverged |= int(update.skipped_in_a_row) >= self._train.max_bad_steps
            self._reporter.update(place, update)

    # Events between two updates.

    def _obey(self) -> None:
        stop, save = self._asked
        if not (stop or save) or self._diverged:
            return
        self._asked = np.zeros(2, np.int32)
        self._save("stop" if stop else "time")
        if stop:
            self._checkpoints.close()
            raise Interrupted(
                f"stopped at step {self._at.step}, epoch {self._at.epoch}; "
                "everything is saved, the same command goes on"
            )

    def _end_epoch(self) -> None:
        if self._at.validated != self._at.step:
            self._validate()
        self._at = self._at.after_epoch()
        self._save("epoch")

    def _save(self, kind: Kind) -> None:
        self._read()
        if self._diverged:
            return
        notes = {
            **self._at.notes(),
            "fingerprint": self._task.fingerprint,
            "devices": self._task.devices.total,
        }
        state, best = self._keeping.fetch(self._state), self._at.stopper.best_step
        self._checkpoints.save(self._at.step, state, kind=kind, notes=notes, best=best)
        self._requests.saved()
        self._watchdog.beat()

    def _validate(self) -> None:
        self._read()
        if self._diverged:
            return
        started = time.monotonic()
        weights = self._keeping.judged(self._state)
        numbers = self._task.validation(weights)
        value = numbers[self._train.stop_metric]
        patience = self._train.plateau_patience
        self._at = self._at.after_validation(value, plateau_patience=patience)
        self._keep_model(value, numbers, weights)
        self._reporter.validation(self._place, numbers, self._at.stopper)
        if 0 < patience == self._at.plateau:
            self._halve_rate(float(parallel.to_host(self._state.rate_scale)))
            self._reporter.note("no gain: the learning rate is halved")
        self._reporter.leave_out(time.monotonic() - started)
        self._watchdog.beat()

    def _keep_model(self, value: float, numbers: Mapping[str, float], weights: Any) -> None:
        name = step_name(self._at.step)
        ranked = models.rank(
            self._at.ranked, value, name, higher_is_better=HIGHER_IS_BETTER[self._train.stop_metric]
        )[: self._train.average_best]
        self._at = self._at._replace(ranked=tuple(ranked))
        is_best = self._at.stopper.best_step == self._at.step
        kept = [known for _, known in ranked]
        if self._task.devices.is_first and (is_best or name in kept):
            self._export(name, parallel.to_host(weights), numbers)
            if is_best:
                models.point_best(self._task.run, name)
            models.keep_only(self._task.run, kept)

    def _export(self, name: str, weights: Any, numbers: Mapping[str, float]) -> None:
        scores = {f"validation {key}": f"{number:.4g}" for key, number in numbers.items()}
        about = {"step": self._at.step, "epoch": self._at.epoch, **scores}
        models.export(self._task.run, name, weights, config=self._task.config, about=about)

    def _halve_rate(self, scale: float) -> None:
        halved = self._task.devices.replicate(np.float32(scale / 2))
        self._state = self._state._replace(rate_scale=halved)

    def _roll_back(self) -> None:
        step, scale = self._at.step, float(parallel.to_host(self._state.rate_scale))
        if scale <= _SMALLEST_RATE_SCALE:
            raise UserError(
                f"gradients are still not finite at step {step} with 1/{1 / scale:.0f} of the "
                "rate; lower train.rate or train.clip_norm, or look at the data"
            )
        self._updates.forget()
        self._diverged = False
        back = self._checkpoints.last_placed(before=step)
        if back is None:
            self._start_anew()
        else:
            self._restore(back)
        self._halve_rate(scale)
        self._checkpoints.forget_after(self._at.step)
        self._reporter.cut_back(self._at.step)
        self._reporter.note(
            f"{self._train.max_bad_steps} gradients in a row were not finite: back from step "
            f"{step} to step {self._at.step}, with half the learning rate"
        )

    def _average(self) -> None:
        """Averages the best models, and keeps the result if it is better than each."""
        names = [name for _, name in self._at.ranked]
        if len(names) < 2 or self._task.run.model(models.AVERAGE).path.exists():
            return
        parallel.wait_for_all("average")
        weights = models.averaged(self._task.run, names)
        numbers = self._task.validation(self._task.devices.replicate(weights))
        value = numbers[self._train.stop_metric]
        better = self._at.stopper.improves(value)
        if self._task.devices.is_first:
            self._export(models.AVERAGE, weights, numbers)
            if better:
                models.point_best(self._task.run, models.AVERAGE)
        self._reporter.note(
            f"the average of the best {len(names)} models: {self._train.stop_metric} "
            f"{value:.4g}, {'the best now' if better else 'no better'}"
        )


def _planned(plan: Plan, seed: int, epoch: int, batch: int) -> Iterator[Planned | None]:
    """The batches from a place on, through all epochs to come; None where one ends."""
    for number in itertools.count(epoch):
        yield from itertools.islice(plan.epoch(seed, number), batch, None)
        yield None
        batch = 0
