-- Choose the address that stands for each agent (agents.ip): one that it has,
-- IPv4 before IPv6 since traps carry no other, the present one if it will do.
CREATE OR REPLACE FUNCTION process_dna.agents_choose_ip(
  p_tenant integer, p_agents bigint[])
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET jit = off
AS $$
  UPDATE process_dna.agents g
  SET ip = (SELECT d.address FROM process_dna.agent_addresses d
            WHERE d.tenant_id = p_tenant AND d.agent_id = g.agent_id
              AND d.last_seen IS NULL
            ORDER BY family(d.address), d.address IS DISTINCT FROM g.ip,
              d.address
            LIMIT 1)
  WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (p_agents)
$$;
