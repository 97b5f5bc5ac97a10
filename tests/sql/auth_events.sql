-- Goal: lines of sshd become events of the right agents and times, once; nothing
-- in them keeps a batch from being written.
BEGIN;
SELECT no_plan();
SELECT test.tenant() AS t, test.tenant('other') AS o \gset
SELECT test.scan(:t, h.name, 0, ARRAY[test.exe('/p', 'a')],
    addresses => h.addresses)
  FROM (VALUES ('source', '{10.0.0.1,172.17.0.1}'::text[]),
    ('target', '{10.0.0.2,172.17.0.1}'), ('silent', '{10.0.0.3}')
    ) h (name, addresses);
SELECT test.scan(:o, 'target', 0, ARRAY[test.exe('/p', 'a')],
    addresses => '{10.0.0.1}');
SELECT process_dna.lateral_look(:t);
CREATE FUNCTION pg_temp.agent(p_tenant integer, p_name text) RETURNS bigint
LANGUAGE sql AS $$
  SELECT agent_id FROM process_dna.agents
  WHERE tenant_id = p_tenant AND name = p_name
$$;

-- What is kept of a line
SELECT process_dna.auth_ingest(:t, '{NULL}', '{target.example}',
  '{::ffff:10.0.0.9}', '{tcp}', '{accepted}', '{3}', '{publickey}', '{root}',
  '{t}', '{10.0.0.1}', '{10.0.0.1}', '{50022}', '{ED25519-CERT}',
  '{SHA256:x}', '{me}', '{"ID me"}', '{sshd-session}', '{77}',
  ARRAY[test.at(1)], '{t}', ARRAY[test.at(2)], '{f}',
  '{}', '{}', '{}', '{}', '{}', '{}', '{}');
SELECT is((SELECT to_jsonb(e) - 'event_id' FROM process_dna.auth_events e),
  jsonb_build_object('tenant_id', :t, 'arrived_at', test.at(2),
    'target_agent_id', pg_temp.agent(:t, 'target'),
    'log_host', 'target.example', 'log_peer', '10.0.0.9', 'trust', 'tcp',
    'outcome', 'accepted', 'success', true, 'method', 'publickey',
    'auth_user', 'root', 'user_known', true, 'src_ip', '10.0.0.1',
    'src_host', NULL, 'src_port', 50022,
    'src_agents', ARRAY[pg_temp.agent(:t, 'source')],
    'key_type', 'ED25519-CERT', 'key_fingerprint', 'SHA256:x', 'cert_id', 'me',
    'extra', 'ID me', 'program', 'sshd-session', 'pid', 77, 'repeat', 3,
    'stamped_at', test.at(1), 'observed_at', test.at(1), 'session_at', NULL),
  'all that a line says is kept');
SELECT results_eq(format($$SELECT event_arrived_at FROM
    process_dna.lateral_queue WHERE tenant_id = %s$$, :t),
  ARRAY[test.at(2)], 'and a login looked at');
DELETE FROM process_dna.lateral_queue;

-- Outcomes
SELECT test.auth(:t, 'outcome', 10, 'u', '10.0.0.1', outcome => o)
  FROM unnest('{accepted,failed,partial,invalid_user,not_allowed,max_attempts,
    root_refused,pam_failure,session_opened,starting_session,session_closed,
    postponed,malformed,nonsense}'::text[]) o;
SELECT results_eq($$SELECT outcome COLLATE "default", success FROM process_dna.auth_events
    WHERE log_host = 'outcome' ORDER BY event_id$$,
  $$VALUES ('accepted', true), ('failed', false), ('partial', false),
    ('invalid_user', false), ('not_allowed', false), ('max_attempts', false),
    ('root_refused', false), ('pam_failure', false)$$,
  'what tells of a login or an attempt is kept, one is a login');
SELECT is((SELECT count(*)::integer FROM process_dna.lateral_queue), 1,
  'and only that is looked at');

-- Time
UPDATE process_dna.agents SET last_arrived = test.at(100)
  WHERE name = 'target' AND tenant_id = :t;
