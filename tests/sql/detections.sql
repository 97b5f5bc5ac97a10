-- Goal: movements, their logins and their hops are told as the commands show
-- them: in a list, as a graph, and with all that an explanation needs.
BEGIN;
SELECT plan(20);
SELECT test.tenant() AS t \gset

-- a and c are changed; somebody came from a to b, and from b on to c.
SELECT test.scan(:t, h, 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'a')],
    addresses => ARRAY['192.0.2.' || n])
  FROM unnest('{a,b,c,B}'::text[]) WITH ORDINALITY u (h, n);
SELECT test.scan(:t, 'a', 1, ARRAY[test.exe('/p', 'b'), test.exe('/q', 'b')],
  addresses => '{192.0.2.1}');
SELECT test.scan(:t, 'c', 3, ARRAY[test.exe('/q', 'c', container => 'image'),
    test.exe('/p', 'c')], addresses => '{192.0.2.3}');
SELECT agent_id AS a FROM process_dna.agents WHERE name = 'a' \gset
SELECT agent_id AS b FROM process_dna.agents WHERE name = 'b' \gset
SELECT agent_id AS c FROM process_dna.agents WHERE name = 'c' \gset
SELECT alert_id AS ap, key AS apk FROM process_dna.process_dna_alerts
  WHERE agent_id = :a AND exe_path = '/p' \gset
SELECT alert_id AS aq FROM process_dna.process_dna_alerts
  WHERE agent_id = :a AND exe_path = '/q' \gset
SELECT alert_id AS cp, key AS cpk FROM process_dna.process_dna_alerts
  WHERE agent_id = :c AND exe_path = '/p' \gset

-- A movement of an alert, as lateral_work makes it.
CREATE FUNCTION pg_temp.movement(p_alert bigint, p_peer bigint,
  p_severity text, p_hops jsonb) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO process_dna.process_dna_alerts
    (tenant_id, agent_id, kind, key, severity, verdict, container, exe_path,
     exe_sha256, exe_state, baseline_sha256, pid, observed_at, last_seen, line,
     related_id, peer_agent_id, hops)
  SELECT tenant_id, agent_id, 'lateral-movement', encode(sha256(
      convert_to(p_alert || ' ' || p_peer, 'UTF8')), 'hex'), p_severity,
    verdict, container, exe_path, exe_sha256, exe_state, baseline_sha256, pid,
    test.at(1), test.at(2), 'a line', p_alert, p_peer, p_hops
  FROM process_dna.process_dna_alerts WHERE alert_id = p_alert
  RETURNING alert_id
