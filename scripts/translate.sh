#!/usr/bin/env bash
# Translates the texts given, or the lines of stdin; installs the program on its first use.
#
#   scripts/translate.sh "Guten Morgen."
#   scripts/translate.sh --model runs/demo --beam 8 < in.de > out.en
#
# The model is data/models/de-en, or $SEQ2SEQ_MODEL, or --model. All other options are those
# of `python -m seq2seq.translate`; --help lists them.

set -euo pipefail
unset CDPATH

script=${BASH_SOURCE[0]}
[[ ! -L $script ]] || script=$(readlink -f -- "$script") # a link in ~/bin
root=$(cd -- "$(dirname -- "$script")/.." && pwd -P)

fail() {
    printf 'seq2seq: %s\n' "$1" >&2
    exit 2
}

model=${SEQ2SEQ_MODEL:-$root/data/models/de-en}
help=''
arguments=()
while (($#)); do
    case $1 in
        --model)
            (($# > 1)) || fail "--model needs a run folder or model folder after it"
            model=$2
            shift
            ;;
        --model=*) model=${1#--model=} ;;
        --)
            arguments+=("$@")
            break
            ;;
        -h | --help)
            help=yes
            arguments+=("$1")
            ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
# Before a minute of installing, not after it.
if [[ ! -e $model && $model != *+* && -z $help ]]; then
    fail "there is no model at '$model'; train one (scripts/demo.sh), or name one with --model or SEQ2SEQ_MODEL"
fi

bash "$root/scripts/setup.sh" </dev/null >&2
# JAX built for GPUs says in a page of traceback that there is none (a cluster's login node).
if [[ ! -e /dev/nvidiactl && ! -e /dev/dxg ]] && grep -qsx 'cuda1[23]' "$root/.venv/setup-stamp"; then
    export JAX_PLATFORMS=${JAX_PLATFORMS:-cpu}
fi
# -P: a folder of the caller's must not take the place of a Python module. The caller's working
# directory stays, since file arguments are relative to it.
exec "$root/.venv/bin/python" -P -m seq2seq.translate "$model" ${arguments[@]+"${arguments[@]}"}
