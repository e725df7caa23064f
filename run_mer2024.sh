#!/usr/bin/env bash
# The recipe from clips to four submissions. Every step leaves finished work alone, so it can be run again after
# a stop or a change; variables in capitals can be set in the environment.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: bash run_mer2024.sh [--demo] [--corpus REF] [--workdir DIR] [--scale full|small|tiny]

  --demo          make the demo corpus and use it (the default without --corpus)
  --corpus REF    READER:PATH or a CSV, such as mer2024:DIR or my_clips.csv
  --workdir DIR   where caches, corrupted copies and runs go (default: work)
  --scale NAME    size of the demo corpus (default: full)

Environment: AUDIO, VISUAL, TEXT (encoders), TRACKS, MODEL, SEED, NAME (of the runs), SNRS (test levels in dB; empty for none),
CURVE_SPLIT (clean labelled clips that the levels are mixed into), WORKERS, PYTHON
TEXT
}

fail() { printf 'error: %s\n' "$1" >&2; exit 2; }

corpus=""
demo=""
workdir="work"
scale="full"
while [[ $# -gt 0 ]]; do
    case "$1" in
        --demo) demo=yes; shift; continue ;;
        -h | --help) usage; exit 0 ;;
        --corpus | --workdir | --scale) [[ $# -gt 1 ]] || fail "$1 needs a value; --help shows how" ;;
        *) fail "unknown option '$1'; --help shows the known ones" ;;
    esac
    printf -v "${1#--}" '%s' "$2"
    shift 2
done
[[ -z "$demo" || -z "$corpus" ]] || fail "--demo and --corpus exclude each other"

PYTHON="${PYTHON:-python}"
AUDIO="${AUDIO:-prosody}"
VISUAL="${VISUAL:-face-hog}"
TEXT="${TEXT:-char-hash}"
TRACKS="${TRACKS:-multi noise semi ov}"
MODEL="${MODEL:-attention}"
SEED="${SEED:-0}"
NAME="${NAME:-$MODEL-seed$SEED}"
SNRS="${SNRS:--5 0 5 10 20}"
CURVE_SPLIT="${CURVE_SPLIT:-test_multi}"
WORKERS="${WORKERS:-$(nproc 2>/dev/null || sysctl -n hw.ncpu)}"

project="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mkdir -p "$workdir"
caches="$workdir/features"
runs="$workdir/runs"

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

extract() { # extract REF...: every modality of some corpora
    "$PYTHON" -m feature_extraction audio --corpus "$@" --encoder $AUDIO --cache "$caches" --workers "$WORKERS"
    "$PYTHON" -m feature_extraction visual --corpus "$@" --encoder $VISUAL --cache "$caches" --workers "$WORKERS"
    "$PYTHON" -m feature_extraction text --corpus "$@" --encoder $TEXT --cache "$caches" --workers 1
}

has_split() { # has_split NAME: whether the corpus has that split
    "$PYTHON" -c 'import sys; from toolkit.corpus import load_corpus; sys.exit(sys.argv[2] not in load_corpus(sys.argv[1]).splits)' \
        "$corpus" "$1"
}

corrupt() { # corrupt NAME SPLIT LOW HIGH: a corrupted copy of one split
    "$PYTHON" -m toolkit corrupt --corpus "$corpus" --out "$workdir/corrupted/$1" --split "$2" --snr "$3" "$4" \
        --seed "$SEED" --workers "$WORKERS"
}

if [[ -z "$corpus" ]]; then
    step "demo corpus"
    "$PYTHON" -m toolkit demo --out "$workdir/demo" --scale "$scale" --workers "$WORKERS"
    corpus="demo:$workdir/demo"
fi

noise_options=()
copies=()
if [[ " $TRACKS " == *" noise "* ]]; then
    step "corrupted copies for the NOISE track"
    corrupt noisy_train train 5 10
    copies=("$workdir/corrupted/noisy_train/corpus.csv")
    noise_options=(--noisy-train "${copies[0]}")
    if [[ -n "$SNRS" ]] && has_split "$CURVE_SPLIT"; then
        noise_options+=(--noisy-test)
        for snr in $SNRS; do
            corrupt "snr_$snr" "$CURVE_SPLIT" "$snr" "$snr"
            copies+=("$workdir/corrupted/snr_$snr/corpus.csv")
            noise_options+=("${copies[${#copies[@]} - 1]}")
        done
    fi
fi

step "features"
extract "$corpus" ${copies[@]+"${copies[@]}"}

reports=()
for track in $TRACKS; do
    step "track $track"
    options=()
    [[ "$track" == noise ]] && options=("${noise_options[@]}")
    "$PYTHON" "$project/main.py" --track "$track" --corpus "$corpus" --cache "$caches" --features $AUDIO $TEXT $VISUAL \
        --model "$MODEL" --seed "$SEED" --out "$runs" --name "$NAME" ${options[@]+"${options[@]}"}
    run="$runs/$track/$NAME"
    "$PYTHON" -m toolkit submission validate "$run/submission.csv" --track "$track" --corpus "$corpus"
    reports+=("$run")
done

step "done"
"$PYTHON" -m baseline table "${reports[@]}"
