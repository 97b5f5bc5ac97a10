-- The first hop of a movement: its first login.
CREATE OR REPLACE FUNCTION process_dna.lateral_first(
  p_tenant integer, p_movement bigint)
RETURNS process_dna.lateral_hop LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_hop process_dna.lateral_hop;
BEGIN
  SELECT d.agent_id, a.name, d.target_agent_id, b.name, 1, d.observed_at,
      d.event_arrived_at, d.event_id, d.auth_user, d.method,
      d.key_fingerprint, d.src_ip, d.src_port, d.trust,
      cardinality(d.src_agents) > 1
    INTO v_hop
    FROM process_dna.lateral_detections d
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = d.agent_id LIMIT 1) a
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = d.target_agent_id
      LIMIT 1) b
    WHERE d.movement_id = p_movement AND d.tenant_id + 0 = p_tenant
    ORDER BY d.observed_at, d.event_arrived_at, d.event_id
    LIMIT 1;
  RETURN v_hop;
END $$;
