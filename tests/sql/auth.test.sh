#!/bin/sh
# Goal: correlators that follow the same files, and take lines in while days'
# partitions come and go, neither lose nor double a line, nor meet a deadlock;
# and nobody waits for long where a report reads on. run.sh sets PGDATABASE to a
# database of our own.
set -eu

. tests/sql/checks.sh

psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
CREATE SCHEMA auth;
SELECT process_dna.configure_tenant('t', 180, 3600, 0, 'critical', '{}');
CREATE TABLE auth.went_back (session text, before bigint, after bigint);
CREATE TABLE auth.refused (session text, files bigint);
CREATE TABLE auth.ready (session text);

-- Takes in runs of up to three lines of files of a hundred lines, each of a user
-- of its own; they arrive on different days. Gives how many files were refused.
CREATE FUNCTION auth.lines(p_paths text[], p_positions bigint[],
                           p_versions bigint[])
RETURNS bigint LANGUAGE sql AS $$
  WITH l AS (
    SELECT array_agg(f.n::integer) AS file, array_agg('host'::text) AS host,
      array_agg(NULL::text) AS none, array_agg('file'::text) AS trust,
      array_agg('accepted'::text) AS outcome, array_agg(1) AS one,
      array_agg(f.path || ' ' || i) AS auth_user, array_agg(true) AS yes,
      array_agg(i) AS pid, array_agg(false) AS no,
      array_agg(now() + (i % 20) * interval '1 day') AS at
    FROM unnest(p_paths, p_positions) WITH ORDINALITY f (path, position, n),
      generate_series(f.position + 1, least(f.position + 3, 100)) i
  )
  SELECT count(*) FILTER (WHERE NOT i.taken)
  FROM l, process_dna.auth_ingest(1, l.file, l.host, l.none, l.trust, l.outcome,
    l.one, l.none, l.auth_user, l.yes, l.none, l.none, l.one, l.none, l.none,
    l.none, l.none, l.none, l.pid, l.at, l.yes, l.at, l.no,
    array_fill('central'::text, ARRAY[cardinality(p_paths)]), p_paths,
    p_positions, p_positions,
    array_fill(''::text, ARRAY[cardinality(p_paths)]),
    ARRAY(SELECT least(p + 3, 100) FROM unnest(p_positions) p), p_versions) i
$$;

-- Follows 20 files from the first line to the last, ten at a time. Both sessions
-- know the same of the first ten before they begin.
CREATE PROCEDURE auth.follow(p_session text) LANGUAGE plpgsql AS $$
DECLARE
  v_file record;
  v_round integer := 0;
BEGIN
  LOOP
    v_round := v_round + 1;
    SELECT array_agg(u.path) AS paths, array_agg(u.position) AS positions,
           array_agg(u.version) AS versions INTO v_file
      FROM (SELECT '/log/' || i AS path, coalesce(p.position, 0) AS position,
              coalesce(p.version, 0) AS version
            FROM generate_series(1, 20) i
            LEFT JOIN process_dna.auth_positions p
              ON p.path = '/log/' || i
            WHERE coalesce(p.position, 0) < 100
              AND (i + v_round) % 2 = CASE WHEN p.position >= 97 THEN
                (i + v_round) % 2 ELSE 0 END
            ORDER BY i * CASE p_session WHEN 'a' THEN 1 ELSE -1 END) u;
    COMMIT;
    EXIT WHEN v_file.paths IS NULL
      AND (SELECT count(*) = 20 FROM process_dna.auth_positions
           WHERE position = 100);
    CONTINUE WHEN v_file.paths IS NULL;
    IF v_round = 1 THEN
      INSERT INTO auth.ready VALUES (p_session);
      COMMIT;
      FOR v_try IN 1 .. 10000 LOOP
        EXIT WHEN (SELECT count(*) = 2 FROM auth.ready);
        PERFORM pg_sleep(0.001);
        COMMIT;
      END LOOP;
    END IF;
    INSERT INTO auth.refused
    SELECT p_session, auth.lines(v_file.paths, v_file.positions,
                                 v_file.versions);
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE auth.keep() LANGUAGE plpgsql AS $$
DECLARE
  v_today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  FOR i IN 0 .. 20 LOOP
    PERFORM process_dna.auth_partition_make(v_today - 200 - i);
    COMMIT;
    PERFORM process_dna.auth_partitions();
    COMMIT;
    PERFORM process_dna.auth_partition_make(v_today + i);
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE auth.read() LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := 0;
  v_after bigint;
BEGIN
  FOR i IN 1 .. 10000 LOOP
    SELECT count(*) INTO v_after FROM process_dna.auth_events;
    IF v_after < v_before THEN
      INSERT INTO auth.went_back VALUES ('read', v_before, v_after);
    END IF;
    v_before := v_after;
    PERFORM pg_sleep(0.01); -- still holding its locks
    COMMIT;
    EXIT WHEN v_after = 2000;
  END LOOP;
