-- Goal: scans become agents, executables and baselines, with the outcomes that
-- ingest promises; what is old, foreign or doubled changes nothing.
BEGIN;
SELECT plan(37);
SELECT test.tenant() AS t \gset

PREPARE scan AS SELECT outcome, settled FROM test.scan($1, $2, $3, $4);
SELECT row_eq(format('EXECUTE scan(%s, %L, 0, %L)', :t, 'web1',
    ARRAY[test.exe('/usr/sbin/nginx', 'a')]),
  ROW('judged'::text, true), 'a first scan is judged and settled');
SELECT is(test.baseline(:t, '/usr/sbin/nginx'), 'a first-use',
  'a first use becomes the baseline');
SELECT row_eq(format('EXECUTE scan(%s, %L, 1, %L)', :t, 'web1',
    ARRAY[test.exe('/usr/sbin/nginx', 'a')]),
  ROW('judged'::text, true), 'an equal scan is settled');

-- Twice the same: nothing changes.
SELECT row_eq(format('EXECUTE scan(%s, %L, 2, %L)', :t, 'web1',
    ARRAY[test.exe('/usr/sbin/nginx', 'b')]),
  ROW('judged'::text, false), 'a scan that touches an open alert is not settled');
CREATE TEMP TABLE before AS
  SELECT * FROM process_dna.process_dna_alerts WHERE tenant_id = :t;
CREATE TEMP TABLE outbox_before AS
  SELECT * FROM process_dna.trap_outbox WHERE tenant_id = :t;
SELECT row_eq(format('EXECUTE scan(%s, %L, 2, %L)', :t, 'web1',
    ARRAY[test.exe('/usr/sbin/nginx', 'b')]),
  ROW('duplicate'::text, false), 'a scan that was taken already is a duplicate');
SELECT set_eq(format('SELECT * FROM process_dna.process_dna_alerts
    WHERE tenant_id = %s', :t), 'SELECT * FROM before',
  'a duplicate leaves the alerts as they were');
SELECT set_eq(format('SELECT * FROM process_dna.trap_outbox
    WHERE tenant_id = %s', :t), 'SELECT * FROM outbox_before',
  'a duplicate sends no trap');
SELECT row_eq(format('EXECUTE scan(%s, %L, 1, %L)', :t, 'web1',
    ARRAY[test.exe('/usr/sbin/nginx', 'a')]),
  ROW('replayed'::text, false), 'an older scan is a replay');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', -5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], boot => -6)),
  'judged', 'an older scan after a newer boot is taken');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', -5.5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], boot => -5.95)),
  'replayed', 'a boot that only trembles by a few seconds is no newer one');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', -4,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], boot => -1000)),
  'judged', 'a newer scan is taken whatever it says of its boot');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', -4.5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], boot => -6)),
  'replayed', 'the time of boot does not go back with it');

-- Signers.
SELECT is((SELECT signer FROM process_dna.list_agents(:t, NULL)),
  'user', 'the first signer is bound');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', 5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], signer => 'other')),
  'wrong-signer', 'another signer is refused');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', 5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], signer => NULL)),
  'wrong-signer', 'an unsigned scan of a bound host is refused');
SELECT is((SELECT outcome FROM test.scan(:t, 'web1', 5,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], signer => 'relay',
    relayed => true)), 'judged', 'a relay may speak for a bound host');
SELECT is((SELECT outcome FROM test.scan(:t, 'web2', 0,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], signer => 'relay',
    relayed => true)), 'judged', 'a relay may bring an unknown host');
SELECT is((SELECT signer FROM process_dna.list_agents(:t, 'web2')), NULL, 'but binds it to nobody');
SELECT is((SELECT outcome FROM test.scan(:t, 'web3', 0,
    ARRAY[test.exe('/usr/sbin/nginx', 'a')], signer => NULL)), 'judged',
  'an unsigned scan of an unbound host is taken');
