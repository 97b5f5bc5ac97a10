-- How many changed observations process_dna.ingest takes a second, in batches
-- of 1000 (ten hosts, a hundred executables each), beside a bare insert of the
-- same rows into a table with the primary key of executables. Prints "name
-- value unit" lines, medians of the batches, each with its commit:
--   new        executables never seen before, which become baselines
--   restarted  the same ones, run by another process
--   alerted    other digests at the same paths: an alert and a trap for each
\set QUIET on
\pset tuples_only on
\pset format unaligned
\set ON_ERROR_STOP on

CREATE SCHEMA bench;
CREATE TABLE bench.bare (
  LIKE process_dna.executables,
  PRIMARY KEY (tenant_id, agent_id, container, path, sha256, state));
CREATE TABLE bench.results (name text, seconds double precision);

CREATE TABLE bench.batches AS
SELECT n, kind, arrived,
  array_agg(1 + i / 100) AS scan,
  array_agg('/usr/lib/example/program-' || i % 100) AS path,
  array_agg(encode(sha256(convert_to(
    format('%s %s', i % 100, kind = 'alerted'), 'UTF8')), 'hex')) AS sha256,
  array_agg(1::smallint) AS state,
  array_agg(''::text) AS container,
  array_agg(NULL::text) AS none,
  array_agg(NULL::boolean) AS no_flag,
  array_agg(1::bigint) AS processes,
  array_agg(50000000::bigint) AS rss,
  array_agg(1000 + i + turn) AS pid,
  array_agg(0::bigint) AS uid,
  array_agg(arrived - interval '1 day') AS started,
  array_agg('program-' || i % 100) AS name,
  array_agg(4096::bigint) AS size,
  array_agg(33261) AS mode,
  array_agg(timestamptz '2026-01-01') AS changed
FROM generate_series(1, 11) n, generate_series(0, 999) i,
  (VALUES ('new', 0), ('restarted', 1), ('alerted', 2)) k (kind, turn),
  LATERAL (SELECT now() - interval '1 hour' + turn * interval '1 min')
    a (arrived)
GROUP BY n, kind, turn, arrived
ORDER BY turn, n;

SELECT process_dna.configure_tenant('bench', 180, 86400, 0, 'critical', '{}')
  AS tenant \gset
SELECT process_dna.register_sinks(:tenant, 'bench', '{nms}') \g /dev/null

CREATE FUNCTION bench.ingest(p_tenant integer, b bench.batches)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM (SELECT array_agg(format('host-%s-%s', b.n, h)) AS host,
      array_agg(NULL::text) AS id, array_agg(b.arrived - interval '2 days')
      AS boot, array_agg('user'::text) AS signer, array_agg(false) AS relayed,
      array_agg('collectd'::text) AS source, array_agg(b.arrived) AS arrived,
      array_agg(1::bigint) AS sequence, array_agg(60) AS interval_s,
      array_agg(true) AS complete
    FROM generate_series(1, 10) h) s,
  process_dna.ingest(p_tenant, host, id, boot, signer, relayed, source,
    s.arrived, s.arrived, sequence, interval_s, complete,
    b.scan, b.container, b.path, b.sha256, b.state, b.none, b.processes, b.rss,
    b.pid, b.uid, b.started, b.name, b.size, b.mode, b.uid, b.changed,
    b.changed, b.none, b.none, b.none, b.none, b.no_flag, '{}', '{}')
$$;

CREATE FUNCTION bench.insert_bare(p_tenant integer, b bench.batches)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO bench.bare
  SELECT p_tenant, b.n * 10 + u.scan, u.container, u.path, u.sha256, 'current',
    NULL, u.name, u.pid, u.uid, u.started, u.processes, u.rss, u.size, u.mode,
    u.uid, u.changed, u.changed, '', '', '', '', true, b.arrived, NULL, 0,
    'match', NULL, NULL, false, true
  FROM unnest(b.scan, b.container, b.path, b.sha256, b.processes, b.rss, b.pid,
              b.uid, b.started, b.name, b.size, b.mode, b.changed)
    u (scan, container, path, sha256, processes, rss, pid, uid, started, name,
       size, mode, changed)
$$;

CREATE PROCEDURE bench.run(p_tenant integer) LANGUAGE plpgsql AS $$
DECLARE
  v_batch bench.batches;
  v_start timestamptz;
BEGIN
  FOR v_batch IN SELECT * FROM bench.batches b ORDER BY b.arrived, b.n LOOP
    v_start := clock_timestamp();
    PERFORM bench.ingest(p_tenant, v_batch);
    COMMIT;
    INSERT INTO bench.results VALUES ('ingest_' || v_batch.kind,
      extract(epoch FROM clock_timestamp() - v_start));
    COMMIT;
    CONTINUE WHEN v_batch.kind = 'restarted';
    v_start := clock_timestamp();
    PERFORM bench.insert_bare(p_tenant, v_batch);
    COMMIT;
    INSERT INTO bench.results VALUES ('bare_insert',
      extract(epoch FROM clock_timestamp() - v_start));
    COMMIT;
  END LOOP;
END $$;

CALL bench.run(:tenant);
SELECT name, round((1000 / percentile_cont(0.5) WITHIN GROUP
                      (ORDER BY seconds))::numeric), 'observations/s'
FROM bench.results GROUP BY name ORDER BY name
\g (format=unaligned fieldsep=' ')
SELECT 'ingest_rows', count(*), 'rows' FROM process_dna.executables
WHERE tenant_id = :tenant
\g (format=unaligned fieldsep=' ')
SELECT 'ingest_alerts', count(*), 'alerts' FROM process_dna.process_dna_alerts
WHERE tenant_id = :tenant
\g (format=unaligned fieldsep=' ')
