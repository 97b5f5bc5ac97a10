-- Agents have a name or an address that they had not: have the logins looked at
-- that they may be concerned by.
CREATE OR REPLACE FUNCTION process_dna.agents_known_as(
  p_tenant integer, p_agents bigint[])
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
  SELECT DISTINCT p_tenant, u.agent_id
  FROM unnest(p_agents) u (agent_id)
$$;
