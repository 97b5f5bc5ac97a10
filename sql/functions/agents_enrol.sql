-- Make agents of hosts that are not known yet, in the order of their names, and
-- have the logins looked at that were on hosts of these names.
CREATE OR REPLACE FUNCTION process_dna.agents_enrol(
  p_tenant integer, p_hosts text[], p_arrived timestamptz[])
RETURNS void LANGUAGE sql AS $$
  WITH enrolled AS (
    INSERT INTO process_dna.agents
      (tenant_id, name, first_seen, learning_since)
    SELECT DISTINCT ON (s.host) p_tenant, s.host, s.arrived, s.arrived
    FROM unnest(p_hosts, p_arrived) s (host, arrived)
    WHERE (SELECT true FROM process_dna.agents g
           WHERE g.tenant_id = p_tenant AND g.name = s.host LIMIT 1) IS NULL
    ORDER BY s.host, s.arrived
    ON CONFLICT DO NOTHING
    RETURNING agent_id
  ), known AS (
    INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
    SELECT p_tenant, e.agent_id FROM enrolled e
  )
  INSERT INTO process_dna.agent_events (tenant_id, agent_id, event)
  SELECT p_tenant, e.agent_id, 'enrolled' FROM enrolled e
$$;
