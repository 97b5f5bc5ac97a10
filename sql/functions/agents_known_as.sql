-- Agents have a new name or address: have their logins looked at.
CREATE OR REPLACE FUNCTION process_dna.agents_known_as(
  p_tenant integer, p_agents bigint[])
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.lateral_queue (tenant_id, agent_id)
  SELECT DISTINCT p_tenant, u.agent_id
  FROM unnest(p_agents) u (agent_id)
  WHERE (SELECT true FROM process_dna.lateral_queue q
         WHERE q.tenant_id = p_tenant AND q.agent_id = u.agent_id
         LIMIT 1) IS NULL
$$;
