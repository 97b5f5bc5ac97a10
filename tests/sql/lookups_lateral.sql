-- Goal: what the search for lateral movement reads does not grow with history:
-- neither when the tables were never analyzed since they were empty, nor after.
BEGIN;
SELECT plan(16);
SELECT test.tenant() AS t \gset
SELECT process_dna.auth_partitions();

-- What it reads to look at all that waits.
CREATE FUNCTION pg_temp.look() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  PERFORM test.lateral(process_dna.tenant_id('t'));
  RETURN test.read() - v_before;
END $$;
CREATE FUNCTION pg_temp.analyze() RETURNS void LANGUAGE sql AS $$
  ANALYZE process_dna.auth_events, process_dna.process_dna_alerts,
    process_dna.lateral_detections, process_dna.lateral_reached,
    process_dna.agents, process_dna.agent_addresses
$$;
-- The hosts a, b and c, of which a is changed at that minute and logs on to b,
-- and b to c.
CREATE FUNCTION pg_temp.measure(p_minute numeric, p_digit text)
RETURNS TABLE (logins bigint, change bigint, detected bigint, hop bigint,
               again bigint, closed bigint)
LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := process_dna.tenant_id('t');
  v_alerts bigint[];
BEGIN
  PERFORM test.auth(v_tenant, 'c', p_minute, 'root', '192.0.2.1')
    FROM generate_series(1, 10);
  logins := pg_temp.look();
  PERFORM test.scan(v_tenant, 'a', p_minute + 1, ARRAY[test.exe('/p', p_digit)],
                    addresses => '{192.0.2.1}');
  change := pg_temp.look();
  PERFORM test.auth(v_tenant, 'b', p_minute + 2, 'root', '192.0.2.1');
  detected := pg_temp.look();
  PERFORM test.auth(v_tenant, 'c', p_minute + 3, 'root', '192.0.2.2');
  hop := pg_temp.look();
  INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
    SELECT v_tenant, agent_id FROM process_dna.agents
    WHERE tenant_id = v_tenant AND name = 'b';
  again := pg_temp.look();
  v_alerts := ARRAY(SELECT alert_id FROM process_dna.process_dna_alerts
    WHERE tenant_id = v_tenant AND kind = 'binary-changed'
      AND exe_sha256 = test.digest(p_digit));
  closed := test.read();
  PERFORM process_dna.alerts_close(v_tenant, v_alerts, 'resolved', NULL, 'x',
                                   NULL);
  closed := test.read() - closed;
  RETURN NEXT;
END $$;
-- Years of it: 20,000 logins of hosts on hosts, and 2,000 alerts with a movement
-- each.
CREATE FUNCTION pg_temp.history() RETURNS void LANGUAGE sql AS $$
INSERT INTO process_dna.auth_events
  (tenant_id, arrived_at, target_agent_id, log_host, trust, outcome, auth_user,
   user_known, src_ip, repeat, observed_at)
SELECT process_dna.tenant_id('t'), test.at(-i), b.agent_id, b.name, 'tls', 'accepted', 'user' || i % 7,
  true, a.ip, 1, test.at(-i)
FROM generate_series(1, 20000) i
JOIN process_dna.agents a ON a.name = (ARRAY['a', 'b', 'h1', 'h2'])[1 + i % 4]
JOIN process_dna.agents b ON b.name = (ARRAY['b', 'c', 'h3'])[1 + i % 3];
INSERT INTO process_dna.process_dna_alerts
  (tenant_id, agent_id, kind, key, state, closed_at, severity, verdict,
   baseline_match, container, exe_path, exe_sha256, observed_at, last_seen,
   line)
SELECT process_dna.tenant_id('t'), g.agent_id, 'binary-changed', test.digest('0'), 'resolved', now(),
  'critical', 'no-known-update', false, '', '/old', test.digest('0'),
  test.at(-100 - 10 * i), test.at(-100 - 10 * i), 'x'
