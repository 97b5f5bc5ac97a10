-- Goal: a trap tells all of its alert, in text, whatever of it is unknown.
BEGIN;
SELECT plan(13);
SELECT test.tenant() AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a',
  package => 'dpkg:n=1:amd64')], addresses => '{2001:db8::1,192.0.2.1}');
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'b', pid => 1842,
  package => 'dpkg:n=1:amd64')], addresses => '{2001:db8::1,192.0.2.1}');
CREATE TEMP TABLE taken AS
  SELECT * FROM process_dna.outbox_lease(:t, '{nms}', 'one', 30, 10);
SELECT is((SELECT to_jsonb(t) - 'outbox_id' - 'line' - 'key' FROM taken t),
  jsonb_build_object('sink', 'nms', 'attempts', 1,
    'trap', 'pdnaBinaryChanged', 'agent_address', '192.0.2.1',
    'kind', 'binary-changed', 'state', 'raised', 'severity', 'critical',
    'host', 'h', 'address', '192.0.2.1', 'container', '', 'exe_path', '/p',
    'baseline_sha256', test.digest('a'), 'observed_sha256', test.digest('b'),
    'pid', '1842', 'package', 'n 1', 'verdict', 'no-known-update',
    'mitre', 'T1036 T1554', 'peer_host', '', 'peer_address', '',
    'auth_user', '', 'related_key', '',
    'at', to_char(test.at(1) AT TIME ZONE 'UTC',
                  'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
  'the payload is all there, as text');
SELECT is((SELECT key FROM taken), encode(sha256(convert_to(
    't' || E'\x1f' || 'binary-changed' || E'\x1f' || 'h' || E'\x1f' || ''
    || E'\x1f' || '/p' || E'\x1f' || test.digest('b'), 'UTF8')), 'hex'),
  'the key is the hash that is promised');
SELECT matches((SELECT line FROM taken),
  '^h: /p .*bbbbbbbbbbbb.*\(no-known-update\).*/proc/1842/exe',
  'the line names host, path, digest, verdict and the evidence');
SELECT is((SELECT line FROM taken), (SELECT line
    FROM process_dna.process_dna_alerts WHERE tenant_id = :t),
  'and is the alert''s');

-- Everything that can be unknown is: no address, no digest, no baseline, a
-- silent agent, a silent fleet.
SELECT process_dna.configure_tenant('bare', 180, 3600, 1800, 'critical', '{}')
  AS t \gset
SELECT process_dna.register_sinks(:t, 'one', '{nms}');
SELECT test.scan(:t, 'h', m, ARRAY[test.exe('/u', 'a', 'unreadable',
    reason => 'denied'), test.exe('/s', 'b', 'spoofed')], addresses => '{}',
    host_id => NULL)
  FROM generate_series(0, 3) m;
SELECT test.scan(:t, 'six', 0, ARRAY[test.exe('/c', 'a', container => 'image')],
  addresses => '{2001:db8::1}');
SELECT test.scan(:t, 'six', 1, ARRAY[test.exe('/c', 'b', container => 'image',
  package => 'dpkg:nginx=1.2:amd64')], addresses => '{2001:db8::1}');
SELECT test.work(:t);
SELECT process_dna.agents_retire(:t, 'h', 'me');
SELECT test.scan(:t, 'f' || n, 0, '{}', addresses => '{}')
  FROM generate_series(1, 10) n;
SELECT test.work(:t);

CREATE TEMP TABLE got AS
  SELECT * FROM process_dna.outbox_lease(:t, '{nms}', 'one', 0, 100);
SELECT set_eq('SELECT trap || '' '' || state || '' '' || severity FROM got',
  $$VALUES ('pdnaBinaryChanged raised critical'),
    ('pdnaBinaryChanged raised warning'), ('pdnaAgentSilent raised warning'),
    ('pdnaFleetSilent raised critical')$$, 'there is a trap of each kind');
INSERT INTO got SELECT l.* FROM (SELECT process_dna.outbox_done(:t,
  (SELECT array_agg(outbox_id) FROM got)) IS NULL) d,
  process_dna.outbox_lease(:t, '{nms}', 'one', 0, 100) l;
SELECT is((SELECT count(*)::integer FROM got g
    WHERE EXISTS (SELECT FROM jsonb_each_text(to_jsonb(g)) WHERE value IS NULL)),
  0, 'whatever is unknown, no column is null');
SELECT set_eq($$SELECT DISTINCT agent_address || ' ' || address FROM got$$,
  $$VALUES ('0.0.0.0 '), ('0.0.0.0 2001:db8::1')$$,
  'an agent without an IPv4 address is 0.0.0.0 to trap receivers');
SELECT row_eq($$SELECT container, package FROM got WHERE exe_path = '/c'$$,
  ROW('image'::text, 'nginx 1.2'::text), 'container and package are told');
SELECT isnt_empty($$SELECT FROM got WHERE trap = 'pdnaAlertCleared'$$,
  'there are clears');
SELECT is_empty($$SELECT * FROM got WHERE trap = 'pdnaAlertCleared'
    AND (state, severity) <> ('cleared', 'cleared')
    OR line = '' OR key !~ '^[0-9a-f]{64}$'
    OR at !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'$$,
  'clears say so, and all traps have a line, a key and a time');

-- A movement: who is changed, who was reached, and by whom.
SELECT test.tenant('moved') AS t \gset
SELECT test.scan(:t, h, 0, ARRAY[test.exe('/p', 'a',
    package => 'dpkg:n=1:amd64')], addresses => ARRAY['192.0.2.' || n])
  FROM (VALUES ('a', 1), ('b', 2)) v (h, n);
SELECT test.scan(:t, 'a', 1, ARRAY[test.exe('/p', 'b', pid => 1842,
  package => 'dpkg:n=1:amd64')], addresses => '{192.0.2.1}');
SELECT test.auth(:t, 'b', 2, E'ro\not', '192.0.2.1');
SELECT test.lateral(:t);
SELECT process_dna.alerts_close(:t, array_agg(alert_id), 'resolved', 'me',
    'why', NULL)
  FROM process_dna.process_dna_alerts
  WHERE tenant_id = :t AND kind = 'binary-changed';
CREATE TEMP TABLE sent AS SELECT row_number() OVER (ORDER BY outbox_id) AS n,
    o.key, o.payload
  FROM process_dna.trap_outbox o WHERE tenant_id = :t AND sink = 'nms';
SELECT is((SELECT payload - 'line' FROM sent WHERE n = 2),
  jsonb_build_object('trap', 'pdnaLateralMovement',
    'agent_address', '192.0.2.1', 'kind', 'lateral-movement',
    'state', 'raised', 'severity', 'critical', 'host', 'a',
    'address', '192.0.2.1', 'container', '', 'exe_path', '/p',
    'baseline_sha256', test.digest('a'), 'observed_sha256', test.digest('b'),
    'pid', '1842', 'package', 'n 1', 'verdict', 'no-known-update',
    'mitre', 'T1078 T1036', 'peer_host', 'b', 'peer_address', '192.0.2.2',
    'auth_user', process_dna.printable(E'ro\not'),
    'related_key', (SELECT key FROM sent WHERE n = 1),
    'at', to_char(test.at(2) AT TIME ZONE 'UTC',
                  'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
  'a movement tells of both hosts, the user and the alert');
SELECT is((SELECT array_agg(payload->>'trap' || ' ' || (payload->>'kind') ORDER BY n)
    FROM sent), '{pdnaBinaryChanged binary-changed,
    pdnaLateralMovement lateral-movement,pdnaAlertCleared binary-changed,
    pdnaAlertCleared lateral-movement}', 'and is cleared with it');
SELECT matches((SELECT payload->>'line' FROM sent WHERE n = 4),
  '^a: /p: movement to b: cleared, why \(me\); it was no-known-update since',
  'in a line of its own');

SELECT * FROM finish();
ROLLBACK;
