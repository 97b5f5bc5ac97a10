-- Goal: what the commands show is what the tables say.
BEGIN;
SELECT plan(23);
SELECT test.tenant() AS t \gset

SELECT is(process_dna.tenant_id('t'), :t, 'a tenant is found by its name');
SELECT is(process_dna.tenant_id('x'), NULL, 'or not');
SELECT is(process_dna.configure_tenant('t', 200, 7200, 60, 'warning', '{}'), :t,
  'a tenant is configured again under its number');
SELECT row_eq(format($$SELECT silent_s, learning_s, manifest_wait_s,
      unverified_update FROM process_dna.tenants WHERE tenant_id = %s$$, :t),
  ROW(200, 7200, 60, 'warning'::text), 'with the new policy');
SELECT throws_ok($$SELECT process_dna.configure_tenant('t', 1, 1, 1, 'maybe', '{}')$$,
  '23514', NULL, 'an unknown policy is refused');

SELECT test.scan(:t, h, 0, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64')])
  FROM unnest('{h,i,j}'::text[]) h;
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/p', '', 'unreadable', reason => 'io')]);
SELECT test.scan(:t, 'i', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT alert_id AS id, key FROM process_dna.list_alerts(:t, false, false)
  WHERE host = 'h' \gset

SELECT results_eq(format($$SELECT host, path, severity, state, verdict,
      exe_state, package, count
    FROM process_dna.list_alerts(%s, false, false)$$, :t),
  $$VALUES ('h', '/p', 'warning', 'open', 'unverified-update', 'current',
            'n 2', 1::bigint),
           ('i', '/p', 'warning', 'open', 'unverified-update', 'current',
            'n 2', 1)$$, 'open alerts are listed');
SELECT row_eq(format($$SELECT alert_id, address, baseline_grade,
      baseline_package_version, process_name, package_manager, package_name,
      package_version, package_arch, agents_with_baseline,
      agents_with_observed, mitre
    FROM process_dna.alert_facts(%s, %L)$$, :t, :'key'),
  ROW(:id::bigint, '192.0.2.1'::text, 'first-use'::text, '1'::text,
      'service'::text, 'dpkg'::text, 'n'::text, '2'::text, 'amd64'::text,
      2::bigint, 1::bigint, 'T1036 T1554'::text),
  'facts are found by key: two others trust the old digest, one has the new');
SELECT is((SELECT key FROM process_dna.alert_facts(:t, :'id')), :'key',
  'or by number');
SELECT is_empty(format($$SELECT * FROM process_dna.alert_facts(%s, %L)$$, :t,
    q), 'not found is no row: ' || q)
  FROM unnest(ARRAY['0', 'x', repeat('9', 64)]) q;

SELECT process_dna.accept(:t, :id, 'me', 'mine');
SELECT is((SELECT array_agg(host) FROM process_dna.list_alerts(:t, false,
    false)), ARRAY['i'], 'closed ones are left out');
SELECT results_eq(format($$SELECT host, state, who, why
    FROM process_dna.list_alerts(%s, true, false)$$, :t),
  $$VALUES ('h', 'accepted', 'me', 'mine'), ('i', 'open', NULL, NULL)$$,
  'unless all are wanted');

SELECT is((SELECT jsonb_object_agg(key, value) FROM process_dna.list_status(:t)
    WHERE key NOT IN ('last-scan', 'traps-oldest', 'schema-version')),
  '{"tenant": "t", "agents": "3", "agents-silent": "0", "agents-retired": "0",
    "executables": "4", "baselines": "3", "restart-pending": "0", "held": "0",
    "alerts-critical": "0", "alerts-warning": "1", "alerts-info": "0",
    "lateral-movements": "0", "lateral-waiting": "9",
    "manifest-requests": "1", "manifest-requests-failed": "0",
    "manifest-fetch-error": null, "traps-waiting": "3", "traps-failing": "0",
    "trap-sinks": "nms"}'::jsonb, 'status counts');
SELECT results_eq(format($$SELECT name, state, executables, open_alerts,
      last_event FROM process_dna.list_agents(%s, NULL)$$, :t),
  $$VALUES ('h', 'active', 2::bigint, 0::bigint, 'accepted'),
           ('i', 'active', 1, 1, 'bound'), ('j', 'active', 1, 0, 'bound')$$,
  'agents are listed by name');
SELECT is((SELECT count(*)::integer FROM process_dna.list_agents(:t, 'x')), 0,
  'or one, if there is any');
SELECT is((SELECT count(*)::integer FROM process_dna.list_addresses(:t, NULL)),
  3, 'addresses of all agents');

SELECT process_dna.report_correlator('one', 'central', 7, '1.0', now(),
  '{"packets": 1}');
SELECT process_dna.report_correlator('one', 'central', 7, '1.0', now(),
  '{"packets": 2}');
SELECT process_dna.report_correlator('old', 'central', 6, '1.0', now(), '{}');
UPDATE process_dna.correlators SET reported_at = now() - interval '2 days'
WHERE instance = 'old';
SELECT results_eq('SELECT instance, host, pid, counters
    FROM process_dna.list_correlators()',
  $$VALUES ('one', 'central', 7, '{"packets": 2}'::jsonb)$$,
  'correlators are listed while they report');
UPDATE process_dna.correlators SET reported_at = now() - interval '8 days'
WHERE instance = 'old';
SELECT test.work(:t);
SELECT is((SELECT count(*)::integer FROM process_dna.correlators), 1,
  'and forgotten after a week');


-- status, with each figure another
SELECT process_dna.configure_tenant('figures', 180, 3600, 0, 'info', '{}') AS t \gset
SELECT process_dna.register_sinks(:t, 'one', '{nms,mail}');
SELECT process_dna.register_sinks(:t, 'two', '{nms}');
SELECT test.scan(:t, 'h', 0, ARRAY(
  SELECT test.exe('/changed' || n, 'a') FROM generate_series(1, 4) n
  UNION ALL
  SELECT test.exe('/updated' || n, 'a', package => 'dpkg:u' || n || '=1:all')
  FROM generate_series(1, 2) n
  UNION ALL SELECT test.exe('/restart', 'a')
  UNION ALL SELECT test.exe('/gone', 'a')));
SELECT test.manifest(:t, NULL, '/restart', 'b');
SELECT test.scan(:t, 'h', 70, ARRAY(
  SELECT test.exe('/changed' || n, 'b') FROM generate_series(1, 4) n
  UNION ALL
  SELECT test.exe('/updated' || n, 'b', package => 'dpkg:u' || n || '=2:all')
  FROM generate_series(1, 2) n
  UNION ALL SELECT test.exe('/new' || n, 'c') FROM generate_series(1, 3) n
  UNION ALL
  SELECT test.exe('/held' || n, 'd', package => 'dpkg:h=1:all+')
  FROM generate_series(1, 5) n
  UNION ALL SELECT test.exe('/restart', 'b', 'replaced')
  UNION ALL SELECT test.exe('/restart', 'a', 'superseded')));
SELECT test.scan(:t, 'quiet' || n, 71, '{}') FROM generate_series(1, 6) n;
UPDATE process_dna.agents SET silence = 'agent'
WHERE tenant_id = :t AND name IN ('quiet1', 'quiet2', 'quiet3', 'quiet4');
SELECT process_dna.agents_retire(:t, 'quiet4', 'me');
SELECT process_dna.outbox_retry(:t, outbox_id, 'no answer', 60)
  FROM process_dna.trap_outbox WHERE tenant_id = :t ORDER BY outbox_id LIMIT 7;
UPDATE process_dna.trap_outbox SET created_at = test.at(72)
WHERE outbox_id = (SELECT max(outbox_id) FROM process_dna.trap_outbox
                   WHERE tenant_id = :t);
SELECT is((SELECT jsonb_object_agg(key, value)
    FROM process_dna.list_status(:t)),
  jsonb_build_object('tenant', 'figures', 'schema-version',
    (SELECT max(version)::text FROM process_dna.schema_version),
    'agents', '6', 'agents-silent', '3', 'agents-retired', '1',
    'last-scan', to_char(test.at(71) AT TIME ZONE 'UTC',
                         'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'executables', '16', 'baselines', '11', 'restart-pending', '1',
    'held', '5', 'alerts-critical', '4', 'alerts-warning', '3',
    'alerts-info', '2', 'lateral-movements', '0', 'lateral-waiting', '23',
    'manifest-requests', '2',
    'manifest-requests-failed', '0', 'manifest-fetch-error', NULL,
    'traps-waiting', '18',
    'traps-failing', '7', 'traps-oldest', to_char(test.at(72)
      AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'trap-sinks', 'mail nms'), 'status tells every figure');
UPDATE process_dna.manifest_requests SET state = 'none'
WHERE tenant_id = :t AND package = 'u1';
SELECT is((SELECT value FROM process_dna.list_status(:t)
    WHERE key = 'manifest-requests'), '1', 'of requests, those that go on');
UPDATE process_dna.manifest_requests
SET state = 'failed', error = 'away', due_at = now()
WHERE tenant_id = :t AND package <> 'u1';
SELECT is((SELECT jsonb_object_agg(key, value)
    FROM process_dna.list_status(:t) WHERE key LIKE 'manifest-%'),
  '{"manifest-requests": "1", "manifest-requests-failed": "1",
    "manifest-fetch-error": "away"}'::jsonb, 'and why the last one failed');
SELECT process_dna.configure_tenant('nothing', 180, 0, 0, 'critical', '{}') AS t \gset
SELECT is((SELECT jsonb_object_agg(key, value) - 'tenant' - 'schema-version'
    FROM process_dna.list_status(:t) WHERE value <> '0'), '{}',
  'a new tenant has none, and dates of nothing are null');

SELECT * FROM finish();
ROLLBACK;