UPDATE process_dna.agents SET last_arrived = test.at(90) WHERE name = 'silent';
CREATE FUNCTION pg_temp.observed(p_tenant integer, p_host text,
  p_trust text, p_stamped timestamptz, p_zoned boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_arrived timestamptz := test.at(102);
  v_event process_dna.auth_events;
BEGIN
  PERFORM process_dna.auth_ingest(p_tenant, '{NULL}', ARRAY[p_host], '{NULL}',
    ARRAY[p_trust], '{failed}', '{1}', '{password}', '{u}', '{t}',
    '{10.0.0.1}', '{NULL}', '{1}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{sshd}', '{1}', ARRAY[p_stamped], ARRAY[p_zoned], ARRAY[v_arrived], '{f}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}');
  DELETE FROM process_dna.auth_events WHERE arrived_at = v_arrived
  RETURNING * INTO v_event;
  IF isfinite(p_stamped)
     AND v_event.stamped_at IS DISTINCT FROM p_stamped THEN
    RETURN 'the stamp is lost';
  END IF;
  RETURN CASE v_event.observed_at WHEN p_stamped THEN 'stamp'
    WHEN v_arrived THEN 'arrival' END;
END $$;
SELECT is(pg_temp.observed(:t, n.h, n.s, test.at(102) + n.m::interval,
    n.z), n.o, n.w)
  FROM (VALUES
    ('target', 'udp', '0', false, 'stamp', 'a stamp is believed at arrival'),
    ('target', 'udp', '-600 s', false, 'stamp', 'and up to max-skew before'),
    ('target', 'udp', '-601 s', false, 'arrival',
     'not what is older, without a zone'),
    ('target', 'udp', '-601 s', true, 'stamp',
     'but with a zone, where scans say that the clock is right'),
    ('target', 'tls', '-9 days', true, 'stamp', 'however late it is'),
    ('silent', 'tls', '-601 s', true, 'arrival', 'not where none are heard'),
    ('unknown', 'tls', '-601 s', true, 'arrival', 'nor of an unknown host'),
    ('silent', 'tls', '-599 s', true, 'stamp', 'for which max-skew holds too'),
    ('silent', 'file', '-9 days', false, 'stamp',
     'a file is read as late as it likes'),
    ('silent', 'stdin', '-9 days', false, 'stamp', 'as is standard input'),
    ('silent', 'journal', '-9 days', false, 'stamp', 'and the journal'),
    ('target', 'file', '1 s', true, 'arrival', 'nothing has yet to happen'),
    ('target', 'tls', '10 years', true, 'arrival', 'in any year'),
    ('target', 'udp', '-50 years', true, 'stamp', 'nor is a year too far')
    ) n (h, s, m, z, o, w);
SELECT is(pg_temp.observed(:t, 'target', 'file', s, true), 'arrival',
    'a stamp that is none: ' || coalesce(s::text, 'null'))
  FROM unnest('{NULL,infinity,-infinity}'::timestamptz[]) s;

-- Where a login came from
SELECT test.auth(:t, 'target', 20, u, a, source => s)
  FROM (VALUES ('one', '10.0.0.1', NULL), ('own', '172.17.0.1', NULL),
    ('nobody', '10.9.9.9', NULL), ('loop', '127.0.0.1', NULL),
    ('mapped', '::ffff:10.0.0.1', NULL),
    ('scope', 'fe80::1', 'fe80::1%eth0'), ('name', NULL, 'source.example'),
    ('unknown', NULL, 'UNKNOWN')) n (u, a, s);
SELECT test.auth(:t, 'unknown', 20, 'both', '172.17.0.1');
SELECT results_eq(format($$SELECT e.auth_user COLLATE "default", host(e.src_ip), e.src_host,
      ARRAY(SELECT g.name FROM unnest(e.src_agents) s
            JOIN process_dna.agents g ON g.agent_id = s ORDER BY g.name)
    FROM process_dna.auth_events e WHERE arrived_at = %L ORDER BY event_id$$,
    test.at(20)),
  $$VALUES ('one', '10.0.0.1', NULL, '{source}'::text[]),
    ('own', '172.17.0.1', NULL, '{}'), ('nobody', '10.9.9.9', NULL, '{}'),
    ('loop', '127.0.0.1', NULL, '{}'), ('mapped', '10.0.0.1', NULL, '{source}'),
    ('scope', 'fe80::1', 'fe80::1%eth0', '{}'),
    ('name', NULL, 'source.example', '{}'), ('unknown', NULL, 'UNKNOWN', '{}'),
    ('both', '172.17.0.1', NULL, '{source,target}')$$,
  'a source is who had the address, unless the target has it');

-- What no source should hand over
SELECT lives_ok(format($$SELECT process_dna.auth_ingest(%s,
    '{NULL,NULL,NULL}', ARRAY[repeat('h', 9999), NULL, ''],
    '{10.0.0.999,10.0.0.0/8,NULL}', '{nonsense,NULL,TLS}',
    '{failed,failed,accepted}', '{0,-1,2147483647}',
    ARRAY[repeat('m', 9999), NULL, ''], ARRAY[repeat('\', 9999), NULL, ''],
    '{NULL,t,f}', '{x,999.0.0.1,""}', ARRAY[repeat('s', 9999), NULL, ''],
    '{-1,65536,NULL}', ARRAY[repeat('k', 9999), NULL, ''],
    ARRAY[repeat('f', 9999), NULL, ''], ARRAY[repeat('c', 9999), NULL, ''],
    ARRAY[repeat(E'\u2028', 9999), NULL, ''],
    ARRAY[repeat('p', 9999), NULL, ''],
    '{-1,NULL,9223372036854775807}',
    '{infinity,0001-01-01 BC,9999-12-31}', '{NULL,t,t}',
    '{2200-01-01,1970-01-01,NULL}', '{NULL,f,t}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}')$$, :t),
  'odd values are written as far as they can be');
SELECT results_eq(format($$SELECT log_host, log_peer, trust, method,
      auth_user, user_known, src_ip, src_host, src_port, pid, repeat, extra,
      extract(year FROM observed_at)::integer
    FROM process_dna.auth_events
    WHERE arrived_at NOT BETWEEN '2000-01-01' AND now() - interval '1 s'
    ORDER BY event_id$$),
  $$VALUES (repeat('h', 255) COLLATE "C", NULL::inet, 'udp' COLLATE "C",
      repeat('m', 64), repeat('\', 512) COLLATE "C", true, NULL::inet,
      repeat('s', 255), NULL::integer, NULL::bigint, 1,
      repeat(E'\u2028', 1024), 2200),
    ('', NULL, 'udp', NULL, '', true, NULL, NULL, NULL, NULL, 1, NULL, 1970),
    ('', NULL, 'udp', NULL, '', false, NULL, NULL, NULL, 9223372036854775807,
     2147483647, NULL, extract(year FROM now())::integer)$$,
  'cut, or left out');
DELETE FROM process_dna.auth_events
  WHERE arrived_at NOT BETWEEN '2000-01-01' AND now() - interval '1 s';
SELECT is_empty(format($$SELECT process_dna.auth_ingest(%s, '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}')$$, :t), 'nothing is nothing');

-- Written again
CREATE FUNCTION pg_temp.written(p_arrived timestamptz) RETURNS integer
LANGUAGE sql AS $$
  SELECT count(*)::integer FROM process_dna.auth_events
  WHERE arrived_at = p_arrived
$$;
SELECT test.auth(:t, 'target', 30, 'u', '10.0.0.1', again => true);
SELECT is(pg_temp.written(test.at(30)), 1,
  'what may have been written and was not is written');
SELECT test.auth(:t, 'target', 30, 'u', '10.0.0.1', again => true);
SELECT is(pg_temp.written(test.at(30)), 1, 'what was is not');
SELECT test.auth(:t, 'target', 29, 'u', '10.0.0.1', arrived => 30,
    again => true),
  test.auth(:t, 'target', 30, 'v', '10.0.0.1', again => true),
  test.auth(:t, 'target2', 30, 'u', '10.0.0.1', again => true),
  test.auth(:t, 'target', 30, 'u', '10.0.0.2', again => true),
  test.auth(:t, 'target', 30, 'u', '10.0.0.1', port => 7, again => true),
  test.auth(:t, 'target', 30, 'u', '10.0.0.1', pid => NULL, again => true),
  test.auth(:t, 'target', 30, 'u', '10.0.0.1', outcome => 'failed',
    again => true),
  test.auth(:o, 'target', 30, 'u', '10.0.0.1', again => true);
SELECT is(pg_temp.written(test.at(30)), 9,
  'another line of the same arrival is another one');
SELECT test.auth(:t, 'target', 30, 'u', '10.0.0.1', pid => NULL,
  again => true);
SELECT is(pg_temp.written(test.at(30)), 9, 'the same with what is not known');
SELECT test.auth(:t, 'target', 30, 'u', '10.0.0.1');
SELECT is(pg_temp.written(test.at(30)), 10, 'what says that it is new is');

-- Sessions: lines that come one by one, and in one batch in another order
CREATE TEMP TABLE lines AS SELECT *
  FROM (VALUES
    (200, 'target', 'accepted', 'u', '10.0.0.1', 1000, 5),
    (200.1, 'target', 'session_opened', 'u', NULL, 1000, NULL),
    (200.2, 'target', 'session_opened', 'u', NULL, 1000, NULL),
    (210, 'target', 'accepted', 'u', '10.0.0.1', 1001, 6),
    (210.1, 'target', 'starting_session', 'u', '10.0.0.1', 1002, 6),
    (220, 'target', 'accepted', 'u', '10.0.0.1', 1003, 7),
    (220.1, 'target', 'session_opened', 'v', NULL, 1003, NULL),
    (220.1, 'silent', 'session_opened', 'u', NULL, 1003, NULL),
    (220.1, 'target', 'session_opened', 'u', NULL, 1004, NULL),
    (220.1, 'target', 'starting_session', 'u', '10.0.0.1', 1005, 8),
    (220.1, 'target', 'starting_session', 'u', '10.0.0.4', 1005, 7),
    (221.1, 'target', 'session_opened', 'u', NULL, 1003, NULL),
    (230, 'target', 'failed', 'u', '10.0.0.1', 1006, 9),
    (230.1, 'target', 'session_opened', 'u', NULL, 1006, NULL),
    (240, 'unknown', 'accepted', '', '10.9.9.9', 1007, 10),
    (241, 'unknown', 'session_opened', '', NULL, 1007, NULL),
    (250, 'target', 'accepted', 'u', NULL, NULL, NULL),
    (250.1, 'target', 'session_opened', 'u', NULL, NULL, NULL),
    (260, 'target', 'accepted', 'u', '10.0.0.1', 1008, 11),
    (260.1, 'target', 'session_opened', 'u', NULL, 1008, NULL),
    (262, 'target', 'accepted', 'u', '10.0.0.1', 1008, 12),
    (262.2, 'target', 'session_opened', 'u', NULL, 1008, NULL)
  ) n (minute, host, outcome, auth_user, address, pid, port);
CREATE FUNCTION pg_temp.sessions(p_tenant integer) RETURNS text
LANGUAGE sql AS $$
  SELECT string_agg(round(extract(epoch FROM e.stamped_at - test.at(0)) / 60)
      || coalesce('+' || round(extract(epoch FROM e.session_at
                                             - e.stamped_at)), ''),
      ' ' ORDER BY e.stamped_at)
  FROM process_dna.auth_events e
  WHERE e.tenant_id = p_tenant AND e.stamped_at >= test.at(200) AND e.success
$$;
SELECT test.auth(:t, host, minute, auth_user, address, outcome => outcome,
    pid => pid, port => port) FROM lines;
SELECT test.auth(:o, 'target', 220.1, 'u', NULL, outcome => 'session_opened',
  pid => 1003);
SELECT is(pg_temp.sessions(:t), '200+6 210+6 220 240+60 250 260+6 262+12',
  'a session is that of its process or its client, within a minute; no other''s');
SELECT is_empty($$SELECT FROM process_dna.auth_events
  WHERE session_at IS NOT NULL AND NOT success$$, 'nor an attempt''s');
SELECT test.tenant('batch') AS b \gset
SELECT process_dna.auth_ingest(:b, a.none, a.host, a.none_text, a.trust,
    a.outcome, a.one, a.none_text, a.auth_user, a.yes, a.address, a.none_text,
    a.port, a.none_text, a.none_text, a.none_text, a.none_text, a.trust,
    a.pid, a.at, a.yes, a.arrived, a.no, '{}', '{}', '{}', '{}', '{}', '{}',
    '{}')
  FROM (SELECT array_agg(NULL::integer) AS none, array_agg(host) AS host,
      array_agg(NULL::text) AS none_text, array_agg('file'::text) AS trust,
      array_agg(outcome) AS outcome, array_agg(1) AS one,
      array_agg(auth_user) AS auth_user, array_agg(true) AS yes,
      array_agg(address) AS address, array_agg(port) AS port,
      array_agg(pid::bigint) AS pid, array_agg(test.at(minute)) AS at,
      array_agg(test.at(270)) AS arrived, array_agg(false) AS no
    FROM (SELECT * FROM lines ORDER BY hashtext(lines::text)) l) a;
SELECT is(pg_temp.sessions(:b), pg_temp.sessions(:t), 'the same in one batch');

-- Positions: lines of a file, each of a user of its own
CREATE FUNCTION pg_temp.file(p_tenant integer, p_paths text[],
  p_versions bigint[], p_positions bigint[], p_files integer[],
  p_users text[], p_follower text DEFAULT 'central')
RETURNS SETOF text LANGUAGE sql AS $$
  SELECT i.file || ' ' || i.taken
  FROM (SELECT array_agg(NULL::text) AS none, array_agg('target'::text) AS host,
          array_agg('file'::text) AS trust, array_agg('accepted'::text) AS outcome,
          array_agg(1) AS one, array_agg(true) AS yes, array_agg(false) AS no,
          array_agg(test.at(300)) AS at, array_agg(1::bigint) AS pid
        FROM unnest(p_users)) a,
    (SELECT array_agg(p_follower) AS follower, array_agg(7::bigint) AS number,
       array_agg('head'::text) AS head FROM unnest(p_paths)) f,
    process_dna.auth_ingest(p_tenant, p_files, a.host, a.none, a.trust,
      a.outcome, a.one, a.none, p_users, a.yes, a.none, a.none, a.one, a.none,
      a.none, a.none, a.none, a.none, a.pid, a.at, a.yes, a.at, a.no,
      f.follower, p_paths, f.number, f.number, f.head, p_positions,
      p_versions) i
$$;
CREATE FUNCTION pg_temp.users() RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(auth_user::text ORDER BY event_id)
  FROM process_dna.auth_events WHERE arrived_at = test.at(300)
$$;
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b,/a}', '{0,0}', '{10,20}',
    '{1,2,NULL,1}', '{b1,a1,net,b2}')), '{1 true,2 true}',
  'files that nobody has read are taken');
