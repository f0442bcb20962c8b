"""The only home of device placement: processes, replicas, and the pmap around a step.

One process a host drives all its devices; a batch is divided over all devices of all processes.
State goes into the pmap and comes out as ordinary replicated arrays: there is no stacked copy.
"""

import concurrent.futures
import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from seq2seq.config import ConfigError, TrainConfig

# The mesh's axis and the pmap's must bear the same name, or the second step is traced again.
AXIS = "device"
# Each keeps two cores busy, and Python's lock while it traces: more would make the first one late.
_COMPILED_AT_ONCE, _CORES_TO_COMPILE = 2, 2


def connect(config: TrainConfig) -> None:
    """Joins the other processes, named by the settings or found by JAX on a known cluster."""
    if jax.distributed.is_initialized():
        return
    if config.coordinator:
        _initialise(
            coordinator_address=config.coordinator,
            num_processes=config.processes,
            process_id=config.process,
        )
    elif _on_a_cluster():
        _initialise()


def _initialise(**address: Any) -> None:
    # Without effect on any other kind of device.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    # Left alone, JAX gives every task of a launcher one GPU; an empty list restricts nothing.
    devices = None if _shares_its_host() else []
    try:
        jax.distributed.initialize(**address, local_device_ids=devices)
    except (RuntimeError, ValueError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"the training processes could not join ({first_line}); check train.coordinator, "
            "and that all train.processes are started with the same settings"
        ) from None


def _on_a_cluster() -> bool:
    """Whether a launcher started several of us: SLURM, Open MPI or Kubernetes, as JAX sees it."""
    several = (
        int(os.environ.get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in os.environ,
        int(os.environ.get("OMPI_COMM_WORLD_SIZE", "1")) > 1,
        "JOB_COMPLETION_INDEX" in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ,
    )
    return any(several)


def _shares_its_host() -> bool:
    """Whether the launcher started several of us on a host."""
    if "SLURM_PROCID" in os.environ:
        tasks, hosts = (
            int(os.environ.get(name, "1")) for name in ("SLURM_NTASKS", "SLURM_STEP_NUM_NODES")
        )
        return tasks > hosts
    return int(os.environ.get("OMPI_COMM_WORLD_LOCAL_SIZE", "1")) > 1


@dataclasses.dataclass(frozen=True, slots=True)
class Devices:
    """The devices of this process, and its place among the processes."""

    local: tuple[Any, ...]
    total: int
    process: int
    processes: int

    @property
    def is_first(self) -> bool:
        """Whether this process writes what is written once."""
        return self.process == 0

    @property
    def kind(self) -> str:
        """What a device calls itself."""
        return self.local[0].device_kind

    def filled_up(self, rows: int, pieces: int) -> int:
        """The next number of rows that every device can take the same share of."""
        return -(-rows // (self.total * pieces)) * self.total * pieces

    def rows_here(self, rows: int, pieces: int) -> range:
        """The rows of a batch that this process's devices work on."""
        share = self.filled_up(rows, pieces) // self.processes
        return range(self.process * share, (self.process + 1) * share)

    def divide(self, rows: np.ndarray, pieces: int) -> np.ndarray:
        """This process's rows, by device and piece."""
        return rows.reshape(len(self.local), pieces, -1, *rows.shape[1:])

    def replicate(self, tree: Any) -> Any:
        """The same arrays on every local device, placed as the pmapped step returns them."""
        return jax.device_put(tree, self._placing(PartitionSpec()))

    def looks(self, tree: Any, *, divided: bool = False) -> Any:
        """What arrays look like once they are the same on every local device, or `divided`."""
        placing = self._placing(PartitionSpec(AXIS) if divided else PartitionSpec())
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placing), tree
        )

    def _placing(self, spec: PartitionSpec) -> NamedSharding:
        return NamedSharding(Mesh(np.asarray(self.local), (AXIS,)), spec)


def all_devices() -> Devices:
    """Every device that JAX found, here and in the other processes."""
    return Devices(
        local=tuple(jax.local_devices()),
        total=jax.device_count(),
        process=jax.process_index(),
        processes=jax.process_count(),
    )


def over_devices(
    function: Callable[..., Any], *, divided: Sequence[Any], donate: bool, result: Any = False
) -> Any:
    """`function` on all devices: arguments are whole, or `divided` by their first axis.

    The same is said of the `result`; both may say it of the parts of a tree. With `donate`, the
    first argument's memory is used for the result.
    """
    return jax.pmap(
        function,
        axis_name=AXIS,
        in_axes=_axes(tuple(divided)),
        out_axes=_axes(result),
        donate_argnums=(0,) if donate else (),
    )


def _axes(divided: Any) -> Any:
    return jax.tree.map(lambda part: 0 if part else None, divided)


class Program:
    """A pmapped function, compiled for every shape of batch before its first use.

    That happens in threads, while other work and then the training itself go on. Where there are
    cores for one thread only, the first shape is compiled and used before any other one.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        room = (os.cpu_count() or 1) // _CORES_TO_COMPILE
        self._threads = max(1, min(_COMPILED_AT_ONCE, room))
        self._pool = concurrent.futures.ThreadPoolExecutor(
            self._threads, thread_name_prefix="compile"
        )
        self._compiled: dict[Any, concurrent.futures.Future[Any]] = {}
        self._later: dict[Any, tuple[Any, ...]] = {}
        self._called = False
        self.waited = 0.0
        """Seconds that calls have waited for their shape."""

    def compile(self, looks: Mapping[Any, tuple[Any, ...]]) -> None:
        """Begins to compile for what the arguments of each shape look like, in this order."""
        self._later.update(looks)
        self._submit(1 if self._threads == 1 else len(looks))

    def needs(self, shape: Any) -> int:
        """Bytes that `shape` needs on a device, once it is compiled; 0 where nothing is known."""
        compiled = self._compiled[shape].result()
        memory = None if compiled is self._function else compiled.memory_analysis()
        return memory.argument_size_in_bytes + memory.temp_size_in_bytes if memory else 0

    @property
    def is_complete(self) -> bool:
        """Whether no shape has to be waited for any more."""
        return not self._later and all(one.done() for one in self._compiled.values())

    def __call__(self, shape: Any, *arguments: Any) -> Any:
        """Runs the function compiled for `shape`."""
        if self._called or shape not in self._compiled:
            self._submit(len(self._later))
        self._called = True
        started = time.monotonic()
        compiled = self._compiled[shape].result()
        self.waited += time.monotonic() - started
        return compiled(*arguments)

    def close(self) -> None:
        """Forgets what has not been compiled yet."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, count: int) -> None:
        for shape in list(self._later)[:count]:
            self._compiled[shape] = self._pool.submit(self._compile, self._later.pop(shape))

    def _compile(self, looks: tuple[Any, ...]) -> Any:
        # With several processes pmap lowers real arrays only: there each compiles when it runs.
        if jax.process_count() > 1:
            return self._function
        return self._function.lower(*looks).compile()


def to_host(tree: Any) -> Any:
    """NumPy copies of replicated arrays."""
    return jax.tree.map(_fetch, tree)


def _fetch(leaf: Array | np.ndarray) -> np.ndarray:
    # A copy, since the array's memory is donated to the next step.
    return np.array(leaf.addressable_data(0) if isinstance(leaf, Array) else leaf)


def from_first(values: Any) -> Any:
    """What the first process holds, on every process; all must call it."""
    if jax.process_count() == 1:
        return values
    return multihost_utils.broadcast_one_to_all(values)


def wait_for_all(name: str) -> None:
    """Returns when every process has come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)
