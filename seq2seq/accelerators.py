"""Whether JAX may find an accelerator; told without JAX, whose import takes a third of a second."""

import os
from importlib.util import find_spec


def possible() -> bool:
    """Whether JAX, if it were imported, could choose another device than the CPU."""
    if wanted := os.environ.get("JAX_PLATFORMS") or os.environ.get("JAX_PLATFORM_NAME"):
        return wanted != "cpu"
    return any(map(find_spec, ("jax_plugins", "libtpu")))
