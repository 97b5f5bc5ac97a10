-- Addresses that agents have or had: of all agents, or of the one of that
-- name.
CREATE OR REPLACE FUNCTION process_dna.list_addresses(
  p_tenant integer, p_agent text)
RETURNS TABLE (agent text, address text, source text,
  first_seen timestamptz, last_seen timestamptz, present boolean,
  added_by text)
LANGUAGE sql STABLE AS $$
  SELECT g.name, host(d.address), d.source, d.first_seen,
    coalesce(d.last_seen, g.last_observed), d.last_seen IS NULL, d.added_by
  FROM process_dna.agent_addresses d
  JOIN process_dna.agents g
    ON g.tenant_id = p_tenant AND g.agent_id = d.agent_id
  WHERE d.tenant_id = p_tenant AND (p_agent IS NULL OR g.name = p_agent)
  ORDER BY g.name, family(d.address), d.address, d.first_seen
$$;
