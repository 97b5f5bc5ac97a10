-- The logins of a movement in the order of time; sources are the hosts that had
-- the address. A session may have been told of after the login was detected.
CREATE OR REPLACE FUNCTION process_dna.detection_logins(
  p_tenant integer, p_movement bigint)
RETURNS TABLE (detection_id bigint, auth_user text, method text,
  key_fingerprint text, cert_id text, src_ip text, src_port integer,
  at timestamptz, stamped_at timestamptz, arrived_at timestamptz, trust text,
  session_at timestamptz, first_time boolean, sources text[])
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT d.detection_id, d.auth_user, d.method, d.key_fingerprint, d.cert_id,
    host(d.src_ip), d.src_port, d.observed_at, d.stamped_at,
    d.event_arrived_at, d.trust, coalesce(d.session_at, e.session_at),
    d.first_time, ARRAY(
      SELECT g.name FROM unnest(d.src_agents) s (agent_id)
      CROSS JOIN LATERAL (
        SELECT i.name FROM process_dna.agents i
        WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id LIMIT 1) g
      ORDER BY g.name)
  FROM process_dna.lateral_detections d
  LEFT JOIN LATERAL (
    SELECT i.session_at FROM process_dna.auth_events i
    WHERE i.tenant_id = p_tenant AND i.arrived_at = d.event_arrived_at
      AND i.event_id = d.event_id
    LIMIT 1) e ON true
  WHERE d.movement_id = p_movement AND d.tenant_id + 0 = p_tenant
  ORDER BY d.observed_at, d.detection_id;
END $$;
