-- Agents whose scan tells of no package, while another way by which they are
-- seen does, and was not silent when it arrived for as long as makes an agent
-- silent: that such a scan names no owner says nothing.
CREATE OR REPLACE FUNCTION process_dna.packages_mute(
  p_tenant integer, p_scans process_dna.scan[],
  p_rows process_dna.observation[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT s.agent_id FROM unnest(p_scans) s
    JOIN process_dna.tenants t ON t.tenant_id = p_tenant
    WHERE (SELECT true FROM process_dna.agent_sources w
           WHERE w.tenant_id = p_tenant AND w.agent_id = s.agent_id
             AND w.source <> s.source AND w.packages
             AND w.last_arrived > s.arrived_at
                 - greatest(3 * w.interval_s, t.silent_s) * interval '1 s'
           LIMIT 1)
      AND s.agent_id NOT IN (SELECT r.agent_id FROM unnest(p_rows) r
                             WHERE r.package IS NOT NULL));
END $$;
