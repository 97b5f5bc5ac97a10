-- Of pairs of an alert and a login those that belong together and were not
-- detected yet, each once, with whether the user came this way for the first
-- time. Agents are locked by the caller: what explains an alert may have done
-- so since the pairs were found.
CREATE OR REPLACE FUNCTION process_dna.lateral_judge(
  p_tenant integer, p_pairs process_dna.lateral_pair[])
RETURNS process_dna.lateral_pair[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_window interval := process_dna.lateral_window(p_tenant);
BEGIN
  RETURN ARRAY(
    WITH fresh AS MATERIALIZED (
      SELECT DISTINCT ON (p.alert_id, p.event_arrived_at, p.event_id)
        p.*, e.auth_user
      FROM unnest(p_pairs) p
      CROSS JOIN LATERAL (
        SELECT i.auth_user FROM process_dna.auth_events i
        WHERE i.tenant_id = p_tenant AND i.arrived_at = p.event_arrived_at
          AND i.event_id = p.event_id
        LIMIT 1) e
      WHERE cardinality(p.src_agents) > 0
        AND (SELECT a.baseline_match FROM process_dna.process_dna_alerts a
             WHERE a.tenant_id = p_tenant AND a.alert_id = p.alert_id
             LIMIT 1) = false
        AND (SELECT true FROM process_dna.lateral_detections d
             WHERE d.tenant_id = p_tenant AND d.alert_id = p.alert_id
               AND d.agent_id = p.agent_id
               AND d.event_arrived_at = p.event_arrived_at
               AND d.event_id = p.event_id
             LIMIT 1) IS NULL
    ), ways AS MATERIALIZED (
      SELECT w.*, process_dna.lateral_first_time(p_tenant, w.agent_id,
        w.target_agent_id, w.auth_user, w.alert_at - v_window) AS first_time
      FROM (SELECT DISTINCT f.agent_id, f.alert_at, f.target_agent_id,
              f.auth_user
            FROM fresh f) w
    )
    SELECT (f.alert_id, f.agent_id, f.alert_at, f.target_agent_id,
      f.event_arrived_at, f.event_id, f.event_at, f.src_agents,
      w.first_time)::process_dna.lateral_pair
    FROM fresh f
    JOIN ways w USING (agent_id, alert_at, target_agent_id, auth_user));
END $$;
