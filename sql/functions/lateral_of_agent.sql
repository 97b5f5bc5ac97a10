-- An agent has a name or an address that it had not: look again at its
-- unexplained alerts, and at the movements that reached it, from the time on
-- that the row of the queue names, or those of a week.
CREATE OR REPLACE FUNCTION process_dna.lateral_of_agent(
  p_tenant integer, p_row process_dna.lateral_queue)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_since timestamptz :=
    coalesce(p_row.after_observed, now() - interval '7 days');
BEGIN
  INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
  SELECT p_tenant, a.alert_id FROM process_dna.process_dna_alerts a
  WHERE a.agent_id = p_row.agent_id AND a.tenant_id = p_tenant
    AND a.baseline_match = false AND a.observed_at >= v_since
  ORDER BY a.observed_at, a.alert_id;
  INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT p_tenant, r.movement_id FROM process_dna.lateral_reached r
  WHERE r.agent_id = p_row.agent_id AND r.tenant_id = p_tenant
    AND r.reached_at >= v_since
  ORDER BY r.movement_id
  ON CONFLICT DO NOTHING;
END $$;
