-- The agents that an address stands for at a time: one, or up to three that
-- share it; empty for nobody (address_holders). Scans tell of an address up to
-- a cycle late, so the window for lateral movement is allowed for either way.
CREATE OR REPLACE FUNCTION process_dna.agents_of_address(
  p_tenant integer, p_address inet, p_at timestamptz)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_agents bigint[];
BEGIN
  SELECT h.agents INTO v_agents
    FROM process_dna.tenants t
    CROSS JOIN LATERAL process_dna.address_holders(p_tenant,
      process_dna.address_plain(p_address), p_at,
      t.lateral_window_s * interval '1 s') h
    WHERE t.tenant_id = p_tenant;
  RETURN coalesce(v_agents, '{}');
END $$;
