#!/bin/sh
# Run each fuzzer for a bounded time: run.sh BUILD-FOLDER SECONDS FUZZER...
# What it finds stays in the build folder; the corpus is only read.
set -eu

build=$1
seconds=$2
shift 2
for fuzzer in "$@"; do
  name=$(basename "$fuzzer")
  mkdir -p "$build/corpus/$name"
  echo "== $name"
  "$fuzzer" -max_total_time="$seconds" -timeout=5 -print_final_stats=0 \
    -verbosity=0 -artifact_prefix="$build/corpus/$name-" \
    "$build/corpus/$name" "tests/fuzz/corpus/$name"
done
