#!/usr/bin/env bash
# Scores translations with BLEU, chrF and TER; installs the program on its first use.
#
#   scripts/evaluate.sh data/models/de-en --source test.de --reference test.en
#   scripts/evaluate.sh --hypotheses out.en --reference test.en --baseline old.en
#
# All options are those of `python -m seq2seq.evaluate`; --help lists them.

set -euo pipefail
unset CDPATH

script=${BASH_SOURCE[0]}
[[ ! -L $script ]] || script=$(readlink -f -- "$script") # a link in ~/bin
root=$(cd -- "$(dirname -- "$script")/.." && pwd -P)

bash "$root/scripts/setup.sh" </dev/null >&2
# -P: a folder of the caller's must not take the place of a Python module. The caller's working
# directory stays, since file arguments are relative to it.
exec "$root/.venv/bin/python" -P -m seq2seq.evaluate "$@"