SELECT test.scan(:t, 'web3', 1, ARRAY[test.exe('/usr/sbin/nginx', 'a')]);
SELECT is((SELECT signer FROM process_dna.list_agents(:t, 'web3')), 'user',
  'the first that signs is bound later, too');

-- Host ids.
SELECT test.scan(:t, 'web3', 2, ARRAY[test.exe('/usr/sbin/nginx', 'a')],
  host_id => 'ba9876543210');
SELECT results_eq(format($$SELECT event, old_value, new_value
    FROM process_dna.agent_events JOIN process_dna.agents g
    USING (tenant_id, agent_id)
    WHERE tenant_id = %s AND g.name = 'web3' ORDER BY event_id$$, :t),
  $$VALUES ('enrolled', NULL, NULL), ('bound', NULL, 'user'),
      ('re-enrolled', '0123456789ab', 'ba9876543210')$$,
  'enrolment, binding and another host id are events');
SELECT is(test.baseline(:t, '/usr/sbin/nginx'), 'a first-use',
  'another host id takes no baseline away');

-- Two scans of a host in one call, and two hosts.
CREATE TEMP TABLE both_outcomes AS
SELECT * FROM process_dna.ingest(:t,
  ARRAY['db1', 'db1', 'db2'], array_fill(NULL::text, ARRAY[3]),
  array_fill(NULL::timestamptz, ARRAY[3]), array_fill('user'::text, ARRAY[3]),
  array_fill(false, ARRAY[3]), array_fill('collectd'::text, ARRAY[3]),
  ARRAY[test.at(0), test.at(1), test.at(0)],
  ARRAY[test.at(0), test.at(1), test.at(0)], ARRAY[1, 2, 1]::bigint[],
  array_fill(60, ARRAY[3]), array_fill(true, ARRAY[3]),
  ARRAY[1, 2, 3, 3], ARRAY['', '', '', ''], ARRAY['/p', '/p', '/p', '/p'],
  ARRAY[test.digest('a'), test.digest('b'), test.digest('a'),
        test.digest('a')],
  ARRAY[1, 1, 1, 1]::smallint[], array_fill(NULL::text, ARRAY[4]),
  array_fill(1::bigint, ARRAY[4]), array_fill(1::bigint, ARRAY[4]),
  array_fill(10, ARRAY[4]), array_fill(0::bigint, ARRAY[4]),
  array_fill(test.at(-9), ARRAY[4]), array_fill('p'::text, ARRAY[4]),
  array_fill(5::bigint, ARRAY[4]), array_fill(33261, ARRAY[4]),
  array_fill(0::bigint, ARRAY[4]), array_fill(test.at(-99), ARRAY[4]),
  array_fill(test.at(-98), ARRAY[4]), array_fill(NULL::text, ARRAY[4]),
  array_fill(NULL::text, ARRAY[4]), array_fill(NULL::text, ARRAY[4]),
  array_fill(NULL::text, ARRAY[4]), array_fill(NULL::boolean, ARRAY[4]),
  '{}', '{}');
SELECT results_eq('SELECT scan, outcome, settled FROM both_outcomes',
  $$VALUES (1, 'judged', false), (2, 'judged', false), (3, 'judged', true)$$,
  'two scans of one host in one call are judged one after the other');
SELECT is(test.open(:t), ARRAY['db1 /p b no-known-update critical'],
  'and the second against the first; a row that is doubled counts once');
SELECT is((SELECT file_size || ' ' || file_mode || ' ' || file_mtime
    FROM process_dna.executables WHERE tenant_id = :t AND path = '/p'
      AND sha256 = test.digest('b')), '5 33261 ' || test.at(-99),
  'facts of the file are kept');
SELECT is_empty(format('SELECT * FROM process_dna.ingest(%s, %s)', :t,
    $$'{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}',
      '{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}',
      '{}','{}','{}','{}','{}','{}','{}','{}','{}','{}'$$),
  'no scans are no trouble');

