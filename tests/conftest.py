"""A rig stricter than a user's machine: eight CPU devices, and no silent broadcasting of ranks."""

import os
import signal

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "8")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")

# A shell lets what it starts in the background ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

import gc  # noqa: E402 (JAX reads the variables above when it is imported)
from collections.abc import Iterator  # noqa: E402

import jax  # noqa: E402
import pytest  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402

_COMPILED_OFTEN = "model", "training"  # folders whose tests compile the same few programs


@pytest.fixture(scope="session")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where programs are kept that several tests compile."""
    return str(tmp_path_factory.mktemp("programs"))


@pytest.fixture(autouse=True, scope="module")
def _forget_programs(request: pytest.FixtureRequest, _kept: str) -> Iterator[None]:
    """Every compiled program takes maps of memory, of which a process has 65,530.

    A cache ends with its module too: others translate, which keeps nothing that comes from there.
    """
    if request.path.parent.name in _COMPILED_OFTEN:
        jax.config.update("jax_compilation_cache_dir", _kept)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    yield
    jax.clear_caches()
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    gc.collect()
