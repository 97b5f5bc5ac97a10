-- Goal: what lines of sshd read grows neither with the fleet nor with what is
-- kept of former days, though no table was ever analyzed.
BEGIN;
SELECT no_plan();
SELECT test.tenant() AS t \gset

-- 50 lines on hosts of a name, from 50 addresses, as a source hands them over;
-- what that reads.
CREATE FUNCTION pg_temp.lines(p_host text, p_minute numeric,
  p_outcome text DEFAULT 'accepted', p_again boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint := test.read();
BEGIN
  PERFORM process_dna.auth_ingest(
    (SELECT tenant_id FROM process_dna.tenants WHERE name = 't'),
    a.none_number, a.host, a.peer, a.trust, a.outcome, a.number, a.none,
    a.auth_user, a.yes, a.address, a.none, a.number, a.none, a.none, a.none,
    a.none, a.none, a.pid, a.at, a.yes, a.at, a.again, '{}', '{}', '{}', '{}',
    '{}', '{}', '{}')
  FROM (
    SELECT array_agg(NULL::integer) AS none_number,
      array_agg(p_host || i || '.Example') AS host,
      array_agg('10.9.0.' || i) AS peer, array_agg('tls'::text) AS trust,
      array_agg(p_outcome) AS outcome, array_agg(1) AS number,
      array_agg(NULL::text) AS none, array_agg('root'::text) AS auth_user,
      array_agg(true) AS yes, array_agg('10.0.0.' || i) AS address,
      array_agg(i::bigint) AS pid, array_agg(test.at(p_minute)) AS at,
      array_agg(p_again) AS again
    FROM generate_series(1, 50) i) a;
  RETURN test.read() - v_before;
END $$;
-- What each kind of lines reads, and agents that become known.
CREATE FUNCTION pg_temp.measure(p_tenant integer, p_minute numeric)
RETURNS TABLE (logins bigint, unknown bigint, sessions bigint, failed bigint,
  again bigint, known bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint;
  v_agents bigint[] := ARRAY(SELECT agent_id FROM process_dna.agents
    WHERE name LIKE 'other%' AND tenant_id = p_tenant);
BEGIN
  logins := pg_temp.lines('host', p_minute);
  unknown := pg_temp.lines('other', p_minute);
  sessions := pg_temp.lines('host', p_minute, 'session_opened')
    + pg_temp.lines('host', p_minute, 'starting_session');
  failed := pg_temp.lines('host', p_minute + 1, 'failed');
  again := pg_temp.lines('host', p_minute, 'accepted', true);
  v_before := test.read();
  PERFORM process_dna.auth_link(p_tenant, agent_id)
  FROM unnest(v_agents) agent_id;
  known := test.read() - v_before;
  RETURN NEXT;
END $$;

CREATE FUNCTION pg_temp.agents(p_tenant integer, p_name text, p_from integer,
                               p_to integer) RETURNS void LANGUAGE sql AS $$
  SELECT process_dna.agents_enrol(p_tenant, array_agg(p_name || i),
    array_agg(test.at(0))) FROM generate_series(p_from, p_to) i;
  INSERT INTO process_dna.agent_addresses
    (tenant_id, agent_id, address, source, first_seen)
  SELECT p_tenant, agent_id, a, 'collectd', test.at(0)
  FROM process_dna.agents,
    unnest(ARRAY[inet '10.0.0.0' + substring(name FROM '\d+')::integer,
                 '172.17.0.1']) a
  WHERE tenant_id = p_tenant AND name LIKE p_name || '%'
    AND substring(name FROM '\d+')::integer BETWEEN p_from AND p_to
$$;
SELECT pg_temp.agents(:t, 'host', 1, 50);
CREATE TEMP TABLE few AS SELECT * FROM pg_temp.measure(:t, 1);

-- More hosts, with names that begin alike, and events of 90 days, of which each
-- has some of the same hosts, addresses and processes
SELECT pg_temp.agents(:t, 'host', 51, 1000), pg_temp.agents(:t, 'third', 1, 50);
SELECT process_dna.auth_partition_make((now() AT TIME ZONE 'UTC')::date - d)
  FROM generate_series(-3, 86) d;
INSERT INTO process_dna.auth_events
  (tenant_id, arrived_at, log_host, trust, outcome, auth_user, user_known,
   src_ip, src_port, pid, repeat, observed_at, target_agent_id)
SELECT :t, a, 'host' || i % 50 || '.Example', 'tls',
  CASE WHEN i % 2 = 0 THEN 'accepted' ELSE 'failed' END, 'root', true,
  inet '10.0.0.0' + i % 50, 1, i % 50, 1, a, 1
FROM generate_series(1, 9000) i,
  LATERAL (SELECT test.at(-15) - i * interval '14 min') s (a);
SELECT count(*) FROM process_dna.auth_ingest(:t, '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}')
\g /dev/null
CREATE TEMP TABLE many AS SELECT * FROM pg_temp.measure(:t, 3);

SELECT cmp_ok(few.logins, '>=', 150::bigint, 'what is read is counted')
  FROM few;
SELECT cmp_ok(many.logins, '<', 2 * few.logins,
  'logins read no more with many hosts and days') FROM few, many;
SELECT cmp_ok(many.unknown, '<', 2 * few.unknown,
  'nor do those on unknown hosts') FROM few, many;
SELECT cmp_ok(many.sessions, '<', 2 * few.sessions, 'nor sessions')
  FROM few, many;
SELECT cmp_ok(many.failed, '<', 2 * few.failed, 'nor failures')
  FROM few, many;
SELECT cmp_ok(many.again, '<', 2 * few.again,
  'nor what may have been written before') FROM few, many;

-- A name that becomes known reads what is to be linked.
SELECT process_dna.agents_enrol(:t, '{other1,other2}',
  ARRAY[test.at(9), test.at(9)]);
SELECT known AS linked FROM pg_temp.measure(:t, 10) \gset
SELECT cmp_ok(:linked, '<', 100, 'names that become known read little');
SELECT is((SELECT count(*)::integer FROM process_dna.auth_events e
    JOIN process_dna.agents g ON g.agent_id = e.target_agent_id
    WHERE g.name LIKE 'other%'), 6, 'and link what is theirs');

-- An address that the whole fleet has
SELECT test.read() AS before \gset
SELECT process_dna.agents_of_address(:t, '172.17.0.1', test.at(5)) AS holders
\gset
SELECT cmp_ok(test.read() - :before, '<', 20::bigint,
  'who has an address is not read further than is told');
SELECT is(:'holders'::text, '{}'::text, 'of many holders, none');
SELECT * FROM finish();
ROLLBACK;
