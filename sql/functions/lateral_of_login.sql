-- What a login has to do with lateral movement: pairs are the next p_limit
-- unexplained alerts within the window of the agents that it may have come
-- from; movements are those that reached one of these agents before, and that
-- it may lead on.
CREATE OR REPLACE FUNCTION process_dna.lateral_of_login(
  p_tenant integer, p_row process_dna.lateral_queue, p_limit integer,
  OUT pairs process_dna.lateral_pair[], OUT movements bigint[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_window interval := process_dna.lateral_window(p_tenant);
  v_login process_dna.auth_events;
  v_sources bigint[];
BEGIN
  SELECT e.* INTO v_login FROM process_dna.auth_events e
    WHERE e.tenant_id = p_tenant AND e.arrived_at = p_row.event_arrived_at
      AND e.event_id = p_row.event_id AND e.success
    LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_sources := process_dna.lateral_sources(p_tenant, v_login.src_ip,
    v_login.target_agent_id, v_login.observed_at);
  movements := ARRAY(
    SELECT r.movement_id FROM unnest(v_sources) s (agent_id)
    CROSS JOIN LATERAL (
      SELECT i.movement_id FROM process_dna.lateral_reached i
      WHERE i.agent_id = s.agent_id AND i.tenant_id + 0 = p_tenant
        AND i.reached_at BETWEEN v_login.observed_at - v_window
                             AND v_login.observed_at
      OFFSET 0) r
    -- Who was there already can't be reached a second time.
    WHERE (SELECT true FROM process_dna.lateral_reached i
           WHERE i.tenant_id = p_tenant AND i.movement_id = r.movement_id
             AND i.agent_id + 0 = v_login.target_agent_id
             AND i.reached_at <= v_login.observed_at
           LIMIT 1) IS NULL);
  IF v_login.target_agent_id IS NULL THEN
    RETURN;
  END IF;
  pairs := ARRAY(
    SELECT (a.alert_id, s.agent_id, a.observed_at, v_login.target_agent_id,
      v_login.arrived_at, v_login.event_id, v_login.observed_at, v_sources,
      NULL)::process_dna.lateral_pair
    FROM unnest(v_sources) s (agent_id)
    CROSS JOIN LATERAL (
      SELECT i.alert_id, i.observed_at FROM process_dna.process_dna_alerts i
      WHERE i.agent_id = s.agent_id AND i.tenant_id + 0 = p_tenant
        AND i.baseline_match = false
        AND i.observed_at >= greatest(v_login.observed_at - v_window,
                                      p_row.after_observed)
        AND i.observed_at <= v_login.observed_at + v_window
        AND (p_row.after_observed IS NULL
             OR (i.observed_at, i.alert_id)
                > (p_row.after_observed, p_row.after_event))
      ORDER BY i.observed_at, i.alert_id
      LIMIT p_limit) a
    ORDER BY a.observed_at, a.alert_id
    LIMIT p_limit);
END $$;