SELECT is(pg_temp.users(), '{b1,a1,net,b2}', 'with their lines');
SELECT is(ARRAY(SELECT p::text
    FROM process_dna.auth_positions_of(:t, 'central') p),
  '{"(/a,7,7,20,head,1)","(/b,7,7,10,head,1)"}', 'and go on from there');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/a,/b}', '{0,1}', '{21,11}',
    '{1,2,NULL}', '{a2,b3,net2}')), '{1 false,2 true}',
  'who believes a file unread that another one has read is refused');
SELECT is(pg_temp.users(), '{b1,a1,net,b2,b3,net2}',
  'with the lines of that file only');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b}', '{1}', '{5}', '{1}', '{b4}')),
  '{1 false}', 'as is who knows an older version');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b}', '{3}', '{5}', '{1}', '{b4}')),
  '{1 false}', 'or one that is yet to come');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/c}', '{1}', '{5}', '{1}', '{c1}')),
  '{1 false}', 'or is gone');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b,/a,/b,/b}', '{2,1,3,3}',
    '{12,22,13,14}', '{1,2,3,4}', '{b5,a3,b6,b7}')),
  '{1 true,2 true,3 true,4 false}', 'several runs of one file follow each other');
SELECT is(ARRAY(SELECT path || ' ' || position || ' ' || version
    FROM process_dna.auth_positions_of(:t, 'central')), '{/a 22 2,/b 13 4}',
  'to the last that was right');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b}', '{4}', '{0}', '{}', '{}')),
  '{1 true}', 'a file may begin anew, without a line');
