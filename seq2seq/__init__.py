"""Neural machine translation that you train yourself: prepare, train, translate, evaluate.

>>> from seq2seq import Translator
>>> Translator.load("runs/demo").translate(["Guten Morgen."])
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.decoding.translator import Request, Translation, Translator

__version__ = "0.1.0"
__all__ = ["Request", "Translation", "Translator", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy, so that stages that need no JAX (prepare, scoring) do not pay for importing it.
    if name in ("Request", "Translation", "Translator"):
        from seq2seq.decoding import translator

        return getattr(translator, name)
    raise AttributeError(f"module 'seq2seq' has no attribute {name!r}")
