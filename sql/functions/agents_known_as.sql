-- Agents have a new name or address: have their logins looked at. A row that
-- waits already is not enough: it may be being looked at, without what is new.
CREATE OR REPLACE FUNCTION process_dna.agents_known_as(
  p_tenant integer, p_agents bigint[])
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
  SELECT DISTINCT p_tenant, u.agent_id
  FROM unnest(p_agents) u (agent_id)
$$;