SELECT is(ARRAY(SELECT pg_temp.file(:t, '{/b}', '{0}', '{1}', '{1}', '{x}',
    'elsewhere')) || ARRAY(SELECT pg_temp.file(:o, '{/b}', '{0}', '{1}', '{1}',
    '{y}')), '{1 true,1 true}', 'other hosts and tenants have their own');
SELECT is(pg_temp.users(), '{b1,a1,net,b2,b3,net2,b5,a3,b6,x,y}',
  'nothing is lost or doubled');

-- Who sends lines under a name that nobody knows
CREATE FUNCTION pg_temp.target(p_tenant integer, p_host text, p_peer text,
                               p_trust text DEFAULT 'tcp')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_agent bigint;
BEGIN
  PERFORM test.auth(p_tenant, p_host, 350, 'u', '10.9.9.9', peer => p_peer,
    outcome => 'failed', trust => p_trust);
  DELETE FROM process_dna.auth_events WHERE arrived_at = test.at(350)
  RETURNING target_agent_id INTO v_agent;
  RETURN (SELECT name FROM process_dna.agents WHERE agent_id = v_agent);
END $$;
DELETE FROM process_dna.auth_peers;
SELECT is(pg_temp.target(:t, h, p, u), e, w) FROM (VALUES
  ('renamed', '10.0.0.3', 'tcp', 'silent', 'whose address it is'),
  ('renamed', '10.0.0.3', 'udp', 'silent', 'over UDP as well'),
  ('source', '10.0.0.3', 'udp', 'source', 'a name counts for more'),
  ('renamed', '10.0.0.3', 'tcp', 'silent', 'and may be forged there'),
  ('source', '10.0.0.3', 'tcp', 'source', 'but over a connection'),
  ('renamed', '10.0.0.3', 'tcp', NULL, 'shows that it is a relay'),
  ('renamed', '10.0.0.3', 'udp', NULL, 'for good'),
  ('', '10.0.0.3', 'tcp', 'silent', 'which is asked for no name as before'),
  ('renamed', '10.0.0.1', 'tcp', 'source', 'others are none'),
  ('SOURCE.example', '10.0.0.1', 'tls', 'source', 'who says its own name'),
  ('renamed', '10.0.0.1', 'tcp', NULL, 'has no other')) n (h, p, u, e, w);
