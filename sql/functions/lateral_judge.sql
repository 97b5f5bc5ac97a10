-- Of pairs of an alert and a login those that belong together and were not
-- detected yet, each once, with whether the user came this way for the first
-- time: no login of his on the target came from the agent in the 30 days before
-- the window. Who can forge lines can't make a way well known: those that anybody
-- may send count only if they had arrived by then, and what another agent sent
-- doesn't, for whoever is root on the host that was changed can write what they
-- like in the name of the next one. A relay that is no agent is believed.
--
-- Agents are locked by the caller: what explains an alert may have done so since
-- the pairs were found.
CREATE OR REPLACE FUNCTION process_dna.lateral_judge(
  p_tenant integer, p_pairs process_dna.lateral_pair[])
RETURNS process_dna.lateral_pair[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_days CONSTANT interval := '30 days';
  v_window interval := process_dna.lateral_window(p_tenant);
  v_first timestamptz; -- arrival of a login
  v_since timestamptz; -- nothing that makes a way known arrived before
BEGIN
  SELECT min(p.event_arrived_at), min(p.alert_at) - v_window - v_days
    INTO v_first, v_since FROM unnest(p_pairs) p;
  RETURN ARRAY(
    WITH fresh AS MATERIALIZED (
      SELECT DISTINCT ON (p.alert_id, p.event_arrived_at, p.event_id)
        p.*, e.auth_user
      FROM unnest(p_pairs) p
      CROSS JOIN LATERAL (
        SELECT i.auth_user FROM process_dna.auth_events i
        WHERE i.tenant_id = p_tenant AND i.arrived_at = p.event_arrived_at
          AND i.arrived_at >= v_first AND i.event_id = p.event_id
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
      SELECT w.*, NOT EXISTS (
        SELECT FROM (
          SELECT d.address FROM process_dna.agent_addresses d
          WHERE d.tenant_id = p_tenant AND d.agent_id = w.agent_id
            AND d.first_seen <= w.until + v_window
            AND (d.last_seen IS NULL
                 OR d.last_seen >= w.until - v_days - v_window)
          -- A host may say that it has as many as it likes.
          ORDER BY d.last_seen DESC NULLS FIRST, d.first_seen
          LIMIT 100) a
        CROSS JOIN LATERAL (
          SELECT i.observed_at, i.arrived_at, i.trust, i.log_peer
          FROM process_dna.auth_events i
          WHERE i.target_agent_id = w.target_agent_id
            AND hashtext(i.auth_user) = hashtext(w.auth_user)
            AND i.src_ip + 0 = a.address
            AND i.observed_at >= w.until - v_days AND i.observed_at < w.until
            AND i.tenant_id + 0 = p_tenant AND i.success
            AND i.auth_user = w.auth_user AND i.arrived_at >= v_since
            AND (i.arrived_at < w.until
                 OR i.trust IN ('journal', 'tls', 'file', 'stdin'))
          -- if the address was somebody else's that often, so be it
          LIMIT 100) l
        CROSS JOIN LATERAL (
          SELECT CASE WHEN l.trust IN ('journal', 'file', 'stdin') THEN '{}'
            ELSE process_dna.agents_of_address(p_tenant, l.log_peer,
              l.arrived_at) END AS agents -- that may have sent it
          OFFSET 0) s
        WHERE w.agent_id = ANY (process_dna.agents_of_address(p_tenant,
            a.address, l.observed_at))
          AND (s.agents = '{}' OR w.target_agent_id = ANY (s.agents)))
        AS first_time
      FROM (SELECT DISTINCT f.agent_id, f.target_agent_id, f.auth_user,
              f.alert_at - v_window AS until
            FROM fresh f) w
    )
    SELECT (f.alert_id, f.agent_id, f.alert_at, f.target_agent_id,
      f.event_arrived_at, f.event_id, f.event_at, f.src_agents,
      w.first_time)::process_dna.lateral_pair
    FROM fresh f
    JOIN ways w
      ON w.agent_id = f.agent_id AND w.target_agent_id = f.target_agent_id
      AND w.auth_user = f.auth_user AND w.until = f.alert_at - v_window);
END $$;
