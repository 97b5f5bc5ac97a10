#!/bin/sh
# Goal: two correlators that judge the same 10,000 new keys at once, with
# digests that contradict each other, neither deadlock nor lose an alert.
#
# A thousand hosts run ten executables each; a batch has a hundred hosts. Both
# sessions begin each batch together, one with all hosts and paths backwards.
# Half of a batch's hosts are in both sessions' batches at once; with the other
# half each session is first with some. The first round brings unknown hosts,
# the second known ones; then both hammer a few hosts with small scans, to meet
# in every moment. run.sh sets PGDATABASE to a database of our own.
set -eu

. tests/sql/checks.sh

psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
CREATE SCHEMA concurrency;
CREATE TABLE concurrency.ready (round integer, batch integer);
SELECT process_dna.configure_tenant('t', 180, 3600, 0, 'critical', '{}');
SELECT process_dna.configure_tenant('small', 180, 3600, 0, 'critical', '{}');
SELECT process_dna.register_sinks(process_dna.tenant_id('t'), 'x', '{nms}');

CREATE FUNCTION concurrency.digest(p_session text, p_path text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(sha256(convert_to(p_session || p_path, 'UTF8')), 'hex')
$$;

-- Hands a batch to ingest; gives the hosts whose scan was not judged, since the
-- other session was first with a newer one.
CREATE FUNCTION concurrency.batch(
  p_tenant text, p_round integer, p_session text, p_hosts text[])
RETURNS text[] LANGUAGE sql AS $$
  WITH s AS (
    SELECT array_agg(clock_timestamp()) AS times,
      ARRAY[cardinality(p_hosts)] AS n, ARRAY[cardinality(p_hosts) * 10] AS m
    FROM unnest(p_hosts)
  ), e AS (
    SELECT array_agg(h.n::integer ORDER BY h.n, o.turn) AS scan,
      array_agg(o.path ORDER BY h.n, o.turn) AS path,
      array_agg(concurrency.digest(p_session, h.name || o.path)
                ORDER BY h.n, o.turn) AS sha256
    FROM unnest(p_hosts) WITH ORDINALITY h (name, n)
    CROSS JOIN LATERAL (
      SELECT '/round' || p_round || '/' || k,
        CASE p_session WHEN 'a' THEN k ELSE -k END
      FROM generate_series(1, 10) k) o (path, turn)
  )
  SELECT array_agg(p_hosts[i.scan] ORDER BY i.scan)
  FROM s, e, process_dna.ingest(process_dna.tenant_id(p_tenant),
    p_hosts, array_fill(NULL::text, n), array_fill(NULL::timestamptz, n),
    array_fill('user'::text, n), array_fill(false, n),
    array_fill('collectd'::text, n), times, times, array_fill(1::bigint, n),
    array_fill(60, n), array_fill(true, n),
    scan, array_fill(''::text, m), path, sha256, array_fill(1::smallint, m),
    array_fill(NULL::text, m), array_fill(1::bigint, m),
    array_fill(1::bigint, m), array_fill(1, m), array_fill(0::bigint, m),
    array_fill(NULL::timestamptz, m), array_fill('service'::text, m),
    array_fill(NULL::bigint, m), array_fill(NULL::integer, m),
    array_fill(NULL::bigint, m), array_fill(NULL::timestamptz, m),
    array_fill(NULL::timestamptz, m), array_fill(NULL::text, m),
    array_fill(NULL::text, m), array_fill(NULL::text, m),
    array_fill(NULL::text, m), array_fill(NULL::boolean, m),
    '{}', '{}') i (scan, agent_id, outcome, settled)
  WHERE i.outcome <> 'judged'
$$;

CREATE PROCEDURE concurrency.session(p_session text) LANGUAGE plpgsql AS $$
DECLARE
  v_hosts text[];
BEGIN
  FOR v_round IN 1 .. 2 LOOP
    FOR v_batch IN 0 .. 9 LOOP
      INSERT INTO concurrency.ready VALUES (v_round, v_batch);
      COMMIT;
      FOR v_try IN 1 .. 10000 LOOP
        EXIT WHEN (SELECT count(*) = 2 FROM concurrency.ready
                   WHERE round = v_round AND batch = v_batch);
        PERFORM pg_sleep(0.001);
        COMMIT;
      END LOOP;
      SELECT array_agg('host' || h
               ORDER BY CASE p_session WHEN 'a' THEN h ELSE -h END)
        INTO v_hosts
        FROM generate_series(0, 999) h
        WHERE (h / 100 + CASE WHEN p_session = 'b' AND h % 2 = 0
                 THEN 5 ELSE 0 END) % 10 = v_batch;
      WHILE v_hosts IS NOT NULL LOOP
        v_hosts := concurrency.batch('t', v_round, p_session, v_hosts);
        COMMIT;
      END LOOP;
    END LOOP;
  END LOOP;
  FOR v_round IN 1 .. 100 LOOP
    PERFORM concurrency.batch('small', 3, 'a', ARRAY(
      SELECT 'host' || h FROM generate_series(0, 19) h
      WHERE (h + v_round) % CASE p_session WHEN 'a' THEN 2 ELSE 3 END = 0
      ORDER BY CASE p_session WHEN 'a' THEN h ELSE -h END));
    COMMIT;
  END LOOP;
END $$;
SQL

call_at_once concurrency.session

check 'each key has one baseline' '20000 20000' "
  SELECT count(*) || ' ' || count(DISTINCT (agent_id, path))
  FROM process_dna.baselines
  WHERE tenant_id = process_dna.tenant_id('t') AND until IS NULL"
check 'none was moved' 0 "
  SELECT count(*) FROM process_dna.baselines WHERE until IS NOT NULL"
check 'both sessions were first with some keys in each round' 4 "
  SELECT count(DISTINCT (b.sha256 = concurrency.digest('a', g.name || b.path),
                         split_part(b.path, '/', 2)))
  FROM process_dna.baselines b JOIN process_dna.agents g USING (agent_id)
  WHERE b.tenant_id = process_dna.tenant_id('t')"
check 'each digest that lost has exactly one alert' '20000 20000 20000' "
  SELECT count(*) || ' ' || count(a.alert_id) || ' '
    || count(DISTINCT (a.agent_id, a.exe_path))
  FROM process_dna.baselines b
  JOIN process_dna.agents g USING (agent_id)
  LEFT JOIN process_dna.process_dna_alerts a
    ON a.agent_id = b.agent_id AND a.exe_path = b.path
    AND a.baseline_sha256 = b.sha256 AND a.verdict = 'no-known-update'
    AND a.state = 'open' AND a.exe_sha256 = concurrency.digest(
      CASE b.sha256 WHEN concurrency.digest('a', g.name || b.path) THEN 'b'
        ELSE 'a' END, g.name || b.path)
  WHERE b.tenant_id = process_dna.tenant_id('t')"
check 'and there is no other alert' 20000 "
  SELECT count(*) FROM process_dna.process_dna_alerts"
check 'each alert has exactly one trap' '20000 20000' "
  SELECT count(*) || ' ' || count(DISTINCT alert_id)
  FROM process_dna.trap_outbox"
end_checks
