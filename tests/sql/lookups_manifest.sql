-- Goal: what a verdict reads of manifests grows neither with their number nor
-- with the fleet, though the tables were never analyzed since they were empty;
-- and a manifest that comes reads what it concerns.
BEGIN;
SELECT plan(9);
SELECT test.tenant() AS t \gset

CREATE FUNCTION pg_temp.tenant() RETURNS integer LANGUAGE sql AS $$
  SELECT tenant_id FROM process_dna.tenants WHERE name = 't'
$$;

-- A version of a package (or, without one, a release) with 50 files.
CREATE FUNCTION pg_temp.add(p_package text, p_version text) RETURNS text
LANGUAGE sql AS $$
  SELECT process_dna.manifest_add(pg_temp.tenant(),
    CASE p_package WHEN '' THEN '' ELSE 'dpkg' END, p_package,
    CASE p_package WHEN '' THEN '' ELSE p_version END,
    CASE p_package WHEN '' THEN '' ELSE 'amd64' END,
    encode(sha256(convert_to(p_package || p_version, 'UTF8')), 'hex'), 'file',
    '', '', NULL, NULL, array_agg('/usr/bin/' || i),
    array_agg(encode(sha256(convert_to(p_version || i, 'UTF8')), 'hex')),
    array_agg(false))
  FROM generate_series(1, 50) i
$$;
-- 50 executables of a host, of a version; what that reads.
CREATE FUNCTION pg_temp.scan(p_host text, p_minute numeric, p_version text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  PERFORM test.scan(pg_temp.tenant(), p_host, p_minute, (
    SELECT array_agg((
      '/bin/' || i,
      encode(sha256(convert_to(p_version || i, 'UTF8')), 'hex'),
      'current', '', 'dpkg:n=' || p_version || ':amd64', test.at(-600), 100,
      NULL, 1)::test.exe)
    FROM generate_series(1, 50) i));
  RETURN test.read() - v_before;
END $$;
CREATE FUNCTION pg_temp.work() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  PERFORM test.heard(pg_temp.tenant());
  v_before := test.read();
  PERFORM test.work(pg_temp.tenant());
  RETURN test.read() - v_before;
END $$;
-- What an update reads with its manifest, without it, and the manifest then,
-- for which there is a version of its own.
CREATE FUNCTION pg_temp.measure(p_host text, p_version text)
RETURNS TABLE (first bigint, listed bigint, unlisted bigint, work bigint)
LANGUAGE plpgsql AS $$
BEGIN
  first := pg_temp.scan(p_host, 1430, '1');
  listed := pg_temp.scan(p_host, 1431, '2');
  unlisted := pg_temp.scan(p_host, 1432, p_version);
  PERFORM pg_temp.work();
  PERFORM pg_temp.add('n', p_version);
  work := pg_temp.work();
  RETURN NEXT;
END $$;

SELECT pg_temp.add('n', v::text), pg_temp.add('', 'r' || v)
  FROM generate_series(1, 2) v;
CREATE TEMP TABLE few AS SELECT * FROM pg_temp.measure('early', '4');
SELECT cmp_ok(few.work, '>', 50::bigint, 'what is read is counted') FROM few;
-- 200 other versions and packages of the same paths, and hosts that have them
SELECT count(pg_temp.add(CASE v % 3 WHEN 0 THEN 'n' WHEN 1 THEN 'm' || v
    ELSE '' END, 'v' || v)) FROM generate_series(1, 200) v
\g /dev/null
SELECT count(pg_temp.scan('host-' || n, 1430, '1')) FROM generate_series(1, 40) n
\g /dev/null
SELECT count(pg_temp.scan('host-' || n, 1431, '2')) FROM generate_series(1, 20) n
\g /dev/null
SELECT count(test.work(:t)) FROM generate_series(1, 5)
\g /dev/null
CREATE TEMP TABLE many AS SELECT * FROM pg_temp.measure('late', '5');

SELECT is(test.open(:t), '{}', 'what is measured is silent in the end');
SELECT cmp_ok(many.first, '<', 3 * few.first,
  'first uses read no more with many manifests') FROM few, many;
SELECT cmp_ok(many.listed, '<', 3 * few.listed,
  'nor do updates with a manifest') FROM few, many;
SELECT cmp_ok(many.unlisted, '<', 3 * few.unlisted,
  'nor without one') FROM few, many;
SELECT cmp_ok(many.work, '<', 3 * few.work,
  'nor does a manifest that comes') FROM few, many;

-- What is asked for, among many that nobody waits for
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT pg_temp.scan('late', 1433, '6');
SELECT test.read() AS before \gset
SELECT process_dna.manifest_requests_take(:t, '{dpkg}', 10, 60, 'me');
SELECT cmp_ok(test.read() - :before, '<', 1000::bigint,
  'requests that are taken read no fleet');

-- What somebody asks about one executable, which all hosts have
CREATE FUNCTION pg_temp.ask(OUT facts bigint, OUT read bigint)
LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  SELECT count(*) INTO facts
  FROM process_dna.path_find(pg_temp.tenant(), 'late', '', '{/x,/bin/1}') f
  CROSS JOIN LATERAL (
    SELECT FROM process_dna.path_baselines(pg_temp.tenant(), f.agent_id, '',
                                           f.path)
    UNION ALL
    SELECT FROM process_dna.path_running(pg_temp.tenant(), f.agent_id, '',
                                         f.path)
    UNION ALL
    SELECT FROM process_dna.path_events(pg_temp.tenant(), f.agent_id, '',
                                        f.path)) a;
  read := test.read() - v_before;
END $$;
SELECT * FROM pg_temp.ask() \gset
SELECT is(:facts, 6, 'of one executable there are some facts');
SELECT cmp_ok(:read, '<', 40, 'and neither its host nor the fleet is read');

SELECT * FROM finish();
ROLLBACK;