$$;
CREATE FUNCTION pg_temp.login(p_movement bigint, p_minute numeric,
  p_user text, p_method text, p_port integer, p_first boolean,
  p_trust text DEFAULT 'tls', p_src bigint[] DEFAULT NULL,
  p_session timestamptz DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.lateral_detections
    (tenant_id, agent_id, movement_id, alert_id, target_agent_id,
     event_arrived_at, event_id, auth_user, method, src_ip, src_port,
     src_agents, observed_at, trust, session_at, first_time)
  SELECT tenant_id, agent_id, alert_id, related_id, peer_agent_id,
    test.at(p_minute), p_port, p_user, p_method, '192.0.2.1', p_port,
    coalesce(p_src, ARRAY[agent_id]), test.at(p_minute), p_trust, p_session,
    p_first
  FROM process_dna.process_dna_alerts WHERE alert_id = p_movement
$$;
CREATE FUNCTION pg_temp.hop(p_from text, p_to text, p_minute numeric,
  p_user text, p_port integer, p_changed jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE sql AS $$
  SELECT jsonb_build_object('from', p_from, 'to', p_to, 'user', p_user,
    'method', 'publickey', 'key', 'SHA256:k', 'address', '192.0.2.1',
    'port', p_port, 'at', test.at(p_minute), 'trust', 'tls',
    'ambiguous', p_from = 'b',
    'changed', p_changed)
$$;

SELECT pg_temp.movement(:ap, :b, 'critical', jsonb_build_array(
    pg_temp.hop('a', 'b', 1, 'root', 1),
    pg_temp.hop('b', 'c', 2, 'bob', 9, jsonb_build_object('alert_id', :cp,
      'key', :'cpk', 'path', '/p', 'sha256', test.digest('c'))))) AS m1 \gset
SELECT pg_temp.movement(:aq, :b, 'warning', jsonb_build_array(
    pg_temp.hop('a', 'b', 1, 'root', 1),
    pg_temp.hop('b', 'c', 2, 'bob', 9))) AS m2 \gset
SELECT pg_temp.login(:m1, 1, 'root', 'publickey', 1, true);
SELECT pg_temp.login(:m1, 2, 'root', 'publickey', 2, false, 'udp',
                     ARRAY[:a, :c]::bigint[]);
SELECT pg_temp.login(:m1, 1.5, 'root', 'password', 3, false, 'tls', NULL,
                     test.at(2));
SELECT pg_temp.login(:m2, 1, 'root', 'publickey', 1, false);

SELECT results_eq(format($$SELECT host, address, alert_id, container, path,
      left(observed_sha256, 1), verdict
    FROM process_dna.detection_hosts(%s, false)$$, :t),
  format($$VALUES
    ('a', '192.0.2.1', %s::bigint, '', '/p', 'b', 'no-known-update'),
    ('a', '192.0.2.1', %s, '', '/q', 'b', 'no-known-update'),
    ('b', '192.0.2.2', NULL, NULL, NULL, NULL, NULL),
    ('c', '192.0.2.3', %s, '', '/p', 'c', 'no-known-update')$$,
    :ap, :aq, :cp), 'a host has a row for each change, or one without');
SELECT results_eq(format($$SELECT source, target, auth_user, method, logins,
      first_login, last_login, severity, open, first_time, ambiguous
    FROM process_dna.detection_edges(%s, false)$$, :t),
  $$VALUES
    ('a', 'b', 'root', 'password', 1::bigint, test.at(1.5), test.at(1.5),
     'critical', true, false, false),
    ('a', 'b', 'root', 'publickey', 2, test.at(1), test.at(2), 'critical',
     true, true, true),
    ('b', 'c', 'bob', 'publickey', 1, test.at(2), test.at(2), 'critical',
     true, false, true)$$,
  'a login of two movements counts once, and so does a hop');
SELECT results_eq(format($$SELECT source, target, auth_user, method,
      key_fingerprint, src_ip, src_port, at, trust, ambiguous, changed_id, changed_key,
      changed_container, changed_path, left(changed_sha256, 1), changed_verdict
    FROM process_dna.detection_hops(%s, %s)$$, :t, :m1),
  format($$VALUES
    ('a', 'b', 'root', 'publickey', 'SHA256:k', '192.0.2.1', '1', test.at(1),
     'tls', false, NULL::bigint, NULL, NULL, NULL, NULL, NULL),
    ('b', 'c', 'bob', 'publickey', 'SHA256:k', '192.0.2.1', '9', test.at(2),
     'tls', true, %s, %L, '', '/p', 'c', 'no-known-update')$$, :cp, :'cpk'),
  'hops come in the order of time, with the change where they lead to');
SELECT is_empty(format($$SELECT * FROM process_dna.detection_hops(%s, %s)$$,
  :t, :ap), 'another alert has no hops');

SELECT row_eq(format($$SELECT kind, host, path, pid, mitre, peer_host,
      peer_address, related_id, users, source_addresses, sources, least_trust,
      logins, logins_confirmed, first_login, last_login, first_time, ambiguous,
      movements
    FROM process_dna.alert_facts(%s, '%s')$$, :t, :m1),
  ROW('lateral-movement'::text, 'a'::text, '/p'::text, 100, 'T1078 T1036'::text,
      'b'::text, '192.0.2.2'::text, :ap::bigint, 'root'::text,
      '192.0.2.1'::text, 'a, c'::text, 'udp'::text, 3::bigint, 1::bigint,
      test.at(1), test.at(2), true, true, NULL::text),
  'a movement has the facts of its alert and what its logins have in common');
SELECT row_eq(format($$SELECT related_key, related_at
    FROM process_dna.alert_facts(%s, '%s')$$, :t, :m1),
  ROW(:'apk'::text, test.at(1)), 'it names the alert that it follows from');
SELECT row_eq(format($$SELECT movements, peer_host, logins
    FROM process_dna.alert_facts(%s, '%s')$$, :t, :ap),
  ROW(:'m1'::text, NULL::text, NULL::bigint), 'and that names it');
SELECT is((SELECT least_trust FROM process_dna.alert_facts(:t, :'m2')), 'tls',
  'the trust of another is its own');
SELECT results_eq(format($$SELECT kind, host, peer_host
    FROM process_dna.list_alerts(%s, false, false)
    WHERE alert_id IN (%s, %s) ORDER BY 1$$, :t, :ap, :m1),
  $$VALUES ('binary-changed', 'a', NULL), ('lateral-movement', 'a', 'b')$$,
  'listed among the alerts it has its target');

-- What is closed is shown when all is asked for, and is not open then.
UPDATE process_dna.process_dna_alerts SET state = 'resolved', closed_at = now()
  WHERE alert_id = :m1;
SELECT results_eq(format($$SELECT source, target, auth_user, method, logins,
      severity, open, first_time
    FROM process_dna.detection_edges(%s, false)$$, :t),
  $$VALUES ('a', 'b', 'root', 'publickey', 1::bigint, 'warning', true, false),
           ('b', 'c', 'bob', 'publickey', 1, 'warning', true, false)$$,
  'what is over is in no graph');
SELECT results_eq(format($$SELECT source, target, method, logins, severity, open
    FROM process_dna.detection_edges(%s, true)$$, :t),
  $$VALUES ('a', 'b', 'password', 1::bigint, 'critical', false),
           ('a', 'b', 'publickey', 2, 'critical', true),
           ('b', 'c', 'publickey', 1, 'critical', true)$$,
  'unless all are wanted');
SELECT results_eq(format($$SELECT host, alert_id
    FROM process_dna.detection_hosts(%s, false)$$, :t),
  format($$VALUES ('a', %s::bigint), ('b', NULL), ('c', NULL)$$, :aq),
  'nor are its changes');
UPDATE process_dna.process_dna_alerts SET state = 'resolved', closed_at = now()
  WHERE alert_id = :m2;
SELECT is_empty(format($$SELECT FROM process_dna.detection_hosts(%s, false)$$,
  :t), 'without movements there is no host');

-- Names in the order of their bytes, as the graph looks them up.
SELECT agent_id AS upper FROM process_dna.agents WHERE name = 'B' \gset
SELECT pg_temp.movement(:aq, :upper, 'warning', '[]') AS m3 \gset
SELECT pg_temp.login(:m3, 1, 'Root', NULL, 4, false);
SELECT is((SELECT array_agg(host) FROM
    process_dna.detection_hosts(:t, true)), '{B,a,a,b,c}',
  'capitals come first');
SELECT is((SELECT method FROM process_dna.detection_edges(:t, false)), '',
  'no method is an empty one');

-- Another tenant has none of it.
SELECT test.tenant('other') AS o \gset
SELECT is_empty(format($$SELECT FROM process_dna.%I(%s, true)$$, f, :o),
    f || ' is of one tenant')
  FROM unnest('{list_detections,detection_hosts,detection_edges}'::text[]) f;
SELECT is_empty(format($$SELECT FROM process_dna.%I(%s, %s)$$, f, :o, :m1),
    f || ' is of one tenant')
  FROM unnest('{detection_hops,movement_facts}'::text[]) f;

SELECT * FROM finish();
ROLLBACK;