FROM generate_series(1, 2000) i
JOIN process_dna.agents g ON g.name = (ARRAY['a', 'b'])[1 + i % 2];
WITH m AS (
  INSERT INTO process_dna.process_dna_alerts
    (tenant_id, agent_id, kind, key, state, closed_at, severity, verdict,
     container, exe_path, exe_sha256, observed_at, last_seen, line,
     related_id, peer_agent_id, hops)
  SELECT tenant_id, agent_id, 'lateral-movement', key, state, closed_at,
    severity, verdict, container, exe_path, exe_sha256, observed_at,
    last_seen, line, alert_id, (SELECT agent_id FROM process_dna.agents
                                WHERE name = 'c'), '[]'
  FROM process_dna.process_dna_alerts WHERE exe_path = '/old'
  RETURNING *
), d AS (
  INSERT INTO process_dna.lateral_detections
    (tenant_id, agent_id, movement_id, alert_id, target_agent_id,
     event_arrived_at, event_id, auth_user, src_ip, src_agents, observed_at,
     trust, first_time)
  SELECT tenant_id, agent_id, alert_id, related_id, peer_agent_id,
    observed_at, 1, 'root', '192.0.2.1', '{}', observed_at, 'tls', true
  FROM m
)
INSERT INTO process_dna.lateral_reached
SELECT m.tenant_id, b.agent_id, m.alert_id, m.agent_id, m.observed_at
FROM m JOIN process_dna.agents b ON b.name IN ('b', 'c');
$$;
SELECT test.scan(:t, h, 0, ARRAY[test.exe('/p', 'a')],
    addresses => ARRAY['192.0.2.' || ascii(h) - 96])
  FROM unnest('{a,b,c}'::text[]) h;
SELECT test.scan(:t, 'h' || n, 0, '{}', addresses => ARRAY['10.0.0.' || n])
  FROM generate_series(1, 20) n;

-- The queue is mostly empty, and is when it is analyzed.
CREATE FUNCTION pg_temp.fill() RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.lateral_queue
    (tenant_id, event_arrived_at, event_id, movement_id)
  SELECT process_dna.tenant_id('t'), CASE WHEN i % 2 = 0 THEN now() END,
    CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 2 = 1 THEN i END
  FROM generate_series(100001, 105000) i
$$;
SAVEPOINT empty;
SELECT pg_temp.fill();
ROLLBACK TO empty;
ANALYZE process_dna.lateral_queue;
CREATE TEMP TABLE few AS SELECT * FROM pg_temp.measure(1000, 'b');

SELECT pg_temp.history();
CREATE TEMP TABLE many AS SELECT * FROM pg_temp.measure(1100, 'c');
SELECT pg_temp.analyze();
CREATE TEMP TABLE known AS SELECT * FROM pg_temp.measure(1200, 'd');
SELECT pg_temp.fill();
SELECT test.read() AS before \gset
SELECT FROM process_dna.lateral_work(:t);
SELECT cmp_ok(test.read() - :before, '<', 2000::bigint,
  'one call reads a part of the queue');

SELECT is(test.movements(:t) @> ARRAY['a b /p b critical resolved 1 root b>c',
    'a c /p b critical resolved 10 root c',
    'a b /p c warning resolved 1 root b>c',
    'a b /p d warning resolved 1 root b>c'], true, 'what is measured is done');
SELECT cmp_ok(few.detected, '>', 10::bigint, 'what is read is counted')
  FROM few;
SELECT is((SELECT setting FROM pg_settings WHERE name = 'enable_seqscan'), 'on',
  'settings are the default ones');
SELECT cmp_ok(many.logins, '<', 2 * few.logins,
  'logins read no more with history') FROM few, many;
SELECT cmp_ok(many.change, '<', 2 * few.change, 'nor does an alert')
  FROM few, many;
SELECT cmp_ok(many.detected, '<', 2 * few.detected, 'nor a detection')
  FROM few, many;
SELECT cmp_ok(many.hop, '<', 2 * few.hop, 'nor a hop') FROM few, many;
-- There are movements of the rounds before, whose hops are found anew.
SELECT cmp_ok(many.again, '<', 3 * few.again, 'nor an agent''s new name')
  FROM few, many;
SELECT cmp_ok(many.closed, '<', 2 * few.closed, 'nor closing')
  FROM few, many;
SELECT cmp_ok(known.logins, '<', 2 * few.logins, 'analyzed, logins')
  FROM few, known;
SELECT cmp_ok(known.change, '<', 2 * few.change, 'an alert') FROM few, known;
SELECT cmp_ok(known.detected, '<', 2 * few.detected, 'a detection')
  FROM few, known;
SELECT cmp_ok(known.hop, '<', 2 * few.hop, 'a hop') FROM few, known;
SELECT cmp_ok(known.again, '<', 4 * few.again, 'a new name') FROM few, known;
SELECT cmp_ok(known.closed, '<', 2 * few.closed, 'and closing read no more')
  FROM few, known;
SELECT * FROM finish();
ROLLBACK;
