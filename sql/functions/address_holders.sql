-- The agents that had an address at a time, give or take p_slack, in order;
-- empty if it tells nobody: nobody had it, more than three did, or it is none
-- that tells hosts apart. Retired agents count up to when they were.
--
-- Inlined into what calls it (which needs STABLE, and no SET).
CREATE OR REPLACE FUNCTION process_dna.address_holders(
  p_tenant integer, p_address inet, p_at timestamptz, p_slack interval)
RETURNS TABLE (agents bigint[]) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN count(*) BETWEEN 1 AND 3
      AND process_dna.address_distinctive(p_address)
    THEN array_agg(h.agent_id ORDER BY h.agent_id) ELSE '{}' END
  FROM (
    SELECT DISTINCT d.agent_id FROM process_dna.agent_addresses d
    CROSS JOIN LATERAL (
      SELECT true AS served FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.agent_id = d.agent_id
        AND (g.retired_at IS NULL OR g.retired_at >= p_at - p_slack)
      LIMIT 1) s
    WHERE d.tenant_id = p_tenant AND d.address = p_address
      AND d.first_seen <= p_at + p_slack
      AND (d.last_seen IS NULL OR d.last_seen >= p_at - p_slack)
    ORDER BY d.agent_id
    LIMIT 4) h
$$;
