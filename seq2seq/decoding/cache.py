"""JAX's cache of compiled code, in a folder that is the user's own. A cache can only save time.

Knows no model. The folder is closed to others, because what is loaded from it is executed.
"""

import hashlib
import logging
import os
import platform
import warnings
from pathlib import Path

import jax

_log = logging.getLogger(__name__)
_OFF = "off"


def enable(setting: str) -> Path | None:
    """Turns the cache on (`translate.cache`: a folder, "" for the usual one, or "off").

    Returns where it is. A cache that the process already has stays, unless a folder is named.
    """
    if setting == _OFF:
        return None
    chosen = getattr(jax.config, "jax_compilation_cache_dir", None)
    if chosen and not setting:
        return Path(chosen)
    folder = (Path(setting).expanduser() if setting else _usual()) / _machine()
    if not _is_ours(folder):
        return None
    # A damaged entry is compiled again; JAX's warning about it would only worry the reader.
    warnings.filterwarnings("ignore", ".*persistent compilation cache.*")
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def _usual() -> Path:
    parent = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(parent).expanduser() / "seq2seq"


def _machine() -> str:
    """A name for what compiled code depends on: a home folder may be shared by many machines."""
    features = [jax.__version__, platform.machine(), *_processor()]
    digest = hashlib.sha256(" ".join(features).encode()).hexdigest()[:12]
    return f"jax-{jax.__version__}-{digest}"


def _processor() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    return sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError) as error:
        _log.info("compiled code is not kept: cannot use %r (%s)", str(folder), error)
        return False
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        _log.warning(
            "compiled code is not kept: others can write to %r; chmod 700 it, or set "
            "translate.cache to another folder",
            str(folder),
        )
        return False
    return os.access(folder, os.W_OK | os.X_OK)
