-- Goal: what a scan reads does not grow with the fleet, though the tables were
-- never analyzed since they were empty.
BEGIN;
SELECT plan(4);
SELECT test.tenant() AS t \gset

-- 50 executables of a host, with digests of this generation.
CREATE FUNCTION pg_temp.scan(p_host text, p_minute numeric, p_generation text,
                             p_pid integer DEFAULT 100)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  PERFORM test.scan(
    (SELECT tenant_id FROM process_dna.tenants WHERE name = 't'), p_host,
    p_minute, (
      SELECT array_agg((
        '/usr/bin/' || i,
        encode(sha256(convert_to(p_generation || i, 'UTF8')), 'hex'),
        'current', '', NULL, test.at(-600), p_pid, NULL, 1)::test.exe)
      FROM generate_series(1, 50) i));
  RETURN test.read() - v_before;
END $$;

-- What each kind of scan reads with this many hosts before it.
CREATE FUNCTION pg_temp.measure(p_host text)
RETURNS TABLE (first bigint, restarted bigint, changed bigint)
LANGUAGE plpgsql AS $$
BEGIN
  first := pg_temp.scan(p_host, 1, 'a');
  restarted := pg_temp.scan(p_host, 2, 'a', 200);
  changed := pg_temp.scan(p_host, 3, 'b');
  RETURN NEXT;
END $$;

CREATE TEMP TABLE few AS SELECT * FROM pg_temp.measure('early');
SELECT count(pg_temp.scan('host-' || n, 1, 'a')) FROM generate_series(1, 40) n
\g /dev/null
SELECT count(pg_temp.scan('host-' || n, 2, 'b')) FROM generate_series(1, 20) n
\g /dev/null
CREATE TEMP TABLE many AS SELECT * FROM pg_temp.measure('late');

SELECT cmp_ok(few.changed, '>', 0::bigint, 'what is read is counted') FROM few;
SELECT cmp_ok(many.first, '<', 3 * few.first,
  'first uses read no more with many hosts') FROM few, many;
SELECT cmp_ok(many.restarted, '<', 3 * few.restarted,
  'restarted executables read no more with many hosts') FROM few, many;
SELECT cmp_ok(many.changed, '<', 3 * few.changed,
  'alerts read no more with many hosts') FROM few, many;

SELECT * FROM finish();
ROLLBACK;
