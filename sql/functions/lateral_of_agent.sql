-- An agent has a name or an address that it had not. Which logins are on it was
-- found by the name; for addresses of the last week look again at its
-- unexplained alerts, and at the movements that reached it, since it had the
-- first of them: the newest ones, for a host may change its addresses as it
-- likes.
CREATE OR REPLACE FUNCTION process_dna.lateral_of_agent(
  p_tenant integer, p_agent bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_limit CONSTANT integer := 1000;
  v_since timestamptz;
BEGIN
  -- Had then by the allowance for scans that tell of it late, and a window of
  -- that from an alert.
  SELECT min(d.first_seen) - 2 * process_dna.lateral_window(p_tenant)
    INTO v_since
    FROM process_dna.agent_addresses d
    WHERE d.tenant_id = p_tenant AND d.agent_id = p_agent
      AND d.first_seen >= now() - interval '7 days';
  INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
  SELECT p_tenant, a.alert_id FROM process_dna.process_dna_alerts a
  WHERE a.agent_id = p_agent AND a.tenant_id + 0 = p_tenant
    AND a.baseline_match = false AND a.observed_at >= v_since
  ORDER BY a.observed_at DESC, a.alert_id
  LIMIT v_limit;
  INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT p_tenant, r.movement_id FROM process_dna.lateral_reached r
  WHERE r.agent_id = p_agent AND r.tenant_id + 0 = p_tenant
    AND r.reached_at >= v_since
  ORDER BY r.reached_at DESC
  LIMIT v_limit
  ON CONFLICT DO NOTHING;
END $$;
