-- Of rows of lateral_queue those of logins that have nothing to do with lateral
-- movement, and needn't be looked at one by one: none of the agents that they
-- may have come from has an unexplained alert within the window, or was reached
-- by a movement.
CREATE OR REPLACE FUNCTION process_dna.lateral_idle(
  p_tenant integer, p_rows process_dna.lateral_queue[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_window interval := process_dna.lateral_window(p_tenant);
BEGIN
  RETURN ARRAY(
    SELECT q.queue_id FROM unnest(p_rows) q
    CROSS JOIN LATERAL process_dna.address_holders(p_tenant, q.event_src_ip,
      q.event_observed_at, v_window) h
    WHERE q.event_observed_at IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM unnest(h.agents) s (agent_id)
        CROSS JOIN LATERAL (
          SELECT FROM process_dna.process_dna_alerts a
          WHERE a.agent_id = s.agent_id AND a.tenant_id + 0 = p_tenant
            AND a.baseline_match = false
            AND a.observed_at BETWEEN q.event_observed_at - v_window
                                  AND q.event_observed_at + v_window
          LIMIT 1) o)
      AND NOT EXISTS (
        SELECT FROM unnest(h.agents) s (agent_id)
        CROSS JOIN LATERAL (
          SELECT FROM process_dna.lateral_reached r
          WHERE r.agent_id = s.agent_id AND r.tenant_id + 0 = p_tenant
            AND r.reached_at BETWEEN q.event_observed_at - v_window
                                 AND q.event_observed_at
          LIMIT 1) o));
END $$;
