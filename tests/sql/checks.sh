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

# in_background NAME SQL: a session of that name
in_background() {
  PGAPPNAME=$1 psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -c "$2" \
    >"$dir/$1.out" 2>&1 &
  eval "pid_$1=$!"
}

# until_true QUERY: gives up after half a minute
until_true() {
  tries=0
  until [ "$(psql -X -q -A -t -c "$1")" = t ]; do
    tries=$((tries + 1))
    if [ $tries = 600 ]; then
      number=$((number + 1))
      echo "not ok $number - in vain: $1"
      failed=1
      end_checks
    fi
    sleep 0.05
  done
}

# until_waits NAME: that session waits for a lock, or has ended
until_waits() {
  eval "pid=\$pid_$1"
  # shellcheck disable=SC2154 # eval assigns it
  until [ "$(psql -X -q -A -t -c "SELECT count(*) FROM pg_stat_activity
      WHERE application_name = '$1' AND wait_event_type = 'Lock'")" = 1 ] ||
    ! kill -0 "$pid" 2>/dev/null; do
    sleep 0.05
  done
}

# ended NAME: that session went well, and said nothing
ended() {
  number=$((number + 1))
  eval "pid=\$pid_$1"
  if wait "$pid" && [ ! -s "$dir/$1.out" ]; then
    echo "ok $number - session $1 meets no error and no deadlock"
  else
    echo "not ok $number - session $1: $(head -n 3 "$dir/$1.out")"
    failed=1
  fi
}

# Call PROCEDURE('a') and PROCEDURE('b') at once; neither may fail.
call_at_once() {
  in_background a "CALL $1('a')"
  in_background b "CALL $1('b')"
  ended a
  ended b
}

# To be called last.
end_checks() {
  echo "1..$number"
  exit $failed
}
