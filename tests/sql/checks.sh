# shellcheck shell=sh
# Sourced by tests that need several sessions at once. $dir is a folder that goes
# with the test.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed=0
number=0

# check WHAT EXPECTED QUERY
check() {
  number=$((number + 1))
  found=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$3")
  if [ "$found" = "$2" ]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1: expected $2, found $found"
    failed=1
  fi
}

# Call PROCEDURE('a') and PROCEDURE('b') at once; neither may fail.
call_at_once() {
  for session in a b; do
    psql -X -q -v ON_ERROR_STOP=1 -c "CALL $1('$session')" \
      >"$dir/$session" 2>&1 &
    eval "pid_$session=$!"
  done
  for session in a b; do
    number=$((number + 1))
    eval "pid=\$pid_$session"
    # shellcheck disable=SC2154 # eval assigns it
    if wait "$pid"; then
      echo "ok $number - session $session meets no error and no deadlock"
    else
      echo "not ok $number - session $session: $(head -n 3 "$dir/$session")"
      failed=1
    fi
  done
}

# To be called last.
end_checks() {
  echo "1..$number"
  exit $failed
}
