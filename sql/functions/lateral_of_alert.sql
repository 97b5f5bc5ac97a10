-- What an alert has to do with lateral movement: pairs are the next p_limit
-- logins on other agents within the window from addresses of its agent, also
-- those that turn out to identify somebody else; movements are those that its
-- agent was reached by about then, and that have to show the alert and don't,
-- or that do though it is explained by now.
CREATE OR REPLACE FUNCTION process_dna.lateral_of_alert(
  p_tenant integer, p_row process_dna.lateral_queue, p_limit integer,
  OUT pairs process_dna.lateral_pair[], OUT movements bigint[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_window interval := process_dna.lateral_window(p_tenant);
  v_alert process_dna.process_dna_alerts;
  v_from timestamptz;
  v_to timestamptz;
BEGIN
  SELECT a.* INTO v_alert FROM process_dna.process_dna_alerts a
    WHERE a.tenant_id = p_tenant AND a.alert_id = p_row.alert_id LIMIT 1;
  v_from := v_alert.observed_at - v_window;
  v_to := v_alert.observed_at + v_window;
  movements := ARRAY(
    SELECT m.alert_id
    FROM (SELECT i.movement_id FROM process_dna.lateral_reached i
          WHERE i.agent_id = v_alert.agent_id AND i.tenant_id + 0 = p_tenant
            AND i.reached_at BETWEEN v_from AND v_to
          OFFSET 0) r
    CROSS JOIN LATERAL (
      SELECT i.alert_id, i.hops FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = r.movement_id
      LIMIT 1) m
    WHERE (v_alert.baseline_match IS NOT DISTINCT FROM false) <> (
      m.hops @> jsonb_build_array(jsonb_build_object('changed',
        jsonb_build_object('alert_id', v_alert.alert_id)))));
  IF v_alert.baseline_match IS DISTINCT FROM false THEN
    RETURN;
  END IF;
  pairs := ARRAY(
    SELECT (v_alert.alert_id, v_alert.agent_id, v_alert.observed_at,
      l.target_agent_id, l.arrived_at, l.event_id, l.observed_at,
      CASE WHEN v_alert.agent_id = ANY (s.agents) THEN s.agents ELSE '{}' END,
      NULL)::process_dna.lateral_pair
    FROM (
      SELECT e.*
      -- Whoever had it a window before or after a login had it then.
      FROM (SELECT DISTINCT d.address FROM process_dna.agent_addresses d
            WHERE d.tenant_id = p_tenant AND d.agent_id = v_alert.agent_id
              AND d.first_seen <= v_to + v_window
              AND (d.last_seen IS NULL OR d.last_seen >= v_from - v_window)) a
      CROSS JOIN LATERAL (
        SELECT i.target_agent_id, i.arrived_at, i.event_id, i.observed_at,
          i.src_ip
        FROM process_dna.auth_events i
        WHERE i.src_ip = a.address AND i.success AND i.tenant_id + 0 = p_tenant
          AND i.observed_at >= greatest(v_from, p_row.after_observed)
          AND i.observed_at <= v_to
          AND i.arrived_at >= v_from -- never before what it tells of
          AND i.target_agent_id <> v_alert.agent_id
          AND (p_row.after_observed IS NULL
               OR (i.observed_at, i.arrived_at, i.event_id)
                  > (p_row.after_observed, p_row.after_arrived,
                     p_row.after_event))
        ORDER BY i.observed_at, i.arrived_at, i.event_id
        LIMIT p_limit) e
      ORDER BY e.observed_at, e.arrived_at, e.event_id
      LIMIT p_limit) l
    CROSS JOIN LATERAL (
      SELECT process_dna.lateral_sources(p_tenant, l.src_ip,
        l.target_agent_id, l.observed_at)
      OFFSET 0) s (agents)
    ORDER BY l.observed_at, l.arrived_at, l.event_id);
END $$;
