#!/usr/bin/env bash
# From nothing to a translator in minutes, on a corpus that this project has made: generates it,
# prepares it, trains, evaluates, translates, and draws two pictures.
#
#   scripts/demo.sh                      everything goes to runs/demo
#   scripts/demo.sh FOLDER [--set ...]   settings for prepare and train may follow
#
# Stopped (Ctrl-C), the same command goes on where it was.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

case ${1:-} in
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' scripts/demo.sh && exit ;;
    -*) printf 'seq2seq: the folder comes first, as in scripts/demo.sh runs/demo %s\n' "$1" >&2 && exit 2 ;;
esac
folder=${1:-runs/demo}
(($#)) && shift
run=$folder/run
corpus=$folder/data/demo # where configs/demo.toml looks for it
began=$SECONDS

bash scripts/setup.sh plot </dev/null
PATH=$PWD/.venv/bin:$PATH

# As one would type it.
quoted() {
    local word
    for word in "$@"; do
        if [[ $word == *[!A-Za-z0-9_./=:-]* ]]; then printf " '%s'" "$word"; else printf ' %s' "$word"; fi
    done
}

# What to expect, the command, and how long it took.
step() {
    local expected=$1 start=$SECONDS shown
    shift
    shown=$(quoted "$@")
    printf '\n# expect: %s\n$%s\n' "$expected" "$shown" >&2
    "$@"
    printf '# took %d s\n' $((SECONDS - start)) >&2
}

mkdir -p "$folder"
step 'about 10 s; 20,000 pairs, the same as in data/demo' \
    python scripts/make_demo_corpus.py "$corpus" --xz
settings=(--set data.root="$folder" --set data.prepared="$folder/prepared" "$@")
step 'about 5 s' \
    python -m seq2seq.prepare configs/demo.toml "${settings[@]}"
step 'about 8 min on two cores; validation BLEU above 90 at the end' \
    python -m seq2seq.train configs/demo.toml "$run" "${settings[@]}"
step 'about 10 s; BLEU above 90 on combinations of words that training has not seen' \
    python -m seq2seq.evaluate "$run" \
    --source "$corpus/unseen.de.xz" --reference "$corpus/unseen.en.xz"
step 'about 3 s' \
    python -m seq2seq.translate "$run" \
    'Die Ärztin hat gestern einen alten Brief gefunden.' \
    'Wenn wir genug Zeit haben, werden wir morgen das Museum besuchen.' \
    'Das Buch, das meine Tante gelesen hat, ist sehr interessant.' \
    'Nachdem Anna den Brief gelesen hatte, rief sie ihren Bruder an.' \
    'Der Zug nach Köln fährt um 8.15 Uhr von Gleis 4 ab.'
step 'about 3 s; the learning curve' \
    python scripts/plot.py curve "$run" "$folder/curve.png"
step 'about 3 s; what the translation of a sentence attended to' \
    python scripts/plot.py attention "$run" 'Mein Onkel ruft heute Abend den Arzt an.' \
    "$folder/attention.png"
printf '\n# all done in %d s; translate with\n' $((SECONDS - began)) >&2
printf 'scripts/translate.sh --model %q "Die Katze schläft auf dem Sofa."\n' "$run" >&2
