#!/bin/sh
# Run each fuzzer for a bounded time, one on each processor at once:
# run.sh BUILD-FOLDER SECONDS FUZZER...
# What it finds stays in the build folder; the corpus is only read.
set -eu

build=$1
seconds=$2
shift 2

# What fails is told at the end, whose lines are what is seen first. The time
# that an input may take only finds what hangs: a busy machine is slow.
mkdir -p "$build/corpus"
rm -f "$build/corpus/failed"
# shellcheck disable=SC2016 # the inner shell's own
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
  build=$1 seconds=$2 fuzzer=$3
  name=$(basename "$fuzzer")
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  if "$fuzzer" -max_total_time="$seconds" -timeout=60 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="$corpus-" \
    "$corpus" "tests/fuzz/corpus/$name" >"$corpus.log" 2>&1
  then
    printf "== %s: %s inputs, none fails\n" "$name" \
      "$(sed -n "s/^stat::number_of_executed_units: *//p" "$corpus.log")"
  else
    echo "$name" >>"$build/corpus/failed"
  fi
' sh "$build" "$seconds"

[ -e "$build/corpus/failed" ] || exit 0
while read -r name; do
  grep -vE "^\"|^#" "$build/corpus/$name.log" | tail -n 60
done <"$build/corpus/failed"
echo "fuzz: fails: $(tr '\n' ' ' <"$build/corpus/failed")"
exit 1