SELECT is(ARRAY(SELECT host(address) FROM process_dna.auth_peers
    WHERE tenant_id = :t ORDER BY address), '{10.0.0.1,10.0.0.3}',
  'these are remembered');
UPDATE process_dna.auth_peers SET seen_at = now() - interval '29 days'
  WHERE address = '10.0.0.1';
UPDATE process_dna.auth_peers SET seen_at = now() - interval '31 days'
  WHERE address = '10.0.0.3';
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.target(:t, 'renamed', '10.0.0.3'), 'silent',
  'for a month');
SELECT pg_temp.target(:t, 'source', '10.0.0.1');
SELECT is((SELECT seen_at FROM process_dna.auth_peers
    WHERE tenant_id = :t AND address = '10.0.0.1'), now(),
  'since the last time');

-- Hosts that become known
SELECT test.auth(:t, h, m, u, '10.0.0.1', outcome => o)
  FROM (VALUES (400, 'new.example', 'root', 'accepted'),
    (401, 'NEW', 'root', 'accepted'), (402, 'new.other', 'root', 'accepted'),
    (403, 'new.example', 'root', 'failed'),
    (404, 'alias', 'root', 'accepted')) n (m, h, u, o);
SELECT test.auth(:o, 'new.example', 400, 'root', '10.0.0.1');
CREATE FUNCTION pg_temp.unknown() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(log_host || ' ' || auth_user, ', ' ORDER BY event_id)
  FROM process_dna.auth_events
  WHERE arrived_at BETWEEN test.at(400) AND test.at(499)
    AND target_agent_id IS NULL
