#!/bin/sh
# Goal: manifests that two sessions import at once are there once and whole,
# without a deadlock; and what a scan judged while a manifest was on its way, and
# committed after the first look at the queue, is judged by it all the same.
# run.sh sets PGDATABASE to a database of our own.
set -eu

. tests/sql/checks.sh

psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -f tests/sql/helpers.psql
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SELECT test.tenant('import'), test.tenant('scan'), test.tenant('release');
CREATE SCHEMA concurrency;
CREATE TABLE concurrency.outcomes (session text, package integer, outcome text);
CREATE TABLE concurrency.flags (name text);

-- 200 packages of 40 files each, of which they share half of the paths.
CREATE PROCEDURE concurrency.import(p_session text) LANGUAGE plpgsql AS $$
DECLARE
  v_outcome text;
BEGIN
  INSERT INTO concurrency.flags VALUES ('import');
  COMMIT;
  WHILE (SELECT count(*) < 2 FROM concurrency.flags WHERE name = 'import') LOOP
    COMMIT;
  END LOOP;
  FOR n IN 1 .. 200 LOOP
    SELECT process_dna.manifest_add(process_dna.tenant_id('import'), 'dpkg',
        'p' || n, '1', 'amd64', encode(sha256(n::text::bytea), 'hex'),
        CASE p_session WHEN 'a' THEN 'file' ELSE 'signed-index' END,
        p_session, p_session, NULL, NULL,
        array_agg('/usr/bin/' || CASE WHEN i > 20 THEN n * 100 + i ELSE i END
                  ORDER BY CASE p_session WHEN 'a' THEN i ELSE -i END),
        array_agg(encode(sha256((n || '/' || i)::bytea), 'hex')
                  ORDER BY CASE p_session WHEN 'a' THEN i ELSE -i END),
        array_agg(false))
      INTO v_outcome FROM generate_series(1, 40) i;
    INSERT INTO concurrency.outcomes VALUES (p_session, n, v_outcome);
    COMMIT;
  END LOOP;
END $$;

-- Waits, in any transaction, until somebody has set a flag.
CREATE FUNCTION concurrency.await(p_flag text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
  FOR v_try IN 1 .. 60000 LOOP
    EXIT WHEN EXISTS (SELECT FROM concurrency.flags WHERE name = p_flag);
    PERFORM pg_sleep(0.001);
  END LOOP;
END $$;

-- Judges first uses and keeps its transaction open until it is let go; that it
-- has judged is told by a lock, since nobody can see its rows yet.
CREATE PROCEDURE concurrency.scan() LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.scan(process_dna.tenant_id('scan'), 'h', 1439, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
    test.exe('/q', 'a', package => 'dpkg:n=1:amd64')]);
  PERFORM test.scan(process_dna.tenant_id('release'), 'h', 1439, ARRAY[
    test.exe('/r', 'c')]);
  PERFORM pg_advisory_lock(1);
  PERFORM concurrency.await('commit');
END $$;
SQL

call_at_once concurrency.import
check 'each manifest is there once and whole' '200 8000 40 40' "
  SELECT (SELECT count(*) FROM process_dna.manifest_packages) || ' '
    || (SELECT count(*) FROM process_dna.manifest_digests) || ' '
    || (SELECT min(files) || ' ' || max(files)
        FROM process_dna.manifest_packages)"
check 'one session added it, and the other one knew it' '200 200' "
  SELECT count(*) FILTER (WHERE outcome = 'added') || ' '
    || count(*) FILTER (WHERE outcome <> 'added')
  FROM concurrency.outcomes"
check 'with the better provenance, whoever was first' '200 0' "
  SELECT count(*) FILTER (WHERE provenance = 'signed-index') || ' '
    || (SELECT count(*) FROM concurrency.outcomes o
        JOIN concurrency.outcomes p USING (package)
        WHERE o.outcome = 'added' AND o.session = 'a' AND p.session = 'b'
          AND p.outcome <> 'raised')
  FROM process_dna.manifest_packages"

in_background scan 'CALL concurrency.scan()'
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
DO $$
BEGIN
  FOR v_try IN 1 .. 60000 LOOP
    EXIT WHEN EXISTS (SELECT FROM pg_locks
                      WHERE locktype = 'advisory' AND objid = 1 AND classid = 0
                        AND granted);
    PERFORM pg_sleep(0.001);
  END LOOP;
END $$;
SELECT test.manifest(process_dna.tenant_id('scan'),
  'dpkg:n=1:amd64', '/p', 'a');
SELECT test.manifest(process_dna.tenant_id('scan'),
  'dpkg:n=1:amd64', '/q', 'b');
SELECT test.manifest(process_dna.tenant_id('release'),
  NULL, '/r', 'c');
SELECT test.work(process_dna.tenant_id('scan'));
SELECT test.work(process_dna.tenant_id('release'));
SQL
check 'what is not committed is not there at the first look' '0 3 false' "
  SELECT (SELECT count(*) FROM process_dna.executables) || ' '
    || count(*) || ' ' || bool_or(again) FROM process_dna.manifest_queue
  WHERE agent_after IS NULL AND tenant_id <> process_dna.tenant_id('import')"
psql -X -q -c "INSERT INTO concurrency.flags VALUES ('commit')"
ended scan
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SELECT test.work(process_dna.tenant_id('scan'));
SELECT test.work(process_dna.tenant_id('release'));
SQL
check 'at the second look, what it trusted is confirmed' 'manifest manifest' "
  SELECT string_agg(grade, ' ') FROM process_dna.baselines
  WHERE path IN ('/p', '/r')"
check 'or contradicted' '{"h /q a not-in-manifest critical"}' "
  SELECT test.open(process_dna.tenant_id('scan'))"
check 'and nothing is left in the queue' 0 "
  SELECT count(*) FROM process_dna.manifest_queue
  WHERE tenant_id <> process_dna.tenant_id('import')"

# A fleet is judged some agents at a time.
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
SELECT test.tenant('fleet');
SELECT test.scan(process_dna.tenant_id('fleet'), 'host' || n, 1439, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
    test.exe('/q', 'b', package => 'dpkg:n=1:amd64')])
  FROM generate_series(1, 120) n;
SELECT test.manifest(process_dna.tenant_id('fleet'),
  'dpkg:n=1:amd64', '/p', 'a');
SELECT test.work(process_dna.tenant_id('fleet'));
SELECT test.manifest(process_dna.tenant_id('fleet'),
  NULL, '/q', 'b');
SQL
grades="SELECT count(*) FILTER (WHERE path = '/p') || ' '
    || count(*) FILTER (WHERE path = '/q')
  FROM process_dna.baselines WHERE grade = 'manifest'
    AND tenant_id = process_dna.tenant_id('fleet')"
check 'fifty agents at a time' '50 0' "$grades"
check 'says that there is more' t "
  SELECT more FROM process_dna.work(process_dna.tenant_id('fleet'), now())"
check 'what came since catches up first' '50 50' "$grades"
for _ in 1 2 3 4; do
  psql -X -q -o /dev/null -c "
    SELECT test.work(process_dna.tenant_id('fleet'))"
done
check 'until all are done' '120 120' "$grades"
check 'and the queue is empty' 0 "SELECT count(*) FROM process_dna.manifest_queue
  WHERE tenant_id = process_dna.tenant_id('fleet')"
end_checks
