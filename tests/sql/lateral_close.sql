-- Goal: movements end with their alert, whatever ends it, and each that was
-- raised is cleared once.
BEGIN;
SELECT plan(44);
SELECT test.tenant() AS t \gset
SELECT test.scan(:t, h, 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'a')],
    addresses => ARRAY['192.0.2.' || ascii(h) - 96])
  FROM unnest('{a,b,c}'::text[]) h;
CREATE FUNCTION pg_temp.scan(p_minute numeric, p_p text, p_q text DEFAULT 'a',
                             state text DEFAULT 'current')
RETURNS void LANGUAGE sql AS $$
  SELECT FROM test.scan(process_dna.tenant_id('t'), 'a', p_minute,
    ARRAY[test.exe('/p', p_p, state), test.exe('/q', p_q)],
    addresses => '{192.0.2.1}')
$$;
CREATE FUNCTION pg_temp.login(p_target text, p_minute numeric)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.auth(process_dna.tenant_id('t'), p_target, p_minute, 'root',
                    '192.0.2.1');
  RETURN test.lateral(process_dna.tenant_id('t'));
END $$;
-- What was sent since the last time.
CREATE FUNCTION pg_temp.sent() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := process_dna.tenant_id('t');
  v_sent text[] := test.movement_traps(v_tenant);
BEGIN
  PERFORM process_dna.outbox_done(v_tenant, array_agg(outbox_id))
    FROM process_dna.trap_outbox WHERE tenant_id = v_tenant;
  RETURN v_sent;
END $$;
CREATE FUNCTION pg_temp.alert(p_path text, p_digit text) RETURNS bigint
LANGUAGE sql AS $$
  SELECT max(alert_id) FROM process_dna.process_dna_alerts
  WHERE kind = 'binary-changed' AND exe_path = p_path
    AND exe_sha256 = test.digest(p_digit)
$$;
CREATE FUNCTION pg_temp.open() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM process_dna.process_dna_alerts
  WHERE kind = 'lateral-movement' AND state = 'open'
$$;

-- The trusted digest is back.
SELECT pg_temp.scan(10, 'b', '9');
SELECT is(pg_temp.login('b', 11), '2 2', 'two alerts, two movements');
SELECT is(pg_temp.login('c', 11), '2 2', 'and as many of another host');
SELECT is(cardinality(pg_temp.sent()), 4, 'all told of');
SELECT pg_temp.scan(20, 'a', '9');
SELECT is(pg_temp.sent(), '{"cleared cleared a b","cleared cleared a c"}',
  'the movements of the alert that is over are cleared');
SELECT results_eq($$SELECT target, state, why
    FROM process_dna.list_detections(process_dna.tenant_id('t'), true)
    WHERE path = '/p' ORDER BY target$$,
  $$VALUES ('b', 'resolved', 'the trusted digest is back'),
    ('c', 'resolved', 'the trusted digest is back')$$, 'as it was');
SELECT is(pg_temp.open(), 2::bigint, 'those of the other alert stay open');
SELECT is(pg_temp.login('b', 12), '2 0', 'a login that comes late is written');
SELECT is(pg_temp.sent(), '{}', 'and is no news: the movement is over');

-- A host that was not reached before the alert was over.
SELECT test.scan(:t, 'd', 0, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.4}');
SELECT is(pg_temp.login('d', 12), '2 2', 'a late login on a new host');
SELECT is(pg_temp.sent(), '{"raised critical a d","raised critical a d","cleared cleared a d"}',
  'is raised and cleared at once where the alert is over');
SELECT row_eq($$SELECT state, closed_at IS NOT NULL, why
    FROM process_dna.list_detections(process_dna.tenant_id('t'), true)
    WHERE path = '/p' AND target = 'd'$$,
  ROW('resolved'::text, true, 'the trusted digest is back'::text),
  'and closed as the alert is');

-- The same again is another alert, with movements of its own.
SELECT pg_temp.scan(100, 'b', '9');
SELECT is(pg_temp.login('b', 101), '1 1', 'it is raised again');
SELECT is(pg_temp.sent(), '{"raised warning a b"}', 'and told of');
SELECT is((SELECT count(DISTINCT key) || ' ' || count(*)
    FROM process_dna.list_detections(:t, true)
    WHERE path = '/p' AND target = 'b'), '1 2', 'under the same key');
-- A late login of the former one, on the host whose movement is open now.
SELECT is(pg_temp.login('d', 101), '1 1', 'one to d, too');
SELECT pg_temp.sent();
SELECT test.scan(:t, 'e', 0, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.5}');
SELECT is(pg_temp.login('e', 102), '1 1', 'and one to e');
SELECT is(pg_temp.sent(), '{"raised critical a e"}', 'both are open');
SELECT test.auth(:t, 'e', 9, 'root', '192.0.2.1', arrived => 200,
  trust => 'file');
SELECT is(test.lateral(:t), '2 2', 'of the former alert something is late');
SELECT is(pg_temp.sent(), '{"raised critical a e"}',
  'of /q it is raised, and of /p neither raised nor cleared: the same is open');
SELECT is(pg_temp.open(), 7::bigint, 'open are those of /q and the new ones');

-- Somebody accepts a movement.
SELECT alert_id AS moved FROM process_dna.list_detections(:t, false)
  WHERE path = '/p' AND target = 'b' \gset
SELECT is(process_dna.accept(:t, :moved, 'me', 'known'), 'accepted',
  'a movement can be accepted');