$$;
SELECT process_dna.lateral_work(:t) FROM generate_series(1, 3);
SELECT test.scan(:t, 'new.example', 405, ARRAY[test.exe('/p', 'a')],
  addresses => '{10.0.0.44}');
SELECT is(pg_temp.unknown(), 'new.example root, NEW root, new.other root,'
  || ' new.example root, alias root, new.example root',
  'logins on unknown hosts wait');
SELECT process_dna.lateral_look(:t);
SELECT is(pg_temp.unknown(),
  'new.other root, new.example root, alias root, new.example root',
  'and are linked when the host is known; attempts and other tenants are not');
SELECT results_eq(format($$SELECT e.log_host COLLATE "default" FROM
    process_dna.lateral_queue q
    JOIN process_dna.auth_events e ON e.event_id = q.event_id
    WHERE q.tenant_id = %s ORDER BY e.event_id$$, :t),
  $$VALUES ('new.example'), ('NEW')$$, 'they are looked at');
SELECT process_dna.address_add(:t, 'new.example', 'alias', 'me');
SELECT process_dna.lateral_look(:t);
SELECT is(pg_temp.unknown(),
  'new.other root, new.example root, new.example root',
  'as are those on another name of it');
SELECT test.auth(:t, 'alias2', 407, 'itself', '10.0.0.44');
SELECT process_dna.address_add(:t, 'new.example', 'alias2', 'me');
SELECT process_dna.lateral_look(:t);
SELECT row_eq($$SELECT target_agent_id IS NOT NULL, src_agents
  FROM process_dna.auth_events WHERE auth_user = 'itself'$$,
  ROW(true, '{}'::bigint[]), 'which is then no source of them itself');
