"""Every setting of the program with its one default: frozen dataclasses, one per section.

A config file is TOML with these section and field names (`seq2seq.configfile` reads it);
`--set section.field=value` overrides a single field in every stage. Knows no files and no JAX.
"""

from dataclasses import dataclass, field
from typing import Literal

from seq2seq.errors import UserError


class ConfigError(UserError):
    """A setting that does not exist, has the wrong type, or contradicts another one."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


def _require_seed(name: str, seed: int) -> None:
    _require(0 <= seed < 2**31, f"{name}={seed} must be from 0 to {2**31 - 1}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """Parallel text: `source` and `target` files line by line, or one tab-separated `pairs` file.

    Files may be plain, .gz or .xz.
    """

    source: str = ""
    target: str = ""
    pairs: str = ""  # a TSV file: first column source, second target, further ones ignored
    weight: float = 1.0  # 2.0: every pair twice an epoch; 0.5: a random half, drawn once

    def __post_init__(self) -> None:
        _require(
            bool(self.pairs) != bool(self.source and self.target),
            "a corpus has either source and target, or pairs (a TSV file); "
            f"given were source={self.source!r}, target={self.target!r}, pairs={self.pairs!r}",
        )
        _require(
            0 < self.weight <= 1000, f"corpus weight={self.weight} must be above 0 and at most 1000"
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of this corpus, as written in the config."""
        return (self.pairs,) if self.pairs else (self.source, self.target)


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """Where the text comes from, and which pairs are kept."""

    root: str = ""  # goes before the relative paths of corpora
    prepared: str = ""  # the folder that prepare writes and train reads
    source_language: str = "de"
    target_language: str = "en"
    train: tuple[Corpus, ...] = ()
    valid: tuple[Corpus, ...] = ()
    test: tuple[Corpus, ...] = ()  # read by the doctor alone, to find test lines in train
    doctor: Literal["refuse", "warn", "off"] = "refuse"  # what happens when it finds a fault
    min_length: int = 1  # in pieces, each side
    max_length: int = 150  # in pieces, each side, without end of sentence
    max_length_ratio: float = 4.0  # of (pieces + 10) of either side to the other
    drop_identical: bool = True  # pairs whose two sides are the same text
    drop_duplicates: bool = False  # pairs seen before, remembered by 8-byte hash
    duplicate_memory_mib: int = 512  # beyond it the oldest half of the hashes is forgotten
    shard_pairs: int = 1_000_000
    workers: int = 0  # processes that prepare the text; 0: one per core
    seed: int = 1

    def __post_init__(self) -> None:
        _require(
            1 <= self.min_length <= self.max_length,
            f"data.min_length={self.min_length} must be from 1 to "
            f"data.max_length={self.max_length}",
        )
        _require(
            self.max_length <= 2_000, f"data.max_length={self.max_length} must be at most 2000"
        )
        _require(
            self.max_length_ratio >= 1,
            f"data.max_length_ratio={self.max_length_ratio} must be at least 1",
        )
        _require(
            self.duplicate_memory_mib >= 1,
            f"data.duplicate_memory_mib={self.duplicate_memory_mib} must be at least 1",
        )
        _require(self.shard_pairs >= 1, f"data.shard_pairs={self.shard_pairs} must be at least 1")
        _require(self.workers >= 0, f"data.workers={self.workers} must not be negative")
        _require_seed("data.seed", self.seed)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerConfig:
    """The subword model: trained by prepare, or given."""

    kind: Literal["unigram", "bpe"] = "unigram"
    joint: bool = True  # one model for both languages
    vocabulary: int = 8_000  # pieces, the four specials and 256 bytes included
    symbols: tuple[str, ...] = ()  # strings that always are one piece
    sample_sentences: int = 1_000_000  # lines a side that the training sees at most
    character_coverage: float = 0.9998  # the rest is spelled in bytes, never <unk>
    source_model: str = ""  # an existing SentencePiece model, instead of training one
    target_model: str = ""

    def __post_init__(self) -> None:
        _require(
            300 <= self.vocabulary <= 1_000_000,
            f"tokenizer.vocabulary={self.vocabulary} must be from 300 "
            "(256 bytes, the specials and some letters) to 1000000",
        )
        _require(
            self.sample_sentences >= 1,
            f"tokenizer.sample_sentences={self.sample_sentences} must be at least 1",
        )
        _require(
            0.9 <= self.character_coverage <= 1,
            f"tokenizer.character_coverage={self.character_coverage} must be from 0.9 to 1",
        )
        _require(
            bool(self.source_model) == bool(self.target_model),
            "tokenizer.source_model and tokenizer.target_model are given together or not at all "
            "(a joint model: the same file twice)",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The network: an LSTM encoder-decoder with attention in the GNMT-v2 shape."""

    embedding: int = 512
    tie: Literal["none", "decoder", "all"] = "all"  # decoder: target = output; all: source too
    encoder_layers: int = 2
    encoder_units: int = 256  # per direction
    bidirectional: Literal["all", "first"] = "all"
    decoder_layers: int = 2
    decoder_units: int = 512
    readout_units: int = 0  # width of what the softmax reads; 0: that of the embeddings
    residual: bool = True  # around every layer but the first of a stack, where the widths agree
    layer_norm: bool = False
    attention: Literal["dot", "general", "additive"] = "general"
    attention_heads: int = 1
    recurrence: Literal["auto", "scan", "inplace"] = "auto"  # the loop; all compute the same
    context: Literal["layers", "readout"] = "layers"  # what attention feeds beside the readout
    begin: Literal["summary", "zeros"] = "summary"  # the decoder's first states: from the source
    input_feeding: bool = False  # the classical decoder: slow, kept for comparison
    dropout_embedding: float = 0.2
    dropout_layers: float = 0.2
    dropout_attention: float = 0.0
    dropout_output: float = 0.2
    variational_dropout: bool = False  # one mask for all positions of a sentence

    def __post_init__(self) -> None:
        for name in (
            *("embedding", "encoder_layers", "encoder_units"),
            *("decoder_layers", "decoder_units", "attention_heads"),
        ):
            _require(
                getattr(self, name) >= 1, f"model.{name}={getattr(self, name)} must be at least 1"
            )
        for name in (
            "dropout_embedding",
            "dropout_layers",
            "dropout_attention",
            "dropout_output",
        ):
            rate = getattr(self, name)
            _require(0 <= rate < 1, f"model.{name}={rate} must be from 0 to below 1")
        _require(
            self.readout_units >= 0,
            f"model.readout_units={self.readout_units} must not be negative",
        )
        _require(
            self.tie == "none" or self.readout == self.embedding,
            f"model.readout_units={self.readout_units} needs model.tie='none', since a softmax "
            f"tied to the embeddings is as wide as they are: {self.embedding}",
        )
        _require(
            self.decoder_units % self.attention_heads == 0,
            f"model.decoder_units={self.decoder_units} must be divisible by "
            f"model.attention_heads={self.attention_heads}",
        )
        _require(
            self.attention != "dot" or self.decoder_units == self.memory_units,
            f"model.attention='dot' needs model.decoder_units={self.decoder_units} to equal the "
            f"encoder's width {self.memory_units}; take 'general', or change one of them",
        )

    @property
    def readout(self) -> int:
        """Width of what the softmax reads."""
        return self.readout_units or self.embedding

    @property
    def memory_units(self) -> int:
        """Width of the encoder's output."""
        last_is_bidirectional = self.bidirectional == "all" or self.encoder_layers == 1
        return self.encoder_units * (2 if last_is_bidirectional else 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """Optimisation, validation, stopping and the safety of the work."""

    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"  # of products; weights stay float32
    # Target positions of an update, over all devices; auto: as many as fit, found once a run.
    rematerialise: Literal["none", "layers", "time"] = "none"  # computed twice, to save memory
    batch_tokens: int | Literal["auto"] = 4_096
    accumulate: int = 1  # an update's batch in so many pieces, one after the other
    shapes: int = 16  # (source width, target width) pairs that batches come in, at most
    reduce: Literal["float32", "bfloat16"] = "float32"  # in which gradients travel between devices
    shard_optimizer: bool = False  # each device keeps and updates its part: less memory a device

    max_epochs: int = 100
    max_steps: int = 0  # 0: no limit, here and below
    max_minutes: float = 0.0  # of training in this process: saves and leaves with status 75

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    rate: float = 1e-3  # the peak, at the end of the warm-up
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0  # adamw
    clip_norm: float = 1.0  # of the whole gradient; 0: off
    label_smoothing: float = 0.1
    ema: float = 0.0  # decay of the moving average of the weights that is validated; 0: off

    schedule: Literal["constant", "inverse_sqrt", "cosine", "linear"] = "inverse_sqrt"
    warmup_steps: int = 400
    hold_steps: int = 0  # linear and cosine: at the peak until here, then down
    decay_steps: int = 20_000  # linear and cosine: the step at which the floor is reached
    rate_floor: float = 0.01  # linear and cosine: share of the peak that remains
    plateau_patience: int = 0  # validations without gain before the rate is halved; 0: never

    validate_every_steps: int = 0  # beside the end of every epoch
    validate_sentences: int = 500  # of the validation set, translated for BLEU and chrF
    stop_metric: Literal["bleu", "chrf", "loss", "perplexity"] = "bleu"
    patience: int = 8  # validations without gain before training ends; 0: never
    min_gain: float = 0.0  # a smaller improvement counts as none

    checkpoint_every_minutes: float = 20.0  # beside every epoch; 0: only there
    checkpoint_every_steps: int = 0
    keep_checkpoints: int = 2  # the latest; the best is kept beside them
    average_best: int = 4  # models whose weights are averaged at the end; 1: off
    max_bad_steps: int = 10  # non-finite gradients in a row before rolling back
    watchdog_minutes: float = 30.0  # without a step: dump all stacks and leave; 0: never
    log_every_steps: int = 20
    tensorboard: bool = False
    profile_steps: int = 0  # updates that are traced into the run folder, once; 0: none
    deterministic: bool = False  # bit-exact on a GPU too
    measure_lengths: bool = False  # translate.min_ and max_length_ratio from the training pairs

    coordinator: str = ""  # host:port of process 0, where the cluster is not detected by itself
    processes: int = 0
    process: int = -1

    def __post_init__(self) -> None:
        _require(
            self.batch_tokens == "auto" or self.batch_tokens >= 1,
            f"train.batch_tokens={self.batch_tokens} must be at least 1",
        )
        for name in ("accumulate", "shapes", "max_epochs", "log_every_steps"):
            _require(
                getattr(self, name) >= 1, f"train.{name}={getattr(self, name)} must be at least 1"
            )
        for name in ("keep_checkpoints", "average_best", "max_bad_steps"):
            _require(
                getattr(self, name) >= 1, f"train.{name}={getattr(self, name)} must be at least 1"
            )
        for name in (
            *("max_steps", "max_minutes", "weight_decay", "clip_norm", "warmup_steps"),
            *("hold_steps", "plateau_patience", "validate_every_steps", "validate_sentences"),
            *("patience", "min_gain", "checkpoint_every_minutes", "checkpoint_every_steps"),
            *("watchdog_minutes", "profile_steps"),
        ):
            _require(
                getattr(self, name) >= 0,
                f"train.{name}={getattr(self, name)} must not be negative",
            )
        for name in ("label_smoothing", "ema", "beta1", "beta2"):
            _require(
                0 <= getattr(self, name) < 1,
                f"train.{name}={getattr(self, name)} must be from 0 to below 1",
            )
        _require_seed("train.seed", self.seed)
        _require(self.rate > 0, f"train.rate={self.rate} must be above 0")
        _require(
            self.schedule not in ("linear", "cosine")
            or max(self.warmup_steps, self.hold_steps) < self.decay_steps,
            f"train.decay_steps={self.decay_steps} must lie after train.warmup_steps="
            f"{self.warmup_steps} and train.hold_steps={self.hold_steps}",
        )
        _require(
            self.validate_sentences > 0 or self.stop_metric in ("loss", "perplexity"),
            f"train.stop_metric={self.stop_metric!r} needs train.validate_sentences above 0",
        )
        given = (bool(self.coordinator), self.processes > 0, self.process >= 0)
        _require(
            len(set(given)) == 1 and self.process < max(self.processes, 1),
            "train.coordinator, train.processes and train.process are given together, with process "
            f"below processes; given were {self.coordinator!r}, {self.processes}, {self.process}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TranslateConfig:
    """The search, its guards, and how text is read and written."""

    beam: int = 5
    nbest: int = 1
    length_penalty: float = 1.0  # exponent of the length that a score is divided by; 0: off
    coverage_penalty: float = 0.0  # weight of source pieces that got little attention
    prune: float = 4.0  # nats that a hypothesis may be behind the best of its length; 0: any
    # A hypothesis is given up that would not win were its next words certain, so many of them.
    patience: int = 3  # 0: up to the limit of length
    max_length_ratio: float = 2.0  # target pieces allowed: ratio x source pieces + 10
    min_length_ratio: float = 0.0  # target pieces required: ratio x source pieces, rounded down
    block_ngrams: int = 0  # forbid repeating n-grams of this size; 0: only against found loops
    # Addresses, numbers and tags come through as they are, or numbers as the target writes them.
    keep: Literal["convert", "verbatim", "off"] = "convert"
    diversity: float = 0.0  # what a hypothesis pays for each better sibling; 0: off
    sampling: bool = False  # nbest samples instead of the best of a beam
    temperature: float = 1.0  # of the samples: below 1 nearer to the likeliest words
    top_k: int = 0  # samples come from so many likeliest words; 0: from all
    top_p: float = 1.0  # and from the likeliest words that together have this probability
    seed: int = 1  # of the samples; equal lines have equal samples
    # int8, on a CPU: of weights, and of what is multiplied with them; the rest is float32.
    precision: Literal["float32", "bfloat16", "int8"] = "float32"
    shortlist: bool = False  # choose from the words that a source may become: make_shortlist.py
    chunk: int = 1_024  # lines held in memory at a time, sorted by length
    input_format: Literal["text", "json"] = "text"  # json: an object a line, with its own wishes
    format: Literal["text", "json", "explain"] = "text"  # explain: for people
    document: bool = False  # paragraphs of wrapped lines and many sentences, not a sentence a line
    cache: str = ""  # compiled code; "": seq2seq in the user's cache folder, "off": none

    def __post_init__(self) -> None:
        _require(
            self.sampling or 1 <= self.nbest <= self.beam,
            f"translate.nbest={self.nbest} must be from 1 to translate.beam={self.beam}",
        )
        _require(self.beam <= 256, f"translate.beam={self.beam} must be at most 256")
        _require(1 <= self.nbest <= 256, f"translate.nbest={self.nbest} must be from 1 to 256")
        not_negative = "length_penalty", "coverage_penalty", "prune", "patience", "block_ngrams"
        for name in (*not_negative, "diversity", "top_k"):
            _require(
                getattr(self, name) >= 0,
                f"translate.{name}={getattr(self, name)} must not be negative",
            )
        _require(
            0.1 <= self.max_length_ratio <= 20,
            f"translate.max_length_ratio={self.max_length_ratio} must be from 0.1 to 20",
        )
        _require(
            0 <= self.min_length_ratio <= self.max_length_ratio,
            f"translate.min_length_ratio={self.min_length_ratio} must be from 0 to "
            f"translate.max_length_ratio={self.max_length_ratio}",
        )
        _require(
            0.01 <= self.temperature <= 100,
            f"translate.temperature={self.temperature} must be from 0.01 to 100",
        )
        _require(0 < self.top_p <= 1, f"translate.top_p={self.top_p} must be above 0, at most 1")
        _require_seed("translate.seed", self.seed)
        _require(self.chunk >= 1, f"translate.chunk={self.chunk} must be at least 1")

    @property
    def hypotheses(self) -> int:
        """How many are searched for a sentence at a time."""
        return self.nbest if self.sampling else self.beam


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateConfig:
    """Metrics, their confidence, and what the report shows."""

    metrics: tuple[Literal["bleu", "chrf", "ter"], ...] = ("bleu", "chrf", "ter")
    lowercase: bool = False
    tokenize: Literal["13a", "intl", "char", "none"] = "13a"  # of BLEU
    resamples: int = 1_000  # of the bootstrap and of the paired test
    confidence: float = 0.95
    seed: int = 12_345
    examples: int = 5  # sentences shown that gained, and that lost, most
    format: Literal["text", "json"] = "text"

    def __post_init__(self) -> None:
        _require(bool(self.metrics), "evaluate.metrics must name at least one of bleu, chrf, ter")
        _require(
            0 <= self.resamples <= 1_000_000,
            f"evaluate.resamples={self.resamples} must be from 0 to 1000000",
        )
        _require(
            0.5 <= self.confidence < 1,
            f"evaluate.confidence={self.confidence} must be from 0.5 to below 1",
        )
        _require_seed("evaluate.seed", self.seed)
        _require(self.examples >= 0, f"evaluate.examples={self.examples} must not be negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """All sections. Frozen: what a run decided is written down, never changed in place."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    translate: TranslateConfig = field(default_factory=TranslateConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
