-- Goal: a trap is written for each sink, goes to one correlator at a time,
-- never before what it follows on, and comes back when its lease ends.
BEGIN;
SELECT plan(22);
SELECT test.tenant() AS t \gset
SELECT process_dna.register_sinks(:t, 'one', '{nms,mail}');
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a',
  package => 'dpkg:n=1:amd64')], addresses => '{2001:db8::1,192.0.2.1}');
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'b', pid => 1842,
  package => 'dpkg:n=1:amd64')], addresses => '{2001:db8::1,192.0.2.1}');
SELECT results_eq(format('SELECT sink COLLATE "default"
    FROM process_dna.trap_outbox WHERE tenant_id = %s ORDER BY 1', :t),
  $$VALUES ('mail'), ('nms')$$, 'each sink gets a row, once however named');

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

SELECT is_empty(format($$SELECT * FROM process_dna.outbox_lease(%s, '{nms}',
    'two', 30, 10)$$, :t), 'what is leased goes to nobody else');
SELECT is((SELECT sink FROM process_dna.outbox_lease(:t, '{mail}', 'two', 30,
    10)), 'mail', 'another sink''s row is free');
SELECT is_empty(format($$SELECT * FROM process_dna.outbox_lease(%s, '{x}',
    'two', 30, 10)$$, :t), 'nobody gets what he did not ask for');

-- A clear waits for its alert, sink by sink.
SELECT test.scan(:t, 'h', 2, ARRAY[test.exe('/p', 'a',
  package => 'dpkg:n=1:amd64')], addresses => '{2001:db8::1,192.0.2.1}');
SELECT is_empty(format($$SELECT * FROM process_dna.outbox_lease(%s,
    '{nms,mail}', 'two', 30, 10)$$, :t), 'a clear does not overtake its alert');
UPDATE process_dna.trap_outbox SET due_at = now() - interval '1 s'
WHERE tenant_id = :t AND leased_by = 'one';
SELECT results_eq(format($$SELECT state, attempts
    FROM process_dna.outbox_lease(%s, '{nms}', 'two', 30, 10)$$, :t),
  $$VALUES ('raised', 2)$$, 'an expired lease is taken again');
SELECT process_dna.outbox_done(:t, ARRAY[outbox_id]) FROM taken;
SELECT results_eq(format($$SELECT state, severity, trap, attempts
    FROM process_dna.outbox_lease(%s, '{nms}', 'one', 30, 10)$$, :t),
  $$VALUES ('cleared', 'cleared', 'pdnaAlertCleared', 1)$$,
  'when the alert is sent its clear comes');
SELECT is((SELECT count(DISTINCT key)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :t), 1, 'of the same key');

-- Retries
SELECT outbox_id AS id FROM process_dna.trap_outbox
  WHERE tenant_id = :t AND sink = 'nms' \gset
SELECT process_dna.outbox_retry(:t, :id, 'no answer', 60);
SELECT is_empty(format($$SELECT * FROM process_dna.outbox_lease(%s, '{nms}',
    'one', 30, 10)$$, :t), 'a trap that failed pauses');
SELECT row_eq(format($$SELECT error, leased_by, due_at
    FROM process_dna.trap_outbox WHERE outbox_id = %s$$, :id),
  ROW('no answer'::text, NULL::text, now() + interval '60 s'),
  'and says why');
SELECT process_dna.outbox_retry(:t, :id, 'no answer', 0);
SELECT is((SELECT attempts FROM process_dna.outbox_lease(:t, '{nms}', 'one',
    30, 10)), 2, 'then it is tried again');
SELECT process_dna.outbox_done(:t + 1, ARRAY[:id]);
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE outbox_id = :id), 1, 'another tenant''s rows are out of reach');

-- p_limit
SELECT test.scan(:t, 'm', 0, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')]);
SELECT test.scan(:t, 'm', 1, ARRAY[test.exe('/a', 'c'), test.exe('/b', 'c')]);
SELECT is((SELECT count(*)::integer FROM process_dna.outbox_lease(:t, '{nms}',
    'one', 30, 1)), 1, 'no more than asked for are taken');
SELECT is((SELECT count(*)::integer FROM process_dna.outbox_lease(:t, '{nms}',
    'one', 30, 10)), 1, 'then the rest');

-- Sinks
UPDATE process_dna.trap_sinks SET named_at = now() - interval '2 days'
WHERE tenant_id = :t AND sink = 'mail';
SELECT process_dna.register_sinks(:t, 'one', '{nms}');
SELECT results_eq(format('SELECT DISTINCT sink COLLATE "default"
    FROM process_dna.trap_sinks WHERE tenant_id = %s', :t),
  $$VALUES ('nms')$$, 'a sink that nobody has named for a day goes');
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :t AND sink = 'mail'), 0, 'with what it was to get');
UPDATE process_dna.trap_sinks SET named_at = now() - interval '23 hours'
WHERE tenant_id = :t;
SELECT process_dna.outbox_lease(:t, '{nms}', 'one', 30, 10);
SELECT is((SELECT named_at FROM process_dna.trap_sinks
    WHERE tenant_id = :t AND instance = 'one'), now(),
  'who asks for a sink''s traps names it');

SELECT process_dna.configure_tenant('none', 180, 0, 0, 'critical') AS n \gset
SELECT test.scan(:n, 'h', 0, ARRAY[test.exe('/memfd:x', 'a', 'anonymous')]);
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :n), 0, 'without a sink nothing is written');
SELECT process_dna.register_sinks(:n, 'one', '{late}');
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :n), 0, 'a new sink gets what happens from then on');

SELECT * FROM finish();
ROLLBACK;
