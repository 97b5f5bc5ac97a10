-- Goal: what the commands show is what the tables say.
BEGIN;
SELECT plan(19);
SELECT test.tenant() AS t \gset

SELECT is(process_dna.tenant_id('t'), :t, 'a tenant is found by its name');
SELECT is(process_dna.tenant_id('x'), NULL, 'or not');
SELECT is(process_dna.configure_tenant('t', 200, 7200, 60, 'warning'), :t,
  'a tenant is configured again under its number');
SELECT row_eq(format($$SELECT silent_s, learning_s, manifest_wait_s,
      unverified_update FROM process_dna.tenants WHERE tenant_id = %s$$, :t),
  ROW(200, 7200, 60, 'warning'::text), 'with the new policy');
SELECT throws_ok($$SELECT process_dna.configure_tenant('t', 1, 1, 1, 'maybe')$$,
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
    "manifest-requests": "1", "traps-waiting": "3", "traps-failing": "0",
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

SELECT * FROM finish();
ROLLBACK;
