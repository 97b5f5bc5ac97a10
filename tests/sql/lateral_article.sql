-- Goal: the worker detects exactly what the article's query gives, whatever
-- comes first or late, on random data with logins on the edges of the window.
BEGIN;
SELECT plan(7);
SELECT test.tenant() AS t \gset

SET LOCAL search_path = process_dna, public;
\ir article.psql

-- Ten hosts are scanned every twelve minutes for four hours. What a host runs
-- is often changed and sometimes put right again. All this arrives in any order
-- but for the scans of one host.
SELECT setseed(0.5);
CREATE TEMP TABLE scans AS
SELECT n AS host, i * 12 + n AS minute, i * 12 + n + l.late AS turn,
  CASE WHEN i = 0 OR random() < 0.4 THEN 'a'
    ELSE substr('bcdef', 1 + floor(random() * 5)::integer, 1) END AS p,
  CASE WHEN i = 0 OR random() < 0.4 THEN 'a'
    ELSE substr('bcdef', 1 + floor(random() * 5)::integer, 1) END AS q
FROM (SELECT n, random() * 60 AS late FROM generate_series(1, 10) n) l (n, late),
  generate_series(0, 19) i;
-- Half of the logins are a window from a scan, or a microsecond more or less.
CREATE TEMP TABLE logins AS
SELECT 1 + floor(random() * 10)::integer AS target, s.minute + CASE
    WHEN random() < 0.5 THEN random() * 30 - 15
    ELSE (ARRAY[-5, 5])[1 + floor(random() * 2)::integer]
      + floor(random() * 3 - 1) / 60e6 END AS minute,
  -- most of them from the host that was scanned
  CASE WHEN random() < 0.8 THEN s.host
    ELSE 1 + floor(random() * 12)::integer END AS source,
  (ARRAY['root', 'admin'])[1 + floor(random() * 2)::integer] AS account,
  (ARRAY['accepted', 'accepted', 'failed'])[1 + floor(random() * 3)::integer]
    AS outcome,
  random() * 60 AS late
FROM scans s, generate_series(1, 4) i;

CREATE FUNCTION pg_temp.play(p_tenant integer) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
  v record;
BEGIN
  FOR v IN
    SELECT turn, host, minute, p, q, NULL::integer AS target,
      NULL::integer AS source, NULL AS account, NULL AS outcome FROM scans
    UNION ALL
    SELECT minute + late, NULL, minute, NULL, NULL, target, source, account,
      outcome FROM logins
    ORDER BY 1
  LOOP
    IF v.host IS NOT NULL THEN
      PERFORM test.scan(p_tenant, 'host' || v.host, v.minute::numeric,
        ARRAY[test.exe('/p', v.p), test.exe('/q', v.q)],
        addresses => ARRAY['192.0.2.' || v.host]);
    ELSE
      PERFORM test.auth(p_tenant, 'host' || v.target, v.minute::numeric,
        v.account, '192.0.2.' || v.source, arrived => v.turn::numeric,
        outcome => v.outcome, trust => 'file');
    END IF;
    IF random() < 0.02 THEN
      PERFORM process_dna.lateral_work(p_tenant);
    END IF;
    IF random() < 0.01 THEN
      PERFORM process_dna.accept(p_tenant, alert_id, 'me', 'mine')
        FROM process_dna.process_dna_alerts
        WHERE tenant_id = p_tenant AND state = 'open'
          AND kind = 'binary-changed' ORDER BY random() LIMIT 1;
    END IF;
  END LOOP;
END $$;
SELECT test.scan(:t, 'host' || n, -1, ARRAY[test.exe('/p', 'a'),
    test.exe('/q', 'a')], addresses => ARRAY['192.0.2.' || n])
  FROM generate_series(1, 10) n;
SELECT pg_temp.play(:t);
SELECT isnt(test.lateral(:t), '0 0', 'some is left to be looked at in the end');

-- The query has logins on a host from itself as well, which are none from one
-- host to another.
CREATE TEMP TABLE theirs AS EXECUTE article(:t);
DELETE FROM theirs WHERE target_agent_id = source_agent;
CREATE TEMP VIEW ours AS
SELECT d.agent_id, a.exe_path, a.exe_sha256, d.target_agent_id, d.auth_user,
  d.observed_at
FROM process_dna.lateral_detections d
JOIN process_dna.process_dna_alerts a USING (tenant_id, alert_id)
WHERE a.baseline_match = false; -- what was explained since is not in theirs

SELECT cmp_ok((SELECT count(*)::integer FROM theirs), '>', 200,
  'the query has rows');
SELECT cmp_ok((SELECT count(*)::integer FROM theirs t
    JOIN process_dna.process_dna_alerts a ON a.agent_id = t.source_agent
      AND a.exe_path = t.exe_path AND a.exe_sha256 = t.exe_sha256
      AND abs(extract(epoch FROM t.ssh_at - a.observed_at)) = 300), '>', 20,
  'some of them just within the window');
SELECT bag_eq('SELECT * FROM ours', 'SELECT * FROM theirs',
  'the same rows are detected');
SELECT is((SELECT count(*) FROM process_dna.lateral_detections),
  (SELECT count(DISTINCT (alert_id, event_arrived_at, event_id))
   FROM process_dna.lateral_detections), 'none of them twice');

-- All that was ever looked at, again and twice.
INSERT INTO process_dna.lateral_queue
  (tenant_id, alert_id, event_arrived_at, event_id)
SELECT q.* FROM (
  SELECT tenant_id, alert_id, NULL::timestamptz, NULL::bigint
  FROM process_dna.process_dna_alerts WHERE kind = 'binary-changed'
  UNION ALL
  SELECT tenant_id, NULL, arrived_at, event_id
  FROM process_dna.auth_events WHERE success) q,
  generate_series(1, 2) ORDER BY random();
SELECT is(test.lateral(:t), '0 0', 'looked at again, nothing is new');
SELECT bag_eq('SELECT * FROM ours', 'SELECT * FROM theirs',
  'and nothing is another');
SELECT * FROM finish();
ROLLBACK;
