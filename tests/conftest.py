"""A rig stricter than a user's machine: eight CPU devices, and no silent broadcasting of ranks."""

import atexit
import os
import shutil
import signal
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "8")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")

# Where compiled programs are kept that several tests need; workers inherit it from their parent.
if "SEQ2SEQ_TEST_PROGRAMS" not in os.environ:
    os.environ["SEQ2SEQ_TEST_PROGRAMS"] = tempfile.mkdtemp(prefix="seq2seq-test-programs-")
    atexit.register(shutil.rmtree, os.environ["SEQ2SEQ_TEST_PROGRAMS"], ignore_errors=True)
# Our own cache is safe when several processes write at once; of JAX's each worker has its own.
OF_WORKER = os.path.join(
    os.environ["SEQ2SEQ_TEST_PROGRAMS"], os.environ.get("PYTEST_XDIST_WORKER", "alone")
)

# A shell lets what it starts in the background ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

import gc  # noqa: E402 (JAX reads the variables above when it is imported)
from collections.abc import Iterator  # noqa: E402

import jax  # noqa: E402
import pytest  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402

_COMPILED_OFTEN = "model", "training"  # folders whose tests compile the same few programs


@pytest.fixture(autouse=True, scope="module")
def _forget_programs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every compiled program takes maps of memory, of which a process has 65,530.

    A cache ends with its module too: others translate, which keeps nothing that comes from there.
    """
    if request.path.parent.name in _COMPILED_OFTEN:
        jax.config.update("jax_compilation_cache_dir", OF_WORKER)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    yield
    jax.clear_caches()
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    gc.collect()