SELECT test.auth(:t, 'bare', 408, 'root', '10.0.0.44');
SELECT test.scan(:t, 'bare.example', 409, ARRAY[test.exe('/p', 'a')],
  addresses => '{}');
SELECT process_dna.lateral_look(:t);
SELECT is(pg_temp.unknown(),
  'new.other root, new.example root, new.example root',
  'also if the host tells no address');
SELECT test.auth(:t, 'many', 410 + n * 0.01, 'root', '10.0.0.44')
  FROM generate_series(1, 501) n;
SELECT test.scan(:t, 'many', 450, ARRAY[test.exe('/p', 'a')],
  addresses => '{10.0.0.44}');
SELECT is(process_dna.auth_link(:t, pg_temp.agent(:t, 'many')), true,
  'many are linked some at a time');
SELECT is((SELECT count(*)::integer FROM process_dna.auth_events
    WHERE log_host = 'many' AND target_agent_id IS NULL), 1, 'five hundred');
SELECT is(process_dna.auth_link(:t, pg_temp.agent(:t, 'many')), false,
  'until there are no more');
SELECT is((SELECT count(*)::integer FROM process_dna.auth_events
    WHERE log_host = 'many'
      AND target_agent_id = pg_temp.agent(:t, 'many')
      AND src_agents = ARRAY[pg_temp.agent(:t, 'new.example')]), 501,
  'with who came');
SELECT process_dna.agents_retire(:t, 'many', 'me');
SELECT test.auth(:t, 'many.example', 460, 'root', '10.0.0.44');
SELECT process_dna.lateral_look(:t) FROM generate_series(1, 5);
SELECT matches(pg_temp.unknown(), 'many.example',
  'a retired agent is found by nothing but its own name');
SELECT process_dna.agents_reset(:t, 'many', 'me');
SELECT process_dna.lateral_look(:t);
SELECT doesnt_match(pg_temp.unknown(), 'many.example',
  'and what there was meanwhile is linked when it is back');
SELECT * FROM finish();
ROLLBACK;
