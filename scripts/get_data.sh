#!/usr/bin/env bash
# Fetches a public German-English corpus into FOLDER, in the form that its config expects. Needs
# Python 3.11 or newer and nothing else. The same command goes on where the last one stopped.
#
#   scripts/get_data.sh multi30k corpora     also: tatoeba, iwslt14, wmt17
#   scripts/get_data.sh wmt17 corpora --mirror https://mirror.example/wmt17
#
# --mirror names another home of the archives, or a folder in which they lie; --unverified takes
# archives that are not those we know; --help tells of both.

set -euo pipefail # and nothing newer than bash 3.2, which macOS has
unset CDPATH PYTHONHOME

script=${BASH_SOURCE[0]}
root=$(cd -- "${script%/*}/.." && pwd -P)
for python in ${PYTHON:+"$PYTHON"} "$root/.venv/bin/python" python3.13 python3.12 python3.11 python3 python; do
    # A version manager's shims exist and fail.
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null; then
        PYTHONPATH=$root exec "$python" "$root/scripts/get_data.py" "$@"
    fi
done
printf 'seq2seq: no Python 3.11 or newer is there; install it, or name one, as in PYTHON=/path/to/python3\n' >&2
exit 2
