-- The addresses that an agent had at a time and that stand for it
-- (agents_of_address): alone, or with up to two others.
CREATE OR REPLACE FUNCTION process_dna.addresses_of_agent(
  p_tenant integer, p_agent bigint, p_at timestamptz)
RETURNS SETOF inet LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT a.address
  FROM (
    SELECT DISTINCT d.address, t.slack
    FROM (SELECT i.lateral_window_s * interval '1 s' AS slack
          FROM process_dna.tenants i WHERE i.tenant_id = p_tenant) t
    CROSS JOIN LATERAL (
      SELECT i.address FROM process_dna.agent_addresses i
      WHERE i.tenant_id = p_tenant AND i.agent_id = p_agent
        AND i.first_seen <= p_at + t.slack
        AND (i.last_seen IS NULL OR i.last_seen >= p_at - t.slack)
      OFFSET 0) d) a
  CROSS JOIN LATERAL process_dna.address_holders(p_tenant, a.address, p_at,
                                                 a.slack) h
  WHERE p_agent = ANY (h.agents)
  ORDER BY a.address;
END $$;
