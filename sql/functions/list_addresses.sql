-- Addresses that agents have or had, and other names that they have (address is
-- null then, else name is): of all agents, or of the one of that name.
CREATE OR REPLACE FUNCTION process_dna.list_addresses(
  p_tenant integer, p_agent text)
RETURNS TABLE (agent text, address text, name text, source text,
  first_seen timestamptz, last_seen timestamptz, present boolean,
  added_by text)
LANGUAGE sql STABLE AS $$
  SELECT g.name, host(u.address), u.name, u.source, u.first_seen,
    CASE WHEN u.name IS NULL THEN coalesce(u.last_seen, g.last_observed) END,
    u.last_seen IS NULL, u.added_by
  FROM (
    SELECT d.agent_id, d.address, NULL AS name, d.source, d.first_seen,
      d.last_seen, d.added_by
    FROM process_dna.agent_addresses d
    WHERE d.tenant_id = p_tenant
    UNION ALL
    SELECT n.agent_id, NULL, n.name, 'manual', n.added_at, NULL, n.added_by
    FROM process_dna.agent_names n
    WHERE n.tenant_id = p_tenant) u
  JOIN process_dna.agents g
    ON g.tenant_id = p_tenant AND g.agent_id = u.agent_id
  WHERE p_agent IS NULL OR g.name = p_agent
  ORDER BY g.name, u.name NULLS FIRST, family(u.address), u.address,
    u.first_seen
$$;
