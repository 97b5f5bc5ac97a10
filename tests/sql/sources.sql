-- Goal: a host that is seen by collectd and by SNMP is one agent: neither way's
-- scans are old or foreign to the other, and what only one of them sees or tells
-- neither goes nor changes with the scans of the other.
BEGIN;
SELECT plan(46);
SELECT test.tenant() AS t \gset

CREATE FUNCTION pg_temp.collectd(p_minute numeric, p_rows test.exe[],
  addresses text[] DEFAULT '{192.0.2.1}')
RETURNS text LANGUAGE sql AS $$
  SELECT outcome FROM test.scan((SELECT max(tenant_id) FROM process_dna.tenants),
    'web1', p_minute, p_rows, addresses => addresses, name => '')
$$;
CREATE FUNCTION pg_temp.snmp(p_minute numeric, p_rows test.exe[],
  addresses text[] DEFAULT '{192.0.2.1}', host text DEFAULT 'web1',
  poll text DEFAULT 'poll1', complete boolean DEFAULT true)
RETURNS text LANGUAGE sql AS $$
  SELECT outcome FROM test.scan((SELECT max(tenant_id) FROM process_dna.tenants),
    host, p_minute, p_rows, signer => poll, source => 'snmp',
    addresses => addresses, name => 'daemon', complete => complete)
$$;
CREATE FUNCTION pg_temp.present() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(path || ' ' || left(sha256, 1), ', ' ORDER BY path, sha256)
  FROM process_dna.executables JOIN process_dna.agents g
    USING (tenant_id, agent_id)
  WHERE tenant_id = (SELECT max(tenant_id) FROM process_dna.tenants)
    AND g.name = 'web1' AND last_seen IS NULL
$$;
-- Nobody has been silent when it counts.
CREATE FUNCTION pg_temp.heard() RETURNS void LANGUAGE sql AS $$
  UPDATE process_dna.agent_sources SET last_arrived = now()
$$;

-- One agent
SELECT is(pg_temp.collectd(10, ARRAY[test.exe('/a', 'a')]), 'judged',
  'collectd tells of a host');
SELECT is((SELECT count(*)::integer FROM process_dna.executable_sources), 0,
  'of which, with one way, it is not noted who saw what');
SELECT is(pg_temp.snmp(9, ARRAY[test.exe('/a', 'a')]), 'judged',
  'an older scan by SNMP is no replay, and its poll no stranger');
SELECT is((SELECT count(*)::integer FROM process_dna.agents
    WHERE tenant_id = :t), 1, 'it is the same agent');
SELECT is(test.open(:t), '{}', 'and there is nothing to say');
SELECT is(pg_temp.collectd(10, ARRAY[test.exe('/a', 'a')]), 'duplicate',
  'a scan that collectd brought before is a duplicate');
SELECT is(pg_temp.snmp(9, ARRAY[test.exe('/a', 'a')]), 'duplicate',
  'and so is one that SNMP brought');
SELECT is(pg_temp.snmp(8, ARRAY[test.exe('/a', 'a')]), 'replayed',
  'an older one is a replay');
SELECT is(pg_temp.collectd(11, ARRAY[test.exe('/a', 'a')]), 'judged',
  'collectd goes on');
SELECT is(pg_temp.snmp(11.5, ARRAY[test.exe('/a', 'a')]), 'judged',
  'and so does SNMP');
SELECT results_eq(format($$SELECT source, signer,
      sources->0->>'source', sources->1->>'source', sources->1->>'signer'
    FROM process_dna.list_agents(%s, 'web1')$$, :t),
  $$VALUES ('collectd snmp', 'user poll1', 'collectd', 'snmp', 'poll1')$$,
  'the list shows both ways, and who speaks there');
SELECT is((SELECT (sources->1->>'late_s')::numeric
    FROM process_dna.list_agents(:t, 'web1')),
  (SELECT floor(extract(epoch FROM now() - test.at(11.5))) - 60),
  'and how late each is');

-- Who speaks
SELECT is(pg_temp.snmp(12, ARRAY[test.exe('/a', 'a')], poll => 'poll2'),
  'wrong-signer', 'another poll does not speak for the host');
SELECT is(pg_temp.snmp(12, ARRAY[test.exe('/a', 'a')], host => 'web2'),
  'wrong-signer', 'nor does a poll that is bound for another host');
SELECT is((SELECT count(*)::integer FROM process_dna.agents
    WHERE tenant_id = :t), 1, 'and what it names becomes no agent to be missed');
SELECT is(pg_temp.snmp(12, ARRAY[test.exe('/a', 'a')], host => 'web2',
  poll => 'poll2'), 'judged', 'another poll speaks for that');
