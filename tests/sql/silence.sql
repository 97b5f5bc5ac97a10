-- Goal: an agent that is not heard of raises one alert, a fleet one for all,
-- each with its clear; nobody is blamed for what the correlator missed itself.
BEGIN;
SELECT plan(29);

-- Hosts NAME1..NAMEn, heard of p_ago seconds ago.
CREATE FUNCTION pg_temp.hosts(p_tenant integer, p_name text, p_n integer,
                              p_ago integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.agents
    (tenant_id, name, interval_s, first_seen, learning_since,
     last_observed, last_arrived)
  SELECT p_tenant, p_name || n, 60, now(), now(), now(),
         now() - p_ago * interval '1 s'
  FROM generate_series(1, p_n) n
$$;
CREATE FUNCTION pg_temp.heard(p_tenant integer, p_name text, p_ago integer)
RETURNS void LANGUAGE sql AS $$
  UPDATE process_dna.agents
  SET last_arrived = now() - p_ago * interval '1 s'
  WHERE tenant_id = p_tenant AND name LIKE p_name
$$;
CREATE FUNCTION pg_temp.alerts(p_tenant integer) RETURNS text
LANGUAGE sql AS $$
  SELECT coalesce(string_agg(concat_ws(' ', count, kind), ', ' ORDER BY kind),
                  'none')
  FROM (SELECT kind, count(*) FROM process_dna.process_dna_alerts
        WHERE tenant_id = p_tenant AND state = 'open' GROUP BY kind) k
$$;

-- One agent
SELECT test.tenant('one') AS t \gset
SELECT pg_temp.hosts(:t, 'a', 3, 0);
SELECT pg_temp.heard(:t, 'a1', 179);
SELECT is(test.work(:t), '0 0 0', 'three cycles, and at least 180 s, may pass');
SELECT pg_temp.heard(:t, 'a1', 181);
SELECT is((SELECT silent::integer FROM process_dna.work(:t,
    now() - interval '179 s')), 0, 'a correlator judges when it is up that long');
SELECT is(test.work(:t), '0 1 0', 'then the agent is silent');
SELECT is(test.traps(:t), ARRAY['pdnaAgentSilent raised warning'],
  'with a trap');
SELECT is(test.work(:t), '0 0 0', 'once');
SELECT is((SELECT state FROM process_dna.list_agents(:t, 'a1')), 'silent',
  'and listed so');
SELECT pg_temp.heard(:t, 'a1', 5);
SELECT is(test.work(:t), '1 0 0', 'heard again, its alert is closed');
SELECT is((test.traps(:t))[2], 'pdnaAlertCleared cleared cleared',
  'with the clear');
SELECT is((SELECT state FROM process_dna.list_agents(:t, 'a1')), 'active',
  'and it is active');
UPDATE process_dna.agents SET interval_s = 300
WHERE tenant_id = :t AND name = 'a2';
SELECT pg_temp.heard(:t, 'a2', 899);
SELECT is(test.work(:t), '0 0 0', 'a longer cycle has a longer limit');

-- A fleet
SELECT test.tenant('fleet') AS t \gset
SELECT pg_temp.hosts(:t, 'a', 12, 0);
SELECT pg_temp.hosts(:t, 'b', 100, 0);
SELECT pg_temp.heard(:t, 'a_', 185);
SELECT is(test.work(:t), '0 9 0', 'nine are silent one by one');
SELECT pg_temp.heard(:t, 'a%', 0);
SELECT test.work(:t);
SELECT pg_temp.heard(:t, 'a%', 130);
SELECT is(test.work(:t), '0 0 0', 'nobody is silent as long as all are overdue');
SELECT pg_temp.heard(:t, 'a1', 185);
SELECT is(test.work(:t), '0 1 0',
  'when the first of more than 5%, and at least 10, is, they are together');
SELECT is(pg_temp.alerts(:t), '1 fleet-silent', 'one alert stands for all');
SELECT pg_temp.heard(:t, 'a%', 200);
SELECT is(test.work(:t), '0 0 0', 'the others raise none when they follow');
SELECT pg_temp.heard(:t, 'b1', 190);
UPDATE process_dna.process_dna_alerts SET raised_at = now() - interval '1 h'
WHERE tenant_id = :t AND kind = 'fleet-silent';
SELECT is(test.work(:t), '0 1 0', 'who falls silent later is one of its own');
SELECT pg_temp.heard(:t, 'a1', 0);
SELECT is(test.work(:t), '0 0 0', 'one that comes back changes nothing');
SELECT pg_temp.heard(:t, 'a2', 0);
SELECT pg_temp.heard(:t, 'a3', 0);
SELECT is(test.work(:t), '1 9 0',
  'when fewer are left the fleet''s alert is closed, and these get their own');
SELECT pg_temp.heard(:t, '%', 0);
SELECT is(test.work(:t), '10 0 0', 'until all are back');
SELECT is(pg_temp.alerts(:t), 'none', 'and all is quiet');

-- Ten of many are no fleet
SELECT test.tenant('many') AS t \gset
SELECT pg_temp.hosts(:t, 'a', 10, 200);
SELECT pg_temp.hosts(:t, 'b', 190, 0);
SELECT is(test.work(:t), '0 10 0', 'ten of 200 are single agents');

-- Retired ones are not counted
SELECT process_dna.agents_retire(:t, 'a1', 'me');
SELECT is((SELECT string_agg(key || ' ' || value, ', ')
    FROM process_dna.list_status(:t)
    WHERE key IN ('agents', 'agents-silent', 'agents-retired')),
  'agents 199, agents-silent 9, agents-retired 1', 'status tells them apart');
SELECT is(pg_temp.alerts(:t), '9 agent-silent', 'a retired agent''s is closed');

-- accept
SELECT test.tenant('accept') AS t \gset
SELECT pg_temp.hosts(:t, 'a', 10, 200);
SELECT pg_temp.hosts(:t, 'b', 30, 0);
SELECT test.work(:t);
SELECT pg_temp.heard(:t, 'a%', 0);
SELECT pg_temp.heard(:t, 'b1', 200);
SELECT test.work(:t);
SELECT pg_temp.heard(:t, 'a%', 200);
SELECT test.work(:t);
SELECT results_eq(format($$SELECT kind COLLATE "default", state
      COLLATE "default", process_dna.accept(tenant_id, alert_id, 'me', 'x')
    FROM process_dna.process_dna_alerts WHERE tenant_id = %s
    ORDER BY alert_id$$, :t),
  $$VALUES ('fleet-silent', 'resolved', 'nothing to accept'),
           ('agent-silent', 'open', 'nothing to accept'),
           ('fleet-silent', 'open', 'nothing to accept')$$,
  'silence can''t be accepted, an agent''s or the fleet''s, open or not');
SELECT is(pg_temp.alerts(:t), '1 agent-silent, 1 fleet-silent',
  'nothing is closed by it');
SELECT is((SELECT count(*)::integer FROM process_dna.agent_events
    WHERE tenant_id = :t AND event = 'accepted'), 0, 'no event comes of it');
SELECT is(array_length(array_positions(test.traps(:t),
    'pdnaAlertCleared cleared cleared'), 1), 1, 'nor another clear');

-- Put back into service
SELECT test.tenant('back') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a')]);
SELECT process_dna.agents_retire(:t, 'h', 'me');
SELECT process_dna.agents_reset(:t, 'h', 'me');
SELECT test.work(:t);
SELECT is(pg_temp.alerts(:t), 'none',
  'an agent that is put back is not silent at once');
UPDATE process_dna.agents SET learning_since = now() - interval '1 hour'
WHERE tenant_id = :t;
SELECT test.work(:t);
SELECT is(pg_temp.alerts(:t), '1 agent-silent', 'but if it stays away');

SELECT * FROM finish();
ROLLBACK;
