"""Fetches a public corpus, verifies it, and unpacks it into the form that its config expects.

`scripts/get_data.sh` runs this with the machine's own Python: nothing here, nor what it imports,
needs more than the standard library.
"""

import contextlib
import fcntl
import logging
import shlex
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from public_corpora.download import Unavailable, fetch
from public_corpora.homes import CORPORA, Archive, Corpus
from public_corpora.recipes import RECIPES, count_pairs

from seq2seq import cli, files
from seq2seq.errors import Interrupted, UserError

_log = logging.getLogger("seq2seq.get_data")


def main(argv: Sequence[str]) -> None:
    """Makes FOLDER/CORPUS, unless it is there; what to do next goes to stdout."""
    parser = cli.Parser(
        prog="scripts/get_data.sh",
        description="Fetch a public German-English corpus. The same command goes on where it "
        "was stopped; when all is there it does nothing.",
        allow_abbrev=False,
    )
    parser.add_argument("corpus", metavar="CORPUS", help=", ".join(CORPORA))
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="CORPUS becomes a folder in it")
    parser.add_argument(
        "--mirror", metavar="WHERE", help="an address or a folder with all archives of the corpus"
    )
    parser.add_argument(
        "--unverified", action="store_true", help="take archives of other lengths and checksums"
    )
    options = parser.parse_args(argv)
    if options.corpus not in CORPORA:
        known = ", ".join(CORPORA)
        raise UserError(f"there is no corpus {options.corpus!r}; there are {known}")
    signal.signal(signal.SIGTERM, _stop)
    try:
        said = _get(options.corpus, options.folder, options.mirror, unverified=options.unverified)
    except KeyboardInterrupt:
        raise Interrupted("stopped by Ctrl-C; the same command goes on") from None
    root = shlex.quote(str(options.folder))
    print(
        f"{said}; next: python -m seq2seq.prepare configs/{options.corpus}.toml "
        f"--set data.root={root}"
    )


def _stop(*_: object) -> NoReturn:
    raise Interrupted("stopped by SIGTERM; the same command goes on")


def _get(name: str, folder: Path, mirror: str | None, *, unverified: bool) -> str:
    corpus, place = CORPORA[name], folder / name
    if _is_there(corpus, place):
        return f"{name} is in {str(place)!r} already"
    archives = [_on(mirror, archive) for archive in corpus.archives]
    downloads = folder / f".{name}.downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    with _alone(downloads):
        _require_space(corpus, downloads)
        fetched = [
            _fetch(corpus, archive, downloads, unverified=unverified) for archive in archives
        ]
        _log.info("unpacking")
        with files.folder_in_one_piece(place) as out:
            RECIPES[name](downloads, out)
            counts = count_pairs(corpus, out)
            (out / "ORIGIN.txt").write_text(_origin(corpus, fetched), encoding="utf-8")
        shutil.rmtree(downloads)
    pairs = ", ".join(f"{stem} {count:,}" for stem, count in counts.items())
    return f"{name} is in {str(place)!r} (pairs: {pairs})"


def _is_there(corpus: Corpus, place: Path) -> bool:
    if not place.is_dir():
        return False
    missing = [file for file in corpus.files if not (place / file).exists()]
    if missing and any(place.iterdir()):
        raise UserError(
            f"{str(place)!r} is there, but without {missing[0]}; move it away, or name another "
            "folder: nothing of yours is written over"
        )
    return not missing


@contextlib.contextmanager
def _alone(downloads: Path) -> Iterator[None]:
    with (downloads / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another get_data is at work in {str(downloads)!r}") from None
        yield


def _require_space(corpus: Corpus, downloads: Path) -> None:
    here = sum(path.stat().st_size for path in downloads.iterdir())
    to_come = max(sum(archive.size for archive in corpus.archives) - here, 0)
    files.require_space(downloads, to_come + corpus.text_bytes, "the corpus")


def _on(mirror: str | None, archive: Archive) -> Archive:
    if mirror is None:
        return archive
    if not mirror.startswith(("http://", "https://", "file://")):
        if not Path(mirror).is_dir():
            raise UserError(f"--mirror {mirror!r} is neither a folder nor an http address")
        mirror = f"file://{quote(str(Path(mirror).resolve()))}"
    return archive._replace(address=f"{mirror.rstrip('/')}/{archive.name}")


def _fetch(corpus: Corpus, archive: Archive, downloads: Path, *, unverified: bool) -> str:
    if not (downloads / archive.name).exists():
        size = f" ({archive.size / 1e6:,.0f} MB)" if archive.size else ""
        _log.info("fetching %s%s", archive.address, size)
    try:
        path = fetch(archive, downloads, unverified=unverified)
    except Unavailable as error:
        raise UserError(
            f"{error}; {corpus.elsewhere}: with {archive.name} from there, or from anywhere else, "
            "give its folder or address as --mirror"
        ) from error
    return f"{archive.address} sha256:{files.checksum(path)}"


def _origin(corpus: Corpus, fetched: list[str]) -> str:
    return "\n".join([
        f"Licence: {corpus.licence}",
        "Made by scripts/get_data.sh from",
        *fetched,
        "",
    ])


if __name__ == "__main__":
    cli.run(main)
