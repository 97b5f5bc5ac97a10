-- The search for lateral movement beside the article's query: a thousand hosts,
-- ten million auth events of ninety days, a fifth of them logins, and ten
-- thousand unexplained alerts. Prints "name value unit" lines:
--   lateral_few       a cycle, before there is any history
--   lateral_new       the same with history, never analyzed
--   lateral_known     the same, analyzed
--   lateral_worst     the longest of these last
--   lateral_cpu       their CPU time, mean
--   lateral_all       all alerts looked at anew, for each of them
--   lateral_query     the article's query, as it stands, with our indexes and one
--                     on agents (id)
--   lateral_query_bare  the same without any index
-- The queries are given up after ten minutes. A cycle is what comes in a minute of such a history, a hundred lines, and an
-- alert whose host logs on to another, which goes on: median of 30, lateral_work
-- with its commits. All settings are PostgreSQL's defaults.
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep ' '
\set ON_ERROR_STOP on

CREATE SCHEMA bench;
CREATE TABLE bench.results (name text, ms double precision, cpu double precision);
-- Milliseconds of CPU time of this backend so far.
CREATE FUNCTION bench.cpu() RETURNS double precision LANGUAGE sql AS $$
  SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6
$$;
SELECT process_dna.configure_tenant('bench', 180, 86400, 0, 'critical', '{}')
  AS tenant \gset
SELECT process_dna.register_sinks(:tenant, 'bench', '{nms}') \g /dev/null

-- Scans of these hosts at that time, each with an address and one executable.
CREATE FUNCTION bench.scan(p_tenant integer, p_hosts integer[], p_digest text,
                           p_at timestamptz)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM (
    SELECT array_agg('host-' || h) AS host, array_agg(NULL::text) AS id,
      array_agg(NULL::timestamptz) AS boot, array_agg('user'::text) AS signer,
      array_agg(false) AS relayed, array_agg('collectd'::text) AS source,
      array_agg(p_at) AS arrived, array_agg(1::bigint) AS one,
      array_agg(60) AS interval_s, array_agg(true) AS complete,
      array_agg(n::integer) AS scan, array_agg(''::text) AS text,
      array_agg('/usr/sbin/sshd'::text) AS path, array_agg(p_digest) AS sha256,
      array_agg(1::smallint) AS state, array_agg(1) AS int,
      array_agg(NULL::integer) AS mode, array_agg(NULL::bigint) AS size,
      array_agg(NULL::boolean) AS flag,
      array_agg('10.' || h / 250 || '.0.' || h % 250 + 1) AS address
    FROM unnest(p_hosts) WITH ORDINALITY u (h, n)) s,
  process_dna.ingest(p_tenant, host, id, boot, signer, relayed, source,
    s.arrived, s.arrived, one, interval_s, complete, scan, text, path, sha256,
    state, id, one, one, int, one, boot, text, size, mode, size, boot, boot,
    id, id, id, id, flag, scan, address)
$$;
SELECT bench.scan(:tenant, array_agg(h), repeat('a', 64),
                  now() - interval '1 year')
FROM generate_series(0, 999) h \g /dev/null

