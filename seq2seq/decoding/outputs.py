"""What the command writes: a line for each line of the input, or for each paragraph of a document.

Lines of the output can be counted, and the first of them left out, without translating: so work
goes on where an earlier process was stopped.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from seq2seq import __version__, files
from seq2seq.decoding import members
from seq2seq.decoding.resuming import Origin
from seq2seq.decoding.translation import Translation
from seq2seq.decoding.translator import Translator

if TYPE_CHECKING:
    from seq2seq.decoding.documents import Paragraph
    from seq2seq.decoding.requests import Request

Chunks: TypeAlias = Iterable[list[str]]  # lines of the input, as many at a time as are there
_Unit = TypeVar("_Unit")


def count(chunks: Chunks, *, document: bool) -> int:
    """How many lines the output will have."""
    return sum(map(len, _paragraphs(chunks) if document else chunks))


def outputs(translator: Translator, chunks: Chunks, *, skip: int = 0) -> Iterator[list[str]]:
    """The lines of the output in groups, without the first `skip`."""
    settings = translator.config.translate
    as_json = settings.format == "json"
    if settings.document:
        for group in _without_first(_paragraphs(chunks), skip):
            yield list(_of_paragraphs(translator, group, as_json=as_json))
        return
    for group in _without_first(requested(translator, chunks), skip):
        results = translator.translate_chunk(group)
        yield [result.to_json() if as_json else result.to_text() for result in results]


def origin(translator: Translator, model: str, source_checksum: str) -> Origin:
    """All that the output depends on."""
    from importlib.metadata import version  # late: it takes longer than all else in here

    sums = {
        f"{name}/{path.name}": files.checksum(path)
        for name, folder in members.find(model)
        for path in folder.path.iterdir()
        if path.is_file() and path != folder.card
    }
    settings = dataclasses.asdict(translator.config.translate)
    for name in ("chunk", "cache"):  # they change no translation
        del settings[name]
    return Origin(
        {"the input": source_checksum, **sums},
        {
            **{f"translate.{name}": value for name, value in settings.items()},
            "seq2seq": __version__,
            "jax": version("jax"),
            "the device": translator.platform,
        },
    )


def requested(translator: Translator, chunks: Chunks) -> "Iterable[Sequence[str | Request]]":
    """The lines as they are, or what their JSON asks for (`translate.input_format`)."""
    if translator.config.translate.input_format == "text":
        return chunks
    from seq2seq.decoding import requests  # late: most lines are text

    return requests.read(chunks)


def _paragraphs(chunks: Chunks) -> "Iterator[list[Paragraph]]":
    from seq2seq.decoding import documents  # late: most translations need none of its patterns

    return documents.paragraphs(chunks)


def _of_paragraphs(
    translator: Translator, group: "Sequence[Paragraph]", *, as_json: bool
) -> Iterator[str]:
    parts = [paragraph.parts() for paragraph in group]
    found = [sentence for _, sentences in parts for sentence in sentences]
    results = iter(translator.translate_chunk(found) if found else [])
    for paragraph, (skeleton, sentences) in zip(group, parts, strict=True):
        own = [next(results) for _ in sentences]
        line = skeleton.fill([result.translation for result in own])
        yield _json(paragraph, line, own) if as_json else line


def _json(paragraph: "Paragraph", line: str, results: Sequence[Translation]) -> str:
    """One line of JSON; its sentences are objects as a line of text has."""
    named = {"source": paragraph.head + paragraph.text + paragraph.tail, "translation": line}
    texts = (json.dumps({key: value}, ensure_ascii=False)[1:-1] for key, value in named.items())
    objects = ", ".join(result.to_json() for result in results)
    return f'{{{", ".join(texts)}, "sentences": [{objects}]}}'


def _without_first(groups: Iterable[Sequence[_Unit]], units: int) -> Iterator[Sequence[_Unit]]:
    for group in groups:
        if units < len(group):
            yield group[units:]
        units = max(units - len(group), 0)