-- What comes and goes.
SELECT test.scan(:t, 'app1', 0, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')],
  addresses => '{192.0.2.7,2001:db8::7}');
SELECT test.scan(:t, 'app1', 1, ARRAY[test.exe('/a', 'a')], complete => false,
  addresses => '{}');
SELECT is((SELECT last_seen FROM process_dna.executables
    WHERE tenant_id = :t AND path = '/b' AND sha256 = test.digest('b')),
  NULL, 'what an incomplete scan lacks is not gone');
SELECT is((SELECT count(*)::integer FROM process_dna.agent_addresses a
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE g.name = 'app1' AND tenant_id = :t AND a.last_seen IS NULL), 2,
  'nor are addresses that it lacks');
SELECT is((SELECT settled FROM test.scan(:t, 'app1', 2,
    ARRAY[test.exe('/a', 'a')], complete => false)), false,
  'an incomplete scan is never settled');
SELECT test.scan(:t, 'app1', 3, ARRAY[test.exe('/a', 'a')],
  addresses => '{2001:db8::7}');
SELECT is((SELECT last_seen FROM process_dna.executables
    WHERE tenant_id = :t AND path = '/b' AND sha256 = test.digest('b')),
  test.at(2), 'what a complete scan lacks was last seen in the scan before');
SELECT is((SELECT ip FROM process_dna.agents
    WHERE tenant_id = :t AND name = 'app1'), '2001:db8::7'::inet,
  'an address that is gone no longer stands for the agent');
SELECT test.scan(:t, 'app1', 4, ARRAY[test.exe('/a', 'a')],
  addresses => '{2001:db8::7,192.0.2.7}');
SELECT is((SELECT ip FROM process_dna.agents
    WHERE tenant_id = :t AND name = 'app1'), '192.0.2.7'::inet,
  'an IPv4 address stands for it before any other');
SELECT results_eq(format($$SELECT a.first_seen, a.last_seen
    FROM process_dna.agent_addresses a
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE g.name = 'app1' AND tenant_id = %s AND address = '192.0.2.7'
    ORDER BY a.first_seen$$, :t),
  $$VALUES (test.at(0), test.at(2)), (test.at(4), NULL)$$,
  'an address that comes back is a new time of having it');

-- Equal scans.
SELECT process_dna.touch(:t, ARRAY[agent_id, agent_id],
  ARRAY['collectd', 'collectd'], ARRAY[test.at(6), test.at(5)], ARRAY[test.at(6), test.at(5)],
  ARRAY[6, 5]::bigint[])
FROM process_dna.agents WHERE tenant_id = :t AND name = 'app1';
SELECT row_eq(format($$SELECT w.last_observed, w.last_arrived, w.last_sequence
    FROM process_dna.agent_sources w JOIN process_dna.agents g
    USING (tenant_id, agent_id)
    WHERE tenant_id = %s AND g.name = 'app1'$$, :t),
  ROW(test.at(6), test.at(6), 6::bigint), 'touch moves the times on');
SELECT process_dna.touch(:t, ARRAY[agent_id], ARRAY['collectd'], ARRAY[test.at(5)],
  ARRAY[test.at(7)], ARRAY[5::bigint])
FROM process_dna.agents WHERE tenant_id = :t AND name = 'app1';
SELECT is((SELECT last_observed FROM process_dna.agents
    WHERE tenant_id = :t AND name = 'app1'), test.at(6), 'but never back');
SELECT is((SELECT outcome FROM test.scan(:t, 'app1', 6,
    ARRAY[test.exe('/a', 'a')])), 'duplicate',
  'a scan that touch has told of is a duplicate');
SELECT results_eq(format($$SELECT name, source COLLATE "default", signer, boot, last_observed
    FROM process_dna.agents_state(%s) WHERE name = 'app1'$$, :t),
  $$VALUES ('app1', 'collectd', 'user', test.at(-1000), test.at(6))$$,
  'agents_state says what a correlator must know at its start');

SELECT * FROM finish();
ROLLBACK;
