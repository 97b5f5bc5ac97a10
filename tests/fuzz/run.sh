#!/bin/sh
# Run each fuzzer for a bounded time, one on each processor at once:
# run.sh BUILD-FOLDER SECONDS FUZZER...
# What it finds stays in the build folder; the corpus is only read.
set -eu

build=$1
seconds=$2
shift 2

# A fuzzer's output is shown when it ends, so that none is in another's midst.
# shellcheck disable=SC2016 # the inner shell's own
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
  build=$1 seconds=$2 fuzzer=$3
  name=$(basename "$fuzzer")
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  status=0
  "$fuzzer" -max_total_time="$seconds" -timeout=5 -print_final_stats=0 \
    -verbosity=0 -artifact_prefix="$corpus-" \
    "$corpus" "tests/fuzz/corpus/$name" >"$corpus.log" 2>&1 || status=1
  printf "== %s\n%s\n" "$name" "$(cat "$corpus.log")"
  exit $status
' sh "$build" "$seconds"
