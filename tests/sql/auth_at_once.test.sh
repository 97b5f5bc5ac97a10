#!/bin/sh
# Goal: correlators that note sessions of the same logins at once meet no
# deadlock; and a login that is being written while its host becomes an agent,
# or was, is linked with it whoever commits first. run.sh sets PGDATABASE to a
# database of our own.
set -eu

. tests/sql/checks.sh

psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -f tests/sql/helpers.psql
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SELECT test.tenant();
SELECT test.scan(1, 'a', m, ARRAY[test.exe('/p', d)],
    addresses => '{192.0.2.1}')
  FROM (VALUES (600, 'a'), (700, 'b')) s (m, d);
SELECT test.lateral(1);
SELECT test.auth(1, 'x', 600, 'root', '192.0.2.9', pid => pid, trust => 'file')
  FROM generate_series(1, 3) pid;

-- Sessions that begin on x, of these processes.
CREATE FUNCTION test.sessions(p_pids bigint[]) RETURNS void LANGUAGE sql AS $$
  SELECT FROM (
    SELECT array_agg(NULL::text) AS none, array_agg(NULL::integer) AS no_number,
      array_agg('x'::text) AS host, array_agg('file'::text) AS trust,
      array_agg('session_opened'::text) AS outcome, array_agg(1) AS one,
      array_agg('root'::text) AS auth_user, array_agg(true) AS yes,
      array_agg(test.at(600)) AS at, array_agg(false) AS no
    FROM unnest(p_pids)) l,
    process_dna.auth_ingest(1, l.no_number, l.host, l.none, l.trust, l.outcome,
      l.one, l.none, l.auth_user, l.yes, l.none, l.none, l.no_number, l.none,
      l.none, l.none, l.none, l.none, p_pids, l.at, l.yes, l.at, l.no,
      '{}', '{}', '{}', '{}', '{}', '{}', '{}')
$$;
SQL

# session NAME: a session that does what is written to its pipe
session() {
  mkfifo "$dir/$1"
  PGAPPNAME=$1 psql -X -q -v ON_ERROR_STOP=1 -o /dev/null \
    <"$dir/$1" >"$dir/$1.out" 2>&1 3>&- &
  eval "pid_$1=$!"
}
# until_idle NAME: it has done what it was told, and has its transaction open
until_idle() {
  until_true "SELECT count(*) = 1 FROM pg_stat_activity
    WHERE application_name = '$1' AND state = 'idle in transaction'"
}

# Somebody holds the login in the middle while two come from both sides.
session holder
exec 3>"$dir/holder"
echo "BEGIN; SELECT FROM process_dna.auth_events
  WHERE log_host = 'x' AND pid = 2 FOR UPDATE;" >&3
until_idle holder
session forwards
echo "SELECT test.sessions('{1,2,3}')" >"$dir/forwards"
until_waits forwards
session backwards
echo "SELECT test.sessions('{3,2,1}')" >"$dir/backwards"
until_waits backwards
echo 'COMMIT;' >&3
exec 3>&-
ended holder
ended forwards
ended backwards
check 'all sessions are noted' 3 "SELECT count(*) FROM process_dna.auth_events
  WHERE log_host = 'x' AND session_at IS NOT NULL"

# The host becomes an agent, which is looked at before the login is there.
session writer
exec 3>"$dir/writer"
echo "BEGIN; SELECT test.auth(1, 'b', 701, 'root', '192.0.2.1');" >&3
until_idle writer
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -c "SELECT test.scan(1, 'b', 700,
  ARRAY[test.exe('/p', 'a')], addresses => '{192.0.2.2}')"
session worker
echo 'SELECT test.lateral(1)' >"$dir/worker"
until_waits worker
echo 'COMMIT;' >&3
exec 3>&-
ended writer
ended worker
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -c 'SELECT test.lateral(1)'
check 'a login in flight is linked with the new agent' \
  '{"a b /p b critical open 1 root b"}' 'SELECT test.movements(1)'
end_checks
