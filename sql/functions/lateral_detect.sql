-- Write down the detections that p_pairs amount to, of agents that are locked
-- by the caller. Gives how many they are, and of movements: those that are
-- new, those that are graver than before, and those whose first login is
-- another one now, so that their hops have to be found anew.
CREATE OR REPLACE FUNCTION process_dna.lateral_detect(
  p_tenant integer, p_pairs process_dna.lateral_pair[],
  OUT detections bigint, OUT raised bigint[], OUT graver bigint[],
  OUT sooner bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_pairs process_dna.lateral_pair[] := CASE WHEN cardinality(p_pairs) > 0
    THEN process_dna.lateral_judge(p_tenant, p_pairs) ELSE '{}' END;
  v_first timestamptz := (SELECT min(p.event_arrived_at)
                          FROM unnest(v_pairs) p);
BEGIN
  detections := cardinality(v_pairs);
  IF detections = 0 THEN
    raised := '{}';
    graver := '{}';
    sooner := '{}';
    RETURN;
  END IF;
  raised := process_dna.lateral_raise(p_tenant, v_pairs);

  INSERT INTO process_dna.lateral_detections
    (tenant_id, agent_id, movement_id, alert_id, target_agent_id,
     event_arrived_at, event_id, auth_user, method, key_fingerprint, cert_id,
     src_ip, src_port, src_agents, observed_at, stamped_at, trust, session_at,
     first_time)
  SELECT p_tenant, p.agent_id, m.alert_id, p.alert_id, p.target_agent_id,
    e.arrived_at, e.event_id, e.auth_user, e.method, e.key_fingerprint,
    e.cert_id, e.src_ip, e.src_port, p.src_agents, e.observed_at,
    e.stamped_at, e.trust, e.session_at, p.first_time
  FROM unnest(v_pairs) p
  CROSS JOIN LATERAL (
    SELECT i.alert_id FROM process_dna.process_dna_alerts i
    WHERE i.related_id = p.alert_id AND i.tenant_id + 0 = p_tenant
      AND i.peer_agent_id = p.target_agent_id
    LIMIT 1) m
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.auth_events i
    WHERE i.tenant_id = p_tenant AND i.arrived_at = p.event_arrived_at
      AND i.arrived_at >= v_first AND i.event_id = p.event_id
    LIMIT 1) e
  ORDER BY e.observed_at, e.arrived_at, e.event_id, p.alert_id;

  WITH news AS (
    SELECT m.place, m.severity, m.observed_at, w.logins, w.first_at, w.last_at,
      w.first_time
    FROM (SELECT p.alert_id, p.target_agent_id, count(*) AS logins,
            min(p.event_at) AS first_at, max(p.event_at) AS last_at,
            bool_or(p.first_time) AS first_time
          FROM unnest(v_pairs) p
          GROUP BY p.alert_id, p.target_agent_id) w
    CROSS JOIN LATERAL (
      SELECT i.ctid AS place, i.severity, i.observed_at
      FROM process_dna.process_dna_alerts i
      WHERE i.related_id = w.alert_id AND i.tenant_id + 0 = p_tenant
        AND i.peer_agent_id = w.target_agent_id
      LIMIT 1) m
  ), noted AS (
    UPDATE process_dna.process_dna_alerts m
    SET seen = m.seen + n.logins,
        observed_at = least(m.observed_at, n.first_at),
        last_seen = greatest(m.last_seen, n.last_at),
        severity = CASE WHEN n.first_time THEN 'critical' ELSE m.severity END
    FROM news n
    WHERE m.ctid = n.place
    RETURNING m.alert_id, m.severity <> n.severity AS graver,
      m.observed_at <> n.observed_at AS sooner
  )
  SELECT coalesce(array_agg(n.alert_id) FILTER (WHERE n.graver), '{}'),
         coalesce(array_agg(n.alert_id) FILTER (WHERE n.sooner), '{}')
    INTO graver, sooner FROM noted n;
END $$;
