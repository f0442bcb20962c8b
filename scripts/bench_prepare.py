"""How fast is prepare, and how much memory does it take, beside SentencePiece's own encode?

python scripts/bench_prepare.py --pairs 5000000 --folder SCRATCH a.de:a.en b.de.xz:b.en.xz

Writes that many pairs, all different, made from the given text; lets prepare train a tokenizer
once; then, in turns: SentencePiece encodes the same normalised lines (its own time only, reading
and normalising left out), and prepare runs as a process with the same tokenizer, from checksums
to the finished folder. Wall and processor time of both, and the peak memory of all processes. The
speed of prepare is given as a share of SentencePiece's, which is measured before and after it.
"""

import argparse
import itertools
import json
import multiprocessing
import random
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measuring import watched

from seq2seq import cli, processor
from seq2seq.config import Corpus
from seq2seq.corpus.text import normalise, read_lines, read_pairs

CHUNK = 4_096


def write_corpus(texts: list[str], pairs: int, folder: Path) -> None:
    """Shuffles the given pairs again and again; one word of each side comes from another pair."""
    draw = random.Random(1)
    known = [
        pair
        for text in texts
        for pair in read_pairs(Corpus(source=text.split(":")[0], target=text.split(":")[1]), "")
        if all(pair)
    ]
    words = [[word for pair in known for word in pair[side].split(" ")] for side in (0, 1)]
    written = 0
    with (
        (folder / "train.source").open("w") as source,
        (folder / "train.target").open("w") as target,
    ):
        while written < pairs:
            draw.shuffle(known)
            for pair in known[: pairs - written]:
                for file, line, others in zip((source, target), pair, words, strict=True):
                    parts = line.split(" ")
                    parts[int(draw.random() * len(parts))] = others[
                        int(draw.random() * len(others))
                    ]
                    file.write(" ".join(parts) + "\n")
            written += len(known[: pairs - written])
    for side in ("source", "target"):
        head = itertools.islice(read_lines(folder / f"train.{side}"), 1_000)
        (folder / f"valid.{side}").write_text("".join(f"{line}\n" for line in head))


def write_config(folder: Path) -> Path:
    """The same file as train and valid would be a leak, so the doctor only warns."""
    path = folder / "bench.toml"
    lines = [f'[data]\nroot = "{folder}"\nprepared = "{folder}/prepared"\ndoctor = "warn"\n']
    for split in ("train", "valid"):
        lines.append(f'[[data.{split}]]\nsource = "{split}.source"\ntarget = "{split}.target"\n')
    path.write_text("".join(lines))
    return path


def run_prepare(config: Path, *settings: str) -> dict[str, float]:
    """Runs the command and watches the memory of its processes."""
    shutil.rmtree(config.parent / "prepared", ignore_errors=True)
    options = [part for setting in settings for part in ("--set", setting)]
    return watched([sys.executable, "-m", "seq2seq.prepare", str(config), *options])


def encode_share(folder: Path, share: int, shares: int) -> tuple[float, float]:
    """Encodes every so-many-eth chunk; the seconds (wall, processor) spent in SentencePiece."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "bench.model"))
    wall = cpu = 0.0
    for side in ("source", "target"):
        lines = read_lines(folder / f"train.{side}")
        number = 0
        while chunk := list(itertools.islice(lines, CHUNK)):
            number += 1
            if number % shares == share:
                chunk = list(map(normalise, chunk))
                began = time.perf_counter(), time.process_time()
                processor.encode(chunk, out_type=int, num_threads=1)
                wall += time.perf_counter() - began[0]
                cpu += time.process_time() - began[1]
    return wall, cpu


def run_sentencepiece(folder: Path, processes: int) -> dict[str, float]:
    """The slowest process decides, as it would if they did nothing but encode."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        tasks = [(folder, share, processes) for share in range(processes)]
        times = pool.starmap(encode_share, tasks)
    return {"wall": max(wall for wall, _ in times), "cpu": sum(cpu for _, cpu in times)}


def main(argv: Sequence[str]) -> None:
    """Prints what was measured as text, then as one JSON object."""
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("texts", nargs="+", metavar="SOURCE:TARGET")
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, required=True, help="for scratch files")
    parser.add_argument("--processes", type=int, default=processor.count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sample", type=int, default=100_000, help="lines a side for the tokenizer"
    )
    arguments = parser.parse_args(argv)
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    write_corpus(arguments.texts, arguments.pairs, folder)
    config = write_config(folder)
    workers = f"data.workers={arguments.processes}"
    training = run_prepare(config, workers, f"tokenizer.sample_sentences={arguments.sample}")
    model = shutil.copyfile(folder / "prepared" / "source.model", folder / "bench.model")
    given = (f"tokenizer.source_model={model}", f"tokenizer.target_model={model}")
    alone, prepared = [run_sentencepiece(folder, arguments.processes)], []
    for _ in range(arguments.rounds):
        prepared.append(run_prepare(config, workers, *given))
        alone.append(run_sentencepiece(folder, arguments.processes))
    report(arguments.pairs, {"training": [training], "sentencepiece": alone, "prepare": prepared})


def report(pairs: int, runs: dict[str, list[dict[str, float]]]) -> None:
    """Medians of the rounds; speeds in pairs a second."""
    for name, some in runs.items():
        median = {key: statistics.median(run[key] for run in some) for key in some[0]}
        print(
            f"{name:14}{median['wall']:8.1f} s{pairs / median['wall']:12,.0f} pairs/s"
            f"{median['cpu']:9.1f} processor s{median.get('peak_mb', 0):9,.0f} MB at most"
        )
    alone, prepared = runs["sentencepiece"], runs["prepare"]
    shares = {
        kind: [
            (before[kind] + after[kind]) / 2 / run[kind]
            for before, run, after in zip(alone, prepared, alone[1:], strict=False)
        ]
        for kind in ("wall", "cpu")
    }
    print(
        f"prepare runs at {statistics.median(shares['wall']):.0%} of the speed of SentencePiece's "
        f"encode alone ({', '.join(f'{share:.0%}' for share in shares['wall'])}); "
        f"by processor time {statistics.median(shares['cpu']):.0%}"
    )
    print(json.dumps({"pairs": pairs, "shares": shares, "runs": runs}))


if __name__ == "__main__":
    cli.run(main)