SELECT is((SELECT process_dna.agents_rebind(:t, 'web1', NULL, 'me')), 'done',
  'rebind unties both ways');
SELECT is(pg_temp.snmp(12, ARRAY[test.exe('/a', 'a')], poll => 'poll3'),
  'judged', 'so that another poll may speak');
SELECT is(pg_temp.snmp(13, ARRAY[test.exe('/a', 'a')]), 'wrong-signer',
  'and the old one no more');
SELECT is((SELECT process_dna.agents_rebind(:t, 'web1', 'user', 'me')), 'done',
  'a user may be named');
SELECT is((SELECT signer FROM process_dna.list_agents(:t, 'web1')), 'user',
  'and the next poll is the agent''s');
SELECT is((SELECT process_dna.agents_retire(:t, 'web2', 'me')), 'done',
  'when a host is retired');
SELECT is(pg_temp.snmp(14, ARRAY[test.exe('/a', 'a')], poll => 'poll2'),
  'judged', 'its poll is free for another');

SELECT is((SELECT array_agg(outcome ORDER BY scan) FROM process_dna.ingest(:t,
    '{one,two,one}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{p,p,p}',
    '{f,f,f}', '{snmp,snmp,snmp}',
    ARRAY[test.at(1), test.at(2), test.at(3)],
    ARRAY[test.at(1), test.at(2), test.at(3)], '{1,2,3}', '{60,60,60}',
    '{t,t,t}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}')), '{judged,wrong-signer,judged}',
  'a poll speaks for one host, also where its scans come together');
SELECT is((SELECT count(*)::integer FROM process_dna.agents
    WHERE tenant_id = :t AND name = 'two'), 0, 'and makes one agent');

-- What one does not see
SELECT pg_temp.heard();
SELECT is(pg_temp.snmp(20, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')],
  poll => 'poll2'), 'judged', 'SNMP sees one executable more');
SELECT pg_temp.heard();
SELECT pg_temp.collectd(21, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.present(), '/a a, /b b',
  'which a scan by collectd does not take away');
CREATE TEMP TABLE before AS SELECT x.ctid AS place, x.* FROM process_dna.executables x;
SELECT pg_temp.heard();
SELECT pg_temp.collectd(22, ARRAY[test.exe('/a', 'a')]);
SELECT pg_temp.snmp(22, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')],
  poll => 'poll2');
SELECT set_eq('SELECT x.ctid AS place, x.* FROM process_dna.executables x',
  'SELECT * FROM before', 'their scans in turn write no row anew');
SELECT pg_temp.collectd(22.5, ARRAY[test.exe('/a', 'a', pid => 101)]);
SELECT is((SELECT pid FROM process_dna.executables JOIN process_dna.agents g
    USING (tenant_id, agent_id) WHERE tenant_id = :t AND path = '/a'
      AND g.name = 'web1'), 101, 'what collectd tells anew is taken');
SELECT is((SELECT DISTINCT name FROM process_dna.executables
    WHERE tenant_id = :t AND path = '/a'
      AND agent_id = (SELECT agent_id FROM process_dna.agents
                      WHERE tenant_id = :t AND name = 'web1')), 'daemon',
  'the name that only SNMP tells stays');
SELECT pg_temp.heard();
SELECT pg_temp.snmp(23, ARRAY[test.exe('/a', 'a')], poll => 'poll2',
  complete => false);
SELECT is(pg_temp.present(), '/a a, /b b', 'an incomplete scan proves nothing');
SELECT pg_temp.heard();
SELECT pg_temp.collectd(23.5, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.present(), '/a a, /b b', 'nor with the next of the other way');
SELECT pg_temp.snmp(24, ARRAY[test.exe('/a', 'a')], poll => 'poll2');
SELECT is(pg_temp.present(), '/a a', 'it goes when the way that saw it says so');

-- A swap: both see it, and both see it end.
SELECT pg_temp.heard();
SELECT pg_temp.snmp(30, ARRAY[test.exe('/a', 'c')], poll => 'poll2');
SELECT is(test.open(:t), ARRAY['web1 /a c no-known-update critical'],
  'a swap that one way sees is an alert');
SELECT pg_temp.heard();
SELECT pg_temp.collectd(30, ARRAY[test.exe('/a', 'c')]);
SELECT is(cardinality(test.open(:t)), 1, 'one, when the other sees it, too');
SELECT pg_temp.heard();
SELECT pg_temp.collectd(31, ARRAY[test.exe('/a', 'a')]);
SELECT is(cardinality(test.open(:t)), 1,
  'it stands as long as one way sees the digest');