END $$;

-- A line from the network.
CREATE FUNCTION auth.line(p_again boolean) RETURNS void LANGUAGE sql AS $$
  SELECT process_dna.auth_ingest(1, '{NULL}', '{again}', '{NULL}', '{udp}',
    '{accepted}', '{1}', '{password}', '{root}', '{t}', '{192.0.2.1}',
    '{NULL}', '{1}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{sshd}', '{1}',
    '{2026-01-01}', '{t}', '{2026-01-01}', ARRAY[p_again],
    '{}', '{}', '{}', '{}', '{}', '{}', '{}')
$$;
SQL

in_background keep 'CALL auth.keep()'
in_background read 'CALL auth.read()'
call_at_once auth.follow
ended keep
ended read
check 'each line is there once' '2000 2000' "
  SELECT count(*) || ' ' || count(DISTINCT auth_user)
  FROM process_dna.auth_events"
check 'and is looked at once' '2000 2000' "
  SELECT count(*) || ' ' || count(DISTINCT event_id)
  FROM process_dna.lateral_queue WHERE event_id IS NOT NULL"
check 'who came second was refused' t "
  SELECT sum(files) >= 10 FROM auth.refused"
check 'no reader saw less than before' 0 'SELECT count(*) FROM auth.went_back'
check 'old partitions are gone, days ahead are made and have their lines' \
  '21 0' "
  SELECT (SELECT count(*) FROM pg_inherits i
          WHERE i.inhparent = 'process_dna.auth_events'::regclass
            AND i.inhrelid <> 'process_dna.auth_events_default'::regclass)
    || ' ' || (SELECT count(*) FROM process_dna.auth_events_default)"

# A call whose connection broke may still be running.
in_background first 'BEGIN; SELECT auth.line(false); SELECT pg_sleep(60)'
until_true "SELECT count(*) = 1 FROM pg_stat_activity
  WHERE application_name = 'first' AND query LIKE '%pg_sleep%'
    AND wait_event = 'PgSleep'"
in_background again 'SELECT auth.line(true)'
until_waits again
check 'who writes a line again waits for the first time to end' 0 "
  SELECT count(*) FROM process_dna.auth_events WHERE log_host = 'again'"
psql -X -q -o /dev/null -c "SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity WHERE application_name = 'first'"
ended again
check 'and writes it if that came to nothing' 1 "
  SELECT count(*) FROM process_dna.auth_events WHERE log_host = 'again'"
psql -X -q -o /dev/null -c "DELETE FROM process_dna.auth_events
  WHERE log_host = 'again'"
in_background second 'BEGIN; SELECT auth.line(false);
  SELECT pg_sleep(1); COMMIT'
until_true "SELECT count(*) = 1 FROM pg_stat_activity
  WHERE application_name = 'second' AND wait_event = 'PgSleep'"
in_background again 'SELECT auth.line(true)'
ended second
ended again
check 'but not if it went well' 1 "
  SELECT count(*) FROM process_dna.auth_events WHERE log_host = 'again'"

# A report that takes its time.
psql -X -q -o /dev/null -c "SELECT process_dna.auth_partition_make(
  (now() AT TIME ZONE 'UTC')::date - 200)" -c "DROP TABLE
  process_dna.auth_events_$(date -u -d '2 days' +%Y%m%d)"
in_background report 'BEGIN; SELECT count(*) FROM process_dna.auth_events;
  SELECT pg_sleep(600)'
until_true "SELECT count(*) = 1 FROM pg_stat_activity
  WHERE application_name = 'report' AND wait_event = 'PgSleep'"
partitions="SELECT
  (to_regclass('process_dna.auth_events_$(date -u -d '-200 days' +%Y%m%d)')
   IS NULL) || ' ' ||
  (to_regclass('process_dna.auth_events_$(date -u -d '2 days' +%Y%m%d)')
   IS NOT NULL)"
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 \
  -c 'SELECT process_dna.auth_partitions()' -c 'SELECT auth.line(false)'
check 'nobody waits for a report that reads on' 1 "
  SELECT count(*) FROM pg_stat_activity
  WHERE application_name = 'report' AND wait_event = 'PgSleep'"
check 'what needs its locks is left as it is' 'false false' "$partitions"
psql -X -q -o /dev/null -c "SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity WHERE application_name = 'report'"
until_true "SELECT count(*) = 0 FROM pg_stat_activity
  WHERE application_name = 'report'"
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 \
  -c 'SELECT process_dna.auth_partitions()'
check 'until the next time' 'true true' "$partitions"
wait
end_checks
