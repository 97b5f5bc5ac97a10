-- Goal: an unexplained change and a login from that host within the window, in
-- whatever order they come, are one movement with one trap, and nothing else is.
BEGIN;
SELECT plan(39);
SELECT test.tenant() AS t \gset

-- The hosts a to f, 192.0.2.1 and so on, run what they are trusted with.
CREATE FUNCTION pg_temp.scan(p_tenant integer, p_host text, p_minute numeric,
                             p_digit text, arrived numeric DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM test.scan(p_tenant, p_host, p_minute,
    ARRAY[test.exe('/usr/sbin/sshd', p_digit)], arrived => arrived,
    addresses => ARRAY['192.0.2.' || ascii(p_host) - 96])
$$;
SELECT pg_temp.scan(:t, h, 0, 'a') FROM unnest('{a,b,c,d,e,f}'::text[]) h;

-- The plain case, with what makes none around it.
SELECT test.auth(:t, 'c', 8, 'root', '192.0.2.2');
SELECT test.auth(:t, 'b', 9, 'root', '192.0.2.1', outcome => 'failed');
SELECT test.auth(:t, 'b', 9, 'root', '192.0.2.77');
SELECT test.auth(:t, 'a', 9, 'root', '192.0.2.1');
SELECT test.auth(:t, 'nobody', 9, 'root', '192.0.2.1');
SELECT is(test.lateral(:t), '0 0', 'logins alone are nothing');
SELECT pg_temp.scan(:t, 'a', 10, 'b');
SELECT is(test.lateral(:t), '0 0',
  'nor are, with a change, a failure, a login from elsewhere, on the host itself, and on no agent');
SELECT test.auth(:t, 'b', 12, 'root', '192.0.2.1');
SELECT is(test.lateral(:t), '1 1', 'a login after the change is detected');
SELECT is(test.movements(:t),
  '{"a b /usr/sbin/sshd b critical open 1 root b"}', 'as a movement');
SELECT is(test.movement_traps(:t), '{"raised critical a b"}', 'with a trap');
SELECT is(test.lateral(:t), '0 0', 'once');
SELECT is((SELECT array_agg(lateral_work::text)
    FROM process_dna.lateral_work(:t)), '{"(0,0,f)"}', 'and then there is no more');

-- What the rows have.
SELECT row_eq($$SELECT a.kind, a.state, a.verdict, a.container, a.exe_path,
    a.exe_sha256, a.baseline_sha256, a.baseline_match, a.pid, r.kind,
    a.observed_at, a.last_seen, a.seen, b.name
  FROM process_dna.process_dna_alerts a
  JOIN process_dna.process_dna_alerts r
    ON r.alert_id = a.related_id AND r.agent_id = a.agent_id
  JOIN process_dna.agents b ON b.agent_id = a.peer_agent_id
  WHERE a.kind = 'lateral-movement'$$,
  ROW('lateral-movement'::text, 'open'::text COLLATE "C",
    'no-known-update'::text, ''::text COLLATE "C",
    '/usr/sbin/sshd'::text COLLATE "C", test.digest('b') COLLATE "C",
    test.digest('a'), NULL::boolean, 100, 'binary-changed'::text,
    test.at(12), test.at(12), 1::bigint, 'b'::text),
  'a movement has the facts of the alert, and is about no digest itself');
SELECT row_eq($$SELECT auth_user, method, key_fingerprint, src_ip, src_port,
    cardinality(sources), at, stamped_at, arrived_at, trust, session_at,
    first_time
  FROM process_dna.detection_logins(process_dna.tenant_id('t'), (
    SELECT max(alert_id) FROM process_dna.process_dna_alerts))$$,
  ROW('root'::text, 'publickey'::text, 'SHA256:key'::text, '192.0.2.1'::text,
    50000, 1, test.at(12), test.at(12), test.at(12), 'tls'::text,
    NULL::timestamptz, true),
  'a detection has those of the login');
SELECT test.auth(:t, 'b', 12.1, 'root', '192.0.2.1',
  outcome => 'session_opened');
SELECT is((SELECT corroborated FROM process_dna.list_detections(:t, false)),
  true, 'a session that is told of later is seen with it');
SELECT is((SELECT key FROM process_dna.list_detections(:t, false)),
  encode(sha256(convert_to(concat_ws(E'\x1f', 't', 'lateral-movement', 'a', '',
    '/usr/sbin/sshd', test.digest('b') || ' b'), 'UTF8')), 'hex'),
  'the key is of both hosts');
SELECT is((SELECT jsonb_object_agg(key, value)
    FROM process_dna.list_status(:t) WHERE key LIKE 'lateral-%'),
  '{"lateral-movements": "1", "lateral-waiting": "0"}', 'status counts them');

-- Further logins update the movement; other targets have movements of their own.
SELECT test.auth(:t, 'b', m, 'root', '192.0.2.1')
  FROM unnest('{11,13,14}'::numeric[]) m;
SELECT test.auth(:t, 'b', 13.5, 'admin', '192.0.2.1');
SELECT test.auth(:t, 'c', 13, 'root', '192.0.2.1');
SELECT is(test.lateral(:t), '5 1', 'five more logins are one more movement');
SELECT is(test.movements(:t), '{"a b /usr/sbin/sshd b critical open 5 admin,root b",
    "a c /usr/sbin/sshd b critical open 1 root c"}', 'of the other host');
SELECT is(test.movement_traps(:t), '{"raised critical a b","raised critical a c"}',
  'and one more trap');
SELECT row_eq($$SELECT observed_at, last_seen, seen
    FROM process_dna.process_dna_alerts
    WHERE kind = 'lateral-movement' ORDER BY alert_id LIMIT 1$$,
  ROW(test.at(11), test.at(14), 5::bigint), 'the movement has all its logins');
SELECT process_dna.outbox_done(:t, array_agg(outbox_id))
  FROM process_dna.trap_outbox;

-- The edges, to the microsecond. 1/60e6 of a minute is one.
SELECT pg_temp.scan(:t, 'd', 30, 'b');
SELECT test.auth(:t, 'e', m, 'root', '192.0.2.4') FROM unnest(ARRAY[
  25 - 1/60e6, 35 + 1/60e6]) m;
SELECT is(test.lateral(:t), '0 0', 'a microsecond off the window is outside');
SELECT test.auth(:t, 'e', m, 'root', '192.0.2.4')
  FROM unnest(ARRAY[25, 35]) m;
SELECT is(test.lateral(:t), '2 1', 'the window''s ends are within');
SELECT is((SELECT array_agg(at ORDER BY at)
    FROM process_dna.detection_logins(:t, (SELECT max(alert_id)
      FROM process_dna.process_dna_alerts))),
  ARRAY[test.at(25), test.at(35)], 'these, and before the change as well');
SELECT test.auth(:t, 'e', m, 'root', '192.0.2.4') FROM unnest(ARRAY[
  45 - 1/60e6, 45, 55, 55 + 1/60e6]) m;
SELECT is(test.lateral(:t), '0 0', 'logins that come first');
SELECT pg_temp.scan(:t, 'd', 50, 'c');
SELECT is(test.lateral(:t), '2 1', 'are within the same window');
UPDATE process_dna.tenants SET lateral_window_s = 301 WHERE tenant_id = :t;
INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
  SELECT tenant_id, alert_id FROM process_dna.process_dna_alerts
  WHERE observed_at = test.at(30);
SELECT is(test.lateral(:t), '2 0', 'the window is the tenant''s');
UPDATE process_dna.tenants SET lateral_window_s = 300 WHERE tenant_id = :t;

-- Late, on either side.
SELECT pg_temp.scan(:t, 'e', 100, 'b');
SELECT is(test.lateral(:t), '0 0', 'an alert waits for its login');
SELECT test.auth(:t, 'f', 99, 'root', '192.0.2.5', arrived => 400,
  trust => 'file');
SELECT is(test.lateral(:t), '1 1', 'which may come hours late');
SELECT test.auth(:t, 'e', 203, 'root', '192.0.2.6');
SELECT is(test.lateral(:t), '0 0', 'a login waits for its alert');
SELECT pg_temp.scan(:t, 'f', 200, 'b', arrived => 500);
SELECT is(test.lateral(:t), '1 1', 'which may come hours late as well');
SELECT pg_temp.scan(:t, 'c', 300, 'b');
SELECT test.auth(:t, 'd', 302, 'root', '192.0.2.3');
SELECT is(test.lateral(:t), '1 1', 'and both may wait together');

-- Idempotent: everything again, in one go and doubled.
CREATE TEMP TABLE before AS SELECT test.movements(:t) AS movements,
  test.movement_traps(:t) AS traps;
INSERT INTO process_dna.lateral_queue
  (tenant_id, alert_id, event_arrived_at, event_id)
SELECT q.* FROM (
  SELECT tenant_id, alert_id, NULL::timestamptz, NULL::bigint
  FROM process_dna.process_dna_alerts
  UNION ALL
  SELECT tenant_id, NULL, arrived_at, event_id FROM process_dna.auth_events) q,
  generate_series(1, 2);
INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
  SELECT tenant_id, agent_id FROM process_dna.agents;
INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT tenant_id, alert_id FROM process_dna.process_dna_alerts
  WHERE kind = 'lateral-movement';
SELECT is(test.lateral(:t), '0 0', 'looked at again nothing is found');
SELECT is(test.movements(:t), movements, 'nothing changes') FROM before;
SELECT is(test.movement_traps(:t), traps, 'and nothing is sent') FROM before;
INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
  VALUES (:t, 4711);
INSERT INTO process_dna.lateral_queue (tenant_id, event_arrived_at, event_id)
  VALUES (:t, test.at(1), 4711);
INSERT INTO process_dna.lateral_queue (tenant_id, agent_id) VALUES (:t, 4711);
INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  VALUES (:t, 4711);
SELECT is(test.lateral(:t), '0 0', 'what is not there is no matter');

-- Every kind of unexplained change counts, and none that is explained.
SELECT test.scan(:t, 'h' || n, 0, ARRAY[test.exe('/p', 'a')],
  addresses => ARRAY['198.51.100.' || n]) FROM generate_series(1, 5) n;
SELECT test.scan(:t, 'h1', 500, ARRAY[test.exe('/p', 'a'),
  test.exe('/p', 'b', 'spoofed')], addresses => '{198.51.100.1}');
SELECT test.scan(:t, 'h2', 500, ARRAY[test.exe('/p', 'a'),
  test.exe('/memfd:x', 'b', 'anonymous')], addresses => '{198.51.100.2}');
SELECT test.scan(:t, 'h3', 500, ARRAY[test.exe('/p', 'a'),
  test.exe('/new', 'b')], addresses => '{198.51.100.3}');
SELECT test.scan(:t, 'h4', 497 + n, ARRAY[test.exe('/p', 'a'),
  test.exe('/u', 'b', 'unreadable', reason => 'denied')],
  addresses => '{198.51.100.4}') FROM generate_series(1, 3) n;
SELECT test.auth(:t, 'h5', 501, 'root', '198.51.100.' || n)
  FROM generate_series(1, 4) n;
SELECT is(test.lateral(:t), '2 2', 'logins are looked at');
SELECT set_eq($$SELECT source || ' ' || verdict
    FROM process_dna.list_detections(process_dna.tenant_id('t'), false)
    WHERE target = 'h5'$$,
  $$VALUES ('h1 spoofed'), ('h2 never-on-disk')$$,
  'what no digest excuses is unexplained; new or unreadable says nothing');

-- One alert and login each, however many alerts there are.
SELECT test.scan(:t, 'h5', 600, ARRAY[test.exe('/p', 'b'),
  test.exe('/p', 'c', container => 'image'), test.exe('/memfd:y', 'd',
  'anonymous')], addresses => '{198.51.100.5}');
SELECT test.auth(:t, 'h4', 601, 'root', '198.51.100.5');
SELECT is(test.lateral(:t), '2 2', 'a login may belong to several alerts');
SELECT matches((SELECT line FROM process_dna.list_detections(:t, false)
    WHERE target = 'h4' AND path = '/p'),
  '^h5: /p is not what was trusted \(no-known-update\), and at .* root logged on from there to h4 with publickey SHA256:key, for the first time in 30 days\. First: on h4',
  'the line names both hosts, path and user');

-- Two tenants with the same hosts and addresses.
SELECT test.tenant('other') AS o \gset
SELECT pg_temp.scan(t, h, m, 'a') FROM unnest(ARRAY[:t, :o]) t,
  unnest('{a,b}'::text[]) h, generate_series(700, 701) m;
SELECT pg_temp.scan(:o, 'a', 710, 'c');
SELECT test.auth(:t, 'b', 711, 'root', '192.0.2.1');
SELECT is(test.lateral(:t) || test.lateral(:o), '0 00 0',
  'a change and a login of two tenants have nothing to do with each other');
SELECT test.auth(:o, 'b', 711, 'root', '192.0.2.1');
SELECT is(test.lateral(:t) || test.lateral(:o), '0 01 1',
  'of one they have, and the other does not see it');
SELECT is(test.movements(:o),
  '{"a b /usr/sbin/sshd c critical open 1 root b"}', 'it is the tenant''s');
SELECT is((SELECT count(*)::integer FROM process_dna.lateral_queue), 0,
  'nothing is left in the queue');

SELECT * FROM finish();
ROLLBACK;