-- A minute: the host p_n is changed and logs on to another, which goes on.
CREATE FUNCTION bench.minute(p_tenant integer, p_n integer, p_digest text,
                             p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bench.scan(p_tenant, ARRAY[p_n], p_digest, p_at);
  PERFORM FROM (
    SELECT array_agg('host-' || target) AS host, array_agg(NULL::text) AS none,
      array_agg('tls'::text) AS trust, array_agg(CASE WHEN i <= 20
        THEN 'accepted' ELSE 'failed' END) AS outcome,
      array_agg(1) AS int, array_agg('root'::text) AS account,
      array_agg(true) AS yes, array_agg(false) AS no,
      array_agg('10.' || source / 250 || '.0.' || source % 250 + 1) AS address,
      array_agg(1::bigint) AS pid,
      array_agg(p_at + i * interval '0.3 s') AS at,
      array_agg(NULL::integer) AS file
    FROM (SELECT i, CASE WHEN i <= 2 THEN p_n + i - 1
              ELSE p_n * 37 + i * 11 END % 1000 AS source,
            CASE WHEN i <= 2 THEN p_n + i ELSE p_n * 41 + i * 7
              END % 1000 AS target
          FROM generate_series(1, 100) i) u) l,
    process_dna.auth_ingest(p_tenant, file, host, none, trust, outcome, int,
      none, account, yes, address, none, int, none, none, none, none, none,
      pid, at, yes, at, no, '{}', '{}', '{}', '{}', '{}', '{}', '{}');
END $$;
-- All that waits is looked at.
CREATE PROCEDURE bench.drain(p_tenant integer) LANGUAGE plpgsql AS $$
DECLARE
  v_more boolean := true;
BEGIN
  WHILE v_more LOOP
    SELECT w.more INTO v_more FROM process_dna.lateral_work(p_tenant) w;
    COMMIT;
  END LOOP;
END $$;
CREATE PROCEDURE bench.cycles(p_tenant integer, p_name text, p_digest text,
                              p_from timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  v_start timestamptz;
  v_cpu double precision;
BEGIN
  CALL bench.drain(p_tenant);
  FOR v_n IN 1 .. 31 LOOP
    PERFORM bench.minute(p_tenant, v_n * 10, p_digest,
                         p_from + v_n * interval '1 min');
    COMMIT;
    v_start := clock_timestamp();
    v_cpu := bench.cpu();
    CALL bench.drain(p_tenant);
    IF v_n > 1 THEN -- the first one plans
      INSERT INTO bench.results VALUES (p_name,
        1000 * extract(epoch FROM clock_timestamp() - v_start),
        bench.cpu() - v_cpu);
    END IF;
    COMMIT;
  END LOOP;
END $$;
SELECT process_dna.auth_partitions() \g /dev/null
CALL bench.cycles(:tenant, 'lateral_few', repeat('b', 64),
                  now() - interval '12 h');

-- Ninety days.
SELECT process_dna.auth_partition_make(current_date - d)
FROM generate_series(0, 90) d \g /dev/null
SELECT clock_timestamp() AS begun \gset
INSERT INTO process_dna.auth_events
  (tenant_id, arrived_at, target_agent_id, log_host, trust, outcome, method,
   auth_user, user_known, src_ip, src_port, key_fingerprint, program, pid,
   repeat, stamped_at, observed_at)
SELECT :tenant, l.at, g.agent_id, g.name, 'tls',
  CASE WHEN i % 5 = 0 THEN 'accepted' ELSE 'failed' END, 'publickey',
  'user-' || i % 20, true,
  ('10.' || s.n / 250 || '.0.' || s.n % 250 + 1)::inet, 40000 + i % 1000,
  'SHA256:' || s.n, 'sshd', i % 30000, 1, l.at, l.at
FROM generate_series(1, 10000000) i
CROSS JOIN LATERAL (SELECT (i * 7919::bigint / 5 % 1000)::integer,
  (i * 104729::bigint / 5 % 1000)::integer) s (n, m)
CROSS JOIN LATERAL (SELECT now() - interval '1 day'
  - i * interval '0.77 s') l (at)
JOIN process_dna.agents g ON g.name = 'host-' || s.m;
SELECT 'lateral_load', round(extract(epoch FROM clock_timestamp()
                                     - :'begun'::timestamptz)), 's';
INSERT INTO process_dna.process_dna_alerts
  (tenant_id, agent_id, kind, key, state, closed_at, severity, verdict,
   baseline_match, container, exe_path, exe_sha256, observed_at, last_seen,
   line)
SELECT :tenant, g.agent_id, 'binary-changed', repeat('0', 64), 'resolved',
  now(), 'critical', 'no-known-update', false, '', '/usr/sbin/sshd',
  repeat('c', 64), now() - interval '1 day' - i * interval '777 s',
  now() - interval '1 day' - i * interval '777 s', 'x'
FROM generate_series(1, 10000) i
JOIN process_dna.agents g ON g.name = 'host-' || i * 13 % 1000;
CALL bench.cycles(:tenant, 'lateral_new', repeat('d', 64),
                  now() - interval '8 h');
ANALYZE;
CALL bench.cycles(:tenant, 'lateral_known', repeat('e', 64),
                  now() - interval '4 h');
SELECT name, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric,
                   1), 'ms'
FROM bench.results GROUP BY name ORDER BY name;
SELECT 'lateral_worst', round(max(ms)::numeric, 1), 'ms'
FROM bench.results WHERE name = 'lateral_known';
SELECT 'lateral_cpu', round(avg(cpu)::numeric, 1), 'ms'
FROM bench.results WHERE name = 'lateral_known';

SET search_path = process_dna, public;
\ir ../sql/article.psql
CREATE INDEX ON agents (id);
SET statement_timeout = '10min';
SELECT clock_timestamp() AS begun \gset
\set ON_ERROR_STOP off
CREATE TABLE bench.theirs AS EXECUTE article(:tenant);
SELECT 'lateral_query', round(1000 * extract(epoch FROM clock_timestamp()
                                             - :'begun'::timestamptz)), 'ms';
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
SELECT clock_timestamp() AS begun \gset
CREATE TABLE bench.theirs_again AS EXECUTE article(:tenant);
\set ON_ERROR_STOP on
SELECT 'lateral_query_bare', round(1000 * extract(epoch FROM clock_timestamp()
                                             - :'begun'::timestamptz)), 'ms';
RESET ALL;

-- All alerts anew, which has to give the same rows.
CREATE PROCEDURE bench.all(p_tenant integer) LANGUAGE plpgsql AS $$
DECLARE
  v_start timestamptz := clock_timestamp();
BEGIN
  INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
    SELECT tenant_id, alert_id FROM process_dna.process_dna_alerts
    WHERE tenant_id = p_tenant AND kind = 'binary-changed';
  COMMIT;
  CALL bench.drain(p_tenant);
  INSERT INTO bench.results SELECT 'lateral_all',
    1000 * extract(epoch FROM clock_timestamp() - v_start) / count(*)
  FROM process_dna.process_dna_alerts
  WHERE tenant_id = p_tenant AND kind = 'binary-changed';
  IF to_regclass('bench.theirs') IS NULL THEN
    RETURN;
  END IF;
  IF EXISTS (
    (SELECT source_agent, exe_path, exe_sha256, target_agent_id, auth_user,
       ssh_at FROM bench.theirs WHERE target_agent_id <> source_agent
     EXCEPT ALL
     SELECT d.agent_id, a.exe_path, a.exe_sha256, d.target_agent_id,
       d.auth_user, d.observed_at
     FROM process_dna.lateral_detections d
     JOIN process_dna.process_dna_alerts a USING (tenant_id, alert_id))
    UNION ALL
    (SELECT d.agent_id, a.exe_path, a.exe_sha256, d.target_agent_id,
       d.auth_user, d.observed_at
     FROM process_dna.lateral_detections d
     JOIN process_dna.process_dna_alerts a USING (tenant_id, alert_id)
     EXCEPT ALL
     SELECT source_agent, exe_path, exe_sha256, target_agent_id, auth_user,
       ssh_at FROM bench.theirs)) THEN
    RAISE 'the detections are not those of the query';
  END IF;
END $$;
CALL bench.all(:tenant);
SELECT name, round(ms::numeric, 2), 'ms' FROM bench.results
WHERE name = 'lateral_all';
SELECT 'lateral_events', count(*), 'rows' FROM process_dna.auth_events;
SELECT 'lateral_alerts', count(*), 'rows' FROM process_dna.process_dna_alerts
WHERE kind = 'binary-changed';
SELECT 'lateral_detections', count(*), 'rows'
FROM process_dna.lateral_detections;
SELECT 'lateral_mib', sum(pg_total_relation_size(inhrelid)) / 1048576, 'MiB'
FROM pg_inherits WHERE inhparent = 'process_dna.auth_events'::regclass;
