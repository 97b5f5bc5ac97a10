-- Goal: a reader sees the rows of its tenant, and may change none.
BEGIN;
CREATE TEMP TABLE tables AS
SELECT c.relname::text AS name FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relnamespace = 'process_dna'::regnamespace
  AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;
GRANT SELECT ON tables TO process_dna_reader;
SELECT plan(9 + (SELECT count(*)::integer FROM tables));
SELECT test.tenant('t1') AS t1, test.tenant('t2') AS t2 \gset
SELECT test.scan(:t1, 'h1', 0, ARRAY[test.exe('/p', 'a',
  package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t2, 'h2', 0, ARRAY[test.exe('/p', 'a',
  package => 'dpkg:n=1:amd64')]);
SELECT test.scan(t, 'h' || t, 1, ARRAY[test.exe('/memfd:x', 'b', 'anonymous')])
  FROM unnest(ARRAY[:t1, :t2]) t;
SELECT test.scan(t, 'h' || t, 1, ARRAY[test.exe('/p', 'a')],
    source => 'snmp', signer => 'poll') FROM unnest(ARRAY[:t1, :t2]) t;
SELECT test.manifest(t, 'dpkg:n=1:amd64', '/p', 'a')
  FROM unnest(ARRAY[:t1, :t2]) t;
SELECT process_dna.manifests_request(t,
    ARRAY[('dpkg', 'n', '2', 'amd64')]::process_dna.package_key[])
  FROM unnest(ARRAY[:t1, :t2]) t;
-- A movement from the one host of each tenant to itself, which no login makes.
INSERT INTO process_dna.process_dna_alerts
  (tenant_id, agent_id, kind, key, severity, verdict, container, exe_path,
   exe_sha256, observed_at, last_seen, line, related_id, peer_agent_id, hops)
SELECT tenant_id, agent_id, 'lateral-movement', key, severity, verdict,
  container, exe_path, exe_sha256, observed_at, last_seen, line, alert_id,
  agent_id, '[]'
FROM process_dna.process_dna_alerts WHERE kind = 'binary-changed';
INSERT INTO process_dna.lateral_detections
  (tenant_id, agent_id, movement_id, alert_id, target_agent_id,
   event_arrived_at, event_id, auth_user, src_ip, src_agents, observed_at,
   trust, first_time)
SELECT tenant_id, agent_id, alert_id, related_id, agent_id, observed_at, 1,
  'root', '192.0.2.1', '{}', observed_at, 'tls', true
FROM process_dna.process_dna_alerts WHERE kind = 'lateral-movement';
INSERT INTO process_dna.lateral_reached
SELECT tenant_id, agent_id, alert_id, agent_id, observed_at
FROM process_dna.process_dna_alerts WHERE kind = 'lateral-movement';
INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
SELECT tenant_id, agent_id FROM process_dna.agents;
SELECT process_dna.address_add(t, 'h' || t, 'alias', 'me'),
    test.auth(t, 'h' || t, 1, 'root', '192.0.2.1', peer => '192.0.2.1'),
    process_dna.auth_positions_take(t, '{central}', '{/log}', '{1}', '{1}',
      '{x}', '{0}', '{0}')
  FROM unnest(ARRAY[:t1, :t2]) t;
CREATE ROLE test_reader_1 IN ROLE process_dna_reader;
CREATE ROLE test_reader_2 IN ROLE process_dna_reader;
CREATE ROLE test_reader_3 IN ROLE process_dna_reader;
INSERT INTO process_dna.tenant_readers
VALUES (:t1, 'test_reader_1'), (:t2, 'test_reader_2'), (:t2, 'gone');

-- Every table of a tenant holds rows of both now.
CREATE FUNCTION pg_temp.tenants_seen(p_table text) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE v_seen integer[];
BEGIN
  EXECUTE format('SELECT array_agg(DISTINCT tenant_id) FROM process_dna.%I',
                 p_table) INTO v_seen;
  RETURN v_seen;
END $$;
SELECT is_empty(format($$SELECT name, pg_temp.tenants_seen(name) FROM tables
  WHERE NOT pg_temp.tenants_seen(name) @> ARRAY[%s, %s]$$, :t1, :t2),
  'the owner sees both tenants in every table');
SELECT cmp_ok((SELECT count(*)::integer FROM tables), '>', 18,
  'and there are tables');

GRANT USAGE ON SCHEMA test TO process_dna_reader;
SET ROLE test_reader_1;
SELECT is(pg_temp.tenants_seen(name), ARRAY[:t1],
    'a reader sees one tenant in ' || name)
  FROM tables ORDER BY name;
SELECT is((SELECT array_agg(host) FROM process_dna.list_alerts(:t2, true,
    false)), NULL, 'through functions too');
SET process_dna.tenant = 't2';
SELECT is(pg_temp.tenants_seen('agents'), ARRAY[:t1],
  'whatever its session says');
RESET ROLE;
SET ROLE test_reader_3;
SELECT is_empty('SELECT name FROM tables
    WHERE pg_temp.tenants_seen(name) IS NOT NULL',
  'without a tenant it sees nothing');
RESET ROLE;
SET ROLE test_reader_1;
SELECT throws_ok('UPDATE process_dna.baselines SET why = NULL', '42501',
  NULL, 'and changes nothing');
SELECT throws_ok(format($$SELECT process_dna.accept(%s, 1, 'me', 'x')$$, :t1),
  '42501', NULL, 'not through functions either');
RESET ROLE;

-- The role may be made when the tables are there already.
CREATE TEMP VIEW readable AS
SELECT c.relname::text FROM pg_class c
WHERE c.relnamespace = 'process_dna'::regnamespace
  AND c.relkind IN ('r', 'p', 'v')
  AND has_table_privilege('process_dna_reader', c.oid, 'SELECT');
REVOKE ALL ON ALL TABLES IN SCHEMA process_dna FROM process_dna_reader;
REVOKE ALL ON SCHEMA process_dna FROM process_dna_reader;
\i sql/functions/readers_grant.sql
SELECT set_eq('SELECT relname FROM readable', $$
    SELECT name FROM tables UNION ALL VALUES ('tenant_readers')$$,
  'migrate lets a reader that came late read the same tables, no partition');
SET ROLE test_reader_1;
SELECT is(pg_temp.tenants_seen('agents'), ARRAY[:t1],
  'of which it sees its tenant');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