SELECT is(pg_temp.sent(), '{"cleared cleared a b"}', 'it is cleared');
SELECT row_eq(format($$SELECT state, who, why, baseline_match
    FROM process_dna.process_dna_alerts WHERE alert_id = %s$$, :moved),
  ROW('accepted'::text COLLATE "C", 'me'::text, 'known'::text, NULL::boolean),
  'with who and why');
SELECT row_eq(format($$SELECT state, baseline_match
    FROM process_dna.process_dna_alerts WHERE alert_id = %s$$,
    pg_temp.alert('/p', 'b')), ROW('open'::text COLLATE "C", false),
  'the alert stays as it is');
SELECT is(test.baseline(:t, '/p'), 'a first-use', 'and so does the baseline');
SELECT is(pg_temp.login('b', 103), '1 0', 'a further login is written');
SELECT is(pg_temp.sent(), '{}', 'and silent');
SELECT is(process_dna.accept(:t, :moved, 'me', 'known'), 'not open',
  'once is enough');
SELECT is((SELECT count(*) FROM process_dna.agent_events
    WHERE event = 'accepted' AND who = 'me' AND why = 'known'), 1::bigint,
  'the event is kept');

-- Somebody accepts the alert.
SELECT process_dna.accept(:t, pg_temp.alert('/p', 'b'), 'you', 'ours');
SELECT is(pg_temp.sent(), '{"cleared cleared a d","cleared cleared a e"}',
  'all open movements of an alert that is accepted are cleared');
SELECT is(pg_temp.login('c', 104), '0 0',
  'what is explained has no movements any more');
SELECT is(pg_temp.sent(), '{}', 'nor traps');
SELECT is(process_dna.lateral_judge(:t, (
    SELECT array_agg((a.alert_id, a.agent_id, a.observed_at, e.target_agent_id,
      e.arrived_at, e.event_id, e.observed_at, ARRAY[a.agent_id],
      NULL)::process_dna.lateral_pair)
    FROM process_dna.process_dna_alerts a, process_dna.auth_events e
    WHERE a.alert_id = pg_temp.alert('/p', 'b')
      AND e.observed_at = test.at(104))), '{}',
  'nor if it was explained just after it was looked at');

-- A manifest that comes later.
SELECT pg_temp.scan(300, 'c', '9');
SELECT is(pg_temp.login('b', 301), '1 1', 'another change');
SELECT process_dna.manifest_add(:t, '', '', '', '', test.digest('0'), 'file',
  '', 'me', NULL, NULL, '{/p}', ARRAY[test.digest('c')], '{f}');
SELECT test.work(:t);
SELECT is((SELECT state || ' ' || baseline_match
    FROM process_dna.process_dna_alerts
    WHERE alert_id = pg_temp.alert('/p', 'c')), 'resolved true',
  'a manifest explains it');
SELECT is(pg_temp.sent(), '{"raised warning a b","cleared cleared a b"}',
  'and takes the movement with it');
SELECT is(pg_temp.login('c', 302), '0 0', 'what comes then is nothing');

-- What is acknowledged, but never explained.
SELECT pg_temp.scan(400, 'd', '9', 'spoofed');
SELECT process_dna.accept(:t, pg_temp.alert('/p', 'd'), 'me', 'a test');
SELECT pg_temp.sent();
SELECT is(pg_temp.login('b', 401), '1 1', 'a login after that');
SELECT is(pg_temp.sent(), '{"raised warning a b","cleared cleared a b"}',
  'is raised and cleared as accepted');

-- An alert that turns out to be none of a change.
SELECT pg_temp.scan(500, 'e', '9');
SELECT pg_temp.login('b', 501);
SELECT pg_temp.sent();
SELECT process_dna.alerts_raise(:t,
  ARRAY[(a.agent_id, a.container, a.exe_path, a.exe_sha256, 'current', NULL,
    'service', 100, 0, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, '', '', '', '',
    false, true, NULL, NULL, 0, NULL, false, test.at(502), test.at(502)
  )::process_dna.observation],
  ARRAY[('new-binary', 'warning', false, false, NULL, NULL, NULL, NULL, NULL,
    false, false, false, NULL, NULL)::process_dna.judgement], true)
  FROM process_dna.process_dna_alerts a
  WHERE a.alert_id = pg_temp.alert('/p', 'e');
SELECT is(pg_temp.sent(), '{"cleared cleared a b"}',
  'a movement does not outlive what it follows from');
SELECT test.lateral(:t);

-- The agent is taken out of service.
SELECT pg_temp.scan(600, 'f', '9');
SELECT is(pg_temp.login('b', 601), '1 1', 'one more');
SELECT pg_temp.sent();
SELECT process_dna.agents_retire(:t, 'a', 'me');
SELECT is(pg_temp.open(), 0::bigint, 'with the agent all of it goes');

-- The same change came and went twice before the login came.
SELECT pg_temp.sent();
SELECT test.scan(:t, 'y', m, ARRAY[test.exe('/p', d)],
    addresses => '{192.0.2.50}')
  FROM (VALUES (0, 'a'), (300, 'b'), (301, 'a'), (302, 'b'), (303, 'a'))
    s (m, d);
SELECT test.auth(:t, 'b', 302, 'root', '192.0.2.50', arrived => 310,
  trust => 'file');
SELECT is(test.lateral(:t), '2 2', 'a login that two alerts of one key have');
SELECT is(pg_temp.sent(), '{"raised critical y b","cleared cleared y b"}',
  'is told of once');
SELECT * FROM finish();
ROLLBACK;
