-- Whether no login of p_user on p_target came from p_agent in the 30 days
-- before p_until. Who can forge lines can't make a way well known afterwards:
-- lines that anybody may send count only if they had arrived by then.
CREATE OR REPLACE FUNCTION process_dna.lateral_first_time(
  p_tenant integer, p_agent bigint, p_target bigint, p_user text,
  p_until timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_since timestamptz := p_until - interval '30 days';
BEGIN
  RETURN NOT EXISTS (
    SELECT FROM (
      SELECT DISTINCT d.address FROM process_dna.agent_addresses d
      WHERE d.tenant_id = p_tenant AND d.agent_id = p_agent
        AND d.first_seen <= p_until
                            + process_dna.lateral_window(p_tenant)
        AND (d.last_seen IS NULL OR d.last_seen
               >= v_since - process_dna.lateral_window(p_tenant))) a
    CROSS JOIN LATERAL (
      SELECT e.observed_at FROM process_dna.auth_events e
      WHERE e.target_agent_id = p_target AND e.src_ip = a.address
        AND hashtext(e.auth_user) = hashtext(p_user) AND e.auth_user = p_user
        AND e.tenant_id = p_tenant AND e.success
        AND e.observed_at >= v_since AND e.observed_at < p_until
        AND e.arrived_at >= v_since
        AND (e.arrived_at < p_until
             OR e.trust IN ('journal', 'tls', 'file', 'stdin'))
      ORDER BY e.observed_at DESC
      LIMIT 100) l -- if the address was somebody else's that often, so be it
    WHERE p_agent = ANY (process_dna.agents_of_address(p_tenant, a.address,
                                                       l.observed_at)));
END $$;