SELECT pg_temp.heard();
SELECT pg_temp.snmp(31, ARRAY[test.exe('/a', 'a')], poll => 'poll2');
SELECT is(test.open(:t), '{}', 'and is over when none does');

-- Scans that are judged long after they came, as out of the spool
UPDATE process_dna.agent_sources SET last_arrived = test.at(31.5);
SELECT pg_temp.snmp(31.5, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')],
  poll => 'poll2');
SELECT pg_temp.collectd(31.7, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.present(), '/a a, /b b',
  'a way was not silent when the other''s scan came');

-- A way that ended
SELECT pg_temp.snmp(32, ARRAY[test.exe('/a', 'a'), test.exe('/b', 'b')],
  poll => 'poll2');
UPDATE process_dna.agent_sources
SET last_arrived = test.at(33) - interval '1 hour'
WHERE tenant_id = :t AND source = 'snmp';
SELECT pg_temp.collectd(33, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.present(), '/a a',
  'what a silent way saw is not there for ever');


-- The cycle by which it is missed
CREATE FUNCTION pg_temp.cycle() RETURNS integer LANGUAGE sql AS $$
  SELECT interval_s FROM process_dna.agents WHERE name = 'web1'
    AND tenant_id = (SELECT max(tenant_id) FROM process_dna.tenants)
$$;
UPDATE process_dna.agent_sources SET interval_s = 3600,
  last_arrived = test.at(34) - interval '2 hours'
WHERE tenant_id = :t AND source = 'snmp';
SELECT pg_temp.collectd(34, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.cycle(), 3600, 'a host is missed after the longer cycle');
UPDATE process_dna.agent_sources
SET last_arrived = test.at(35) - interval '4 hours'
WHERE tenant_id = :t AND source = 'snmp';
SELECT pg_temp.collectd(35, ARRAY[test.exe('/a', 'a')]);
SELECT is(pg_temp.cycle(), 60, 'but not after that of a way that ended');
SELECT process_dna.touch(:t, ARRAY[agent_id], ARRAY['snmp'],
  ARRAY[test.at(36)], ARRAY[test.at(36)], ARRAY[6]::bigint[])
FROM process_dna.agents WHERE tenant_id = :t AND name = 'web1';
SELECT is(pg_temp.cycle(), 3600, 'until that is back');

-- Addresses
SELECT pg_temp.collectd(40, ARRAY[test.exe('/a', 'a')],
  addresses => '{192.0.2.1,192.0.2.2}');
SELECT pg_temp.snmp(40, ARRAY[test.exe('/a', 'a')], poll => 'poll2',
  addresses => '{192.0.2.1,192.0.2.3}');
SELECT pg_temp.collectd(41, ARRAY[test.exe('/a', 'a')],
  addresses => '{192.0.2.2}');
SELECT results_eq(format($$SELECT host(address) FROM process_dna.agent_addresses
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE tenant_id = %s AND g.name = 'web1' AND last_seen IS NULL
    ORDER BY 1$$, :t),
  $$VALUES ('192.0.2.2'), ('192.0.2.3')$$,
  'an address goes with the way that found it');
SELECT pg_temp.snmp(41, ARRAY[test.exe('/a', 'a')], poll => 'poll2',
  addresses => '{192.0.2.1,192.0.2.3}');
SELECT is((SELECT source FROM process_dna.agent_addresses
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE tenant_id = :t AND g.name = 'web1' AND address = '192.0.2.1'
      AND agent_addresses.last_seen IS NULL), 'snmp',
  'or is the other''s, if that has it still');

-- Touch and reset
SELECT process_dna.touch(:t, ARRAY[agent_id, agent_id],
  ARRAY['collectd', 'snmp'], ARRAY[test.at(50), test.at(45)],
  ARRAY[test.at(50), test.at(45)], ARRAY[6, 5]::bigint[])
FROM process_dna.agents WHERE tenant_id = :t AND name = 'web1';
SELECT results_eq(format($$SELECT w.source COLLATE "default", w.last_observed,
      g.last_observed
    FROM process_dna.agent_sources w
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE tenant_id = %s AND g.name = 'web1' ORDER BY 1$$, :t),
  $$VALUES ('collectd', test.at(50), test.at(50)),
           ('snmp', test.at(45), test.at(50))$$,
  'equal scans move each way on, and the agent with the newest');
SELECT process_dna.agents_reset(:t, 'web1', 'me');
SELECT is(ARRAY[pg_temp.collectd(1, ARRAY[test.exe('/a', 'a')]),
    pg_temp.snmp(1, ARRAY[test.exe('/a', 'a')], poll => 'poll2')],
  '{judged,judged}', 'after a reset any scan is taken, by either way');

SELECT * FROM finish();
ROLLBACK;
