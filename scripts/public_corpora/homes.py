"""The public homes of the corpora, with what is known of their archives. Does nothing.

A length or checksum stands here only where somebody published it; each names its source. None of
the archives could be fetched where this was written.
"""

from typing import NamedTuple


class Archive(NamedTuple):
    """A file to fetch."""

    address: str
    size: int = 0  # bytes; 0: not known
    checksum: str = ""  # "sha256:..." or "md5:..."; "": not known

    @property
    def name(self) -> str:
        """The last part of the address, which is its name on a mirror too."""
        return self.address.rsplit("/", 1)[-1]


class Corpus(NamedTuple):
    """What is fetched, what becomes of it, and what is said of it."""

    archives: tuple[Archive, ...]
    stems: tuple[str, ...]  # the files that are made, without .de and .en
    suffix: str  # what follows the language: "" or ".xz"
    text_bytes: int  # about, of all the files that are made
    licence: str
    elsewhere: str  # what to do when the home is gone

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are made, both languages of a text side by side."""
        return tuple(f"{stem}.{side}{self.suffix}" for stem in self.stems for side in ("de", "en"))


# A commit, not a branch: what it holds never changes.
_MULTI30K = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/"
)
_CHECKSUMS = {
    # SHA-256 of this very commit's files, as a public data module pins them (Multi30kDeEn in the
    # emperor package); the MD5 sums are those of torchtext 0.9 for the branch (pytorch/text,
    # experimental/datasets/raw/multi30k.py), whose files of 2017 never changed.
    "train.de.gz": "sha256:726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "sha256:d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "val.de.gz": "sha256:f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "sha256:14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "test_2016_flickr.de.gz": (
        "sha256:9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"
    ),
    "test_2016_flickr.en.gz": (
        "sha256:611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"
    ),
    "test_2017_flickr.de.gz": "md5:6a8d5c87f6ae19e3d35681aa6fd16571",
    "test_2017_flickr.en.gz": "md5:005396bac545d880abe6f00bbb7dbbb4",
}

CORPORA = {
    "multi30k": Corpus(
        archives=tuple(
            Archive(_MULTI30K + name, checksum=checksum) for name, checksum in _CHECKSUMS.items()
        ),
        stems=("train", "val", "test_2016_flickr", "test_2017_flickr"),
        suffix=".xz",
        text_bytes=2_000_000,
        licence="CC BY-NC-SA 4.0: not for commercial use",
        elsewhere="the files are data/task1/raw of https://github.com/multi30k/dataset",
    ),
    "tatoeba": Corpus(
        # The release is dated, so its content stays; no checksum of it was found.
        archives=(
            Archive("https://object.pouta.csc.fi/OPUS-Tatoeba/v2023-04-12/moses/de-en.txt.zip"),
        ),
        stems=("train", "valid", "test"),
        suffix="",
        text_bytes=40_000_000,
        licence="CC BY 2.0 FR, tatoeba.org, by way of OPUS (opus.nlpl.eu)",
        elsewhere="https://opus.nlpl.eu lists the releases of Tatoeba: de-en, in moses format",
    ),
    "iwslt14": Corpus(
        # The organisers' own address (wit3.fbk.eu) has answered 404 since 2020; this is the copy
        # that fairseq's prepare-iwslt14.sh and JoeyNMT take. Size: the wget log of the original in
        # fairseq's issue 1493. MD5: one public wrapper around fairseq's script pins it.
        archives=(
            Archive(
                "https://dl.fbaipublicfiles.com/fairseq/data/iwslt14/de-en.tgz",
                19_982_877,
                "md5:10936dfdf616504ddbd844e91b94ef4a",
            ),
        ),
        stems=("train", "valid", "test"),
        suffix="",
        text_bytes=37_000_000,
        licence="CC BY-NC-ND 4.0, TED talks by way of WIT3",
        elsewhere="its organisers offer the release 2014-01 on Google Drive, linked from "
        "https://wit3.fbk.eu/2014-01; in it is texts/de/en/de-en.tgz",
    ),
    "wmt17": Corpus(
        # Sizes and SHA-256: TensorFlow Datasets, url_checksums/wmt17_translate.txt, for these
        # files. The development sets of 2019 contain those of all earlier years.
        archives=(
            Archive(
                "https://www.statmt.org/wmt13/training-parallel-europarl-v7.tgz",
                657_632_379,
                "sha256:0224c7c710c8a063dfd893b0cc0830202d61f4c75c17eb8e31836103d27d96e7",
            ),
            Archive(
                "https://www.statmt.org/wmt13/training-parallel-commoncrawl.tgz",
                918_311_367,
                "sha256:c7a74e2ea01ac6c920123108627e35278d4ccb5701e15428ffa34de86fa3a9e5",
            ),
            Archive(
                "https://data.statmt.org/wmt17/translation-task/training-parallel-nc-v12.tgz",
                168_591_139,
                "sha256:2b45f30ef1d550d302fd17dd3a5cbe19134ccc4c2cf50c2dae534aee600101a2",
            ),
            Archive(
                "https://data.statmt.org/wmt18/translation-task/rapid2016.tgz",
                161_050_516,
                "sha256:41557dd5d8f0ed3a6d98bce3b798b1a9d3b68361eb99d902329ddbb943a6b55a",
            ),
            Archive(
                "https://data.statmt.org/wmt19/translation-task/dev.tgz",
                38_654_961,
                "sha256:7a7deccf82ebb05ba508dba5eb21356492224e8f630ec4f992132b029b4b25e7",
            ),
        ),
        stems=(
            *("europarl-v7", "commoncrawl", "news-commentary-v12", "rapid2016"),
            *("newstest2016", "newstest2017"),
        ),
        suffix="",
        text_bytes=1_800_000_000,
        licence="for research, as WMT publishes it",
        elsewhere="https://www.statmt.org/wmt17/translation-task.html links the archives",
    ),
}
