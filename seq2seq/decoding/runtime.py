"""Runs a compiled program on the CPU with jaxlib alone. Knows no program and no files.

Importing JAX takes longer than everything else that a sentence needs together, and an executable
needs none of it. But jaxlib promises nobody its interface: every error here, whatever it is, means
that JAX has to do the work, and `executables` keeps no program whose results differ from JAX's.
"""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Shaped(NamedTuple):
    """An array's shape and type, which is all that jaxlib asks of it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    weak_type: bool = False

    @classmethod
    def of(cls, array: Any) -> "Shaped":
        """Those of an array of any kind."""
        return cls(tuple(array.shape), np.dtype(array.dtype))


class Runtime:
    """The processor, as XLA sees it."""

    def __init__(self) -> None:
        # As JAX does it: otherwise XLA writes of its inner life on stderr.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
        from jaxlib import _jax, xla_client  # pyright: ignore[reportAttributeAccessIssue]

        class OnOneDevice(_jax.SingleDeviceSharding):
            memory_kind = None

            def _to_xla_hlo_sharding(self, _dimensions: int) -> Any:
                return xla_client.HloSharding.replicate()

        self._jaxlib = _jax
        self._client = xla_client.make_cpu_client()
        self._device = self._client.local_devices()[0]
        self._devices = xla_client.DeviceList((self._device,))
        self._placement = OnOneDevice(self._device)

    def put(self, array: np.ndarray) -> Any:
        """An argument of a program; memory that is aligned to 64 bytes is not copied."""
        return self._jaxlib.batched_device_put(
            Shaped.of(array), self._placement, [array], [self._device], enable_x64=False
        )

    def load(self, code: bytes, results: Sequence[Shaped]) -> "Program":
        """A serialized executable, with what it returns."""
        executable = self._client.deserialize_executable(code, executable_devices=self._devices)
        return Program(self, executable, [self._handler(shaped) for shaped in results])

    def _handler(self, shaped: Shaped) -> Any:
        make, common = self._jaxlib.array_result_handler, (shaped, self._placement, True)
        try:
            return make(*common, _skip_checks=True)
        except TypeError:  # it has no checks any more from JAX 0.12 on
            return make(*common)


class Program(NamedTuple):
    """An executable that was loaded."""

    runtime: Runtime
    executable: Any
    handlers: list[Any]

    def __call__(self, leaves: Sequence[Any], arguments: Sequence[np.ndarray]) -> list["Result"]:
        """Starts it with arrays that were `put`, and others; returns without waiting for it."""
        taken = [*leaves, *map(self.runtime.put, arguments)]
        started = self.executable.execute_sharded(taken)
        return [
            Result(self.runtime, array) for array in started.consume_with_handlers(self.handlers)
        ]


class Result(NamedTuple):
    """An array that may still be computed; `np.asarray` waits for it."""

    runtime: Runtime
    array: Any

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        self.array.block_until_ready()
        return np.array(np.from_dlpack(self), dtype, copy=copy)

    def __dlpack__(self, **_wishes: Any) -> Any:
        return self.runtime._jaxlib.buffer_to_dlpack_managed_tensor(self.array, None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # the CPU
