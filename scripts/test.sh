#!/usr/bin/env bash
# Everything that must hold before a commit, from a bare checkout: installs the tools, then
# format, lint, types, tests and slow tests, up to the first that fails.
#
#   scripts/test.sh                      arguments go to pytest, as in
#   scripts/test.sh -k search -x

set -euo pipefail
unset CDPATH PYTHONPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

bash scripts/setup.sh dev plot

step() {
    printf '== %s (%d s)\n' "$*" "$SECONDS"
    "$@"
}

no_tests_collected=5

tests() {
    local status=0
    # Several at once, a module each: much of a test is compiling, which waits for itself.
    step python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
        --durations 10 -m "$@" || status=$?
    if ((status == no_tests_collected)); then
        ((empty += 1))
    elif ((status)); then
        exit "$status"
    fi
}

PATH=$PWD/.venv/bin:$PATH
step ruff format --check .
step ruff check .
step basedpyright --pythonpath .venv/bin/python
empty=0
tests "not slow" "$@"
tests slow "$@"
if ((empty == 2)); then
    printf '== no test was run\n'
    exit "$no_tests_collected"
fi
printf '== all passed (%d s)\n' "$SECONDS"
