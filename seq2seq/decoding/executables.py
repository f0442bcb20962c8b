"""Compiled programs that outlive the process. They can only save time.

A process that finds its programs in the cache runs them with jaxlib alone, and imports neither
JAX nor the network. Otherwise JAX traces and compiles as ever, and the next process finds them.

The name of an entry holds all that it depends on: the layout of weights and arguments, settings,
our own source, the libraries and their environment. An executable is kept if, run with jaxlib
alone, it gave JAX's results to the bit.
"""

import functools
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from seq2seq import accelerators
from seq2seq.decoding import cache, kernels
from seq2seq.decoding.runtime import Runtime, Shaped
from seq2seq.model.weights import Weights

# An entry that says: not this one; JAX's own cache has it. (What comes from there cannot be
# serialized again, so that cache is on for no other.)
_REFUSED = b""
_log = logging.getLogger(__name__)
_Arrays: TypeAlias = Sequence[Any]  # NumPy's as arguments; results may still be computed
_Ready: TypeAlias = Callable[[_Arrays], _Arrays]
_Started: TypeAlias = tuple[_Ready, _Arrays]  # and its first results


class Home(NamedTuple):
    """Where executables lie, and what runs them without JAX."""

    folder: Path
    runtime: Runtime
    setting: str  # translate.cache


def find_home(setting: str) -> Home | None:
    """The home in the cache (`translate.cache`); without one, JAX does everything.

    There is none where another device than the CPU may be, nor in a process that uses JAX anyway:
    it may have told JAX anything.
    """
    if "jax" not in sys.modules and not accelerators.possible():
        folder = cache.folder(setting)
        if folder is None:
            return None  # JAX's own cache would have no other
        try:
            return Home(folder, Runtime(), setting)
        except Exception:  # whatever it is, JAX can do without
            _log.debug("jaxlib alone does not run", exc_info=True)
    cache.enable(setting)
    return None


class Executables:
    """The functions of `programs`, called by name, with the weights of one or several networks."""

    def __init__(self, weights: tuple[Weights, ...], precision: str, home: Home | None) -> None:
        self._given = weights
        self._precision = precision
        self._home = home
        self._ready: dict[Any, _Ready] = {}
        self._compiling = threading.Lock()

    @property
    def platform(self) -> str:
        """Where the programs run: `cpu`, or what JAX calls it."""
        if self._home:
            return "cpu"
        import jax

        return jax.default_backend()

    @functools.cached_property
    def weights(self) -> tuple[Weights, ...]:
        """On the device, as JAX's arrays, laid out as the programs take them."""
        import jax

        device = jax.local_devices()[0]
        return jax.tree.map(lambda leaf: jax.device_put(leaf, device), self._placed)

    def run(self, name: str, *arguments: np.ndarray, **settings: Any) -> _Arrays:
        """Starts a program; its results are arrays that `np.asarray` waits for.

        Several threads may do so at a time: what is new to all of them is compiled once.
        """
        shaped = tuple(map(Shaped.of, arguments))
        program = name, shaped, tuple(sorted(settings.items()))
        if program not in self._ready:
            with self._compiling:
                if program not in self._ready:
                    self._ready[program], results = self._first(name, arguments, settings)
                    return results
        return self._ready[program](arguments)

    def _first(self, name: str, arguments: _Arrays, settings: Mapping[str, Any]) -> _Started:
        if self._home is None:
            ready = functools.partial(
                _call, functools.partial(_traced(name), **settings), self.weights
            )
            return ready, ready(arguments)
        layout = self._layout, *map(Shaped.of, arguments)
        entry = f"{name}-{cache.key(layout, sorted(settings.items()))}"
        stored = cache.read(self._home.folder, entry)
        started = self._start(self._home, stored, arguments) if stored else None
        if started is None:
            if stored == _REFUSED:
                cache.enable(self._home.setting)
            compiled = _traced(name).lower(self.weights, *arguments, **settings).compile()
            ready = functools.partial(_call, compiled, self.weights)
            started = ready, ready(arguments)
            if stored != _REFUSED:
                self._keep(self._home, entry, compiled, (arguments, started[1]))
        return started

    def _keep(
        self, home: Home, entry: str, compiled: Any, example: tuple[_Arrays, _Arrays]
    ) -> None:
        arguments, results = example
        try:
            stored = _described(results) + b"\n" + _code(compiled)
            alone = self._start(home, stored, arguments)
            same = alone is not None and _equal(alone[1], results)
        except Exception:
            # JAX 0.12 now and then makes a sort that it cannot serialize: the next time it may.
            _log.debug("not kept: %s", entry, exc_info=True)
            return
        cache.write(home.folder, entry, stored if same else _REFUSED)

    def _start(self, home: Home, stored: bytes, arguments: _Arrays) -> _Started | None:
        """A program without JAX, and what it gives; nothing if that cannot be."""
        described, _, code = stored.partition(b"\n")
        try:
            results = [
                Shaped(tuple(shape), np.dtype(kind)) for shape, kind in json.loads(described)
            ]
            ready = functools.partial(home.runtime.load(code, results), self._leaves)
            return ready, ready(arguments)
        except Exception:  # whatever it is, JAX can do without
            _log.debug("jaxlib alone does not run it", exc_info=True)
            return None

    @functools.cached_property
    def _leaves(self) -> list[Any]:
        put = self._home.runtime.put if self._home else np.asarray
        return [put(leaf) for _, leaf in _in_order(self._placed)]

    @functools.cached_property
    def _placed(self) -> tuple[Weights, ...]:
        return tuple(kernels.laid_out(each, self._precision) for each in self._given)

    @functools.cached_property
    def _layout(self) -> tuple[Any, ...]:
        return (self._precision, *((n, Shaped.of(leaf)) for n, leaf in _in_order(self._given)))


def _call(compiled: Any, weights: tuple[Weights, ...], arguments: _Arrays) -> _Arrays:
    return compiled(weights, *arguments)


def _described(results: _Arrays) -> bytes:
    return json.dumps([(each.shape, each.dtype.name) for each in results]).encode()


def _code(compiled: Any) -> bytes:
    executable = compiled.runtime_executable()
    return executable.client.serialize_executable(executable)


def _equal(results: _Arrays, others: _Arrays) -> bool:
    pairs = zip(results, others, strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def _traced(name: str) -> Any:
    # Late: importing JAX, and Flax with the network, takes most of a second.
    from seq2seq.decoding import programs

    return getattr(programs, name)


def _in_order(weights: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves as JAX orders them, which sorts keys and not names."""
    if isinstance(weights, Mapping):
        inside = ((key, weights[key]) for key in sorted(weights))
    elif isinstance(weights, tuple):
        inside = enumerate(weights)
    else:
        yield path, weights
        return
    for key, value in inside:
        yield from _in_order(value, f"{path}.{key}")
