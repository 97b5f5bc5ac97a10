-- The hops of a movement: its first login, and the logins that lead on from
-- each host that was reached, within the window after it was first reached.
-- Each host is there once, as it was first reached. What was found before is
-- kept; all else follows from the logins, in whatever order they came.
CREATE OR REPLACE FUNCTION process_dna.lateral_hops(
  p_tenant integer, p_movement process_dna.process_dna_alerts)
RETURNS process_dna.lateral_hop[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_hop_limit CONSTANT integer := 64;
  v_depth_limit CONSTANT integer := 8;
  v_window interval := process_dna.lateral_window(p_tenant);
  v_hops process_dna.lateral_hop[] := '{}';
  v_open process_dna.lateral_hop[];
  v_next process_dna.lateral_hop;
  v_hosts text[];
BEGIN
  SELECT ARRAY[(d.agent_id, a.name, d.target_agent_id, b.name, 1,
           d.observed_at, d.event_arrived_at, d.event_id, d.auth_user,
           d.method, d.key_fingerprint, d.src_ip, d.src_port, d.trust,
           cardinality(d.src_agents) > 1)::process_dna.lateral_hop],
         ARRAY[a.name]
    INTO v_open, v_hosts
    FROM process_dna.lateral_detections d
    JOIN process_dna.agents a
      ON a.tenant_id = p_tenant AND a.agent_id = d.agent_id
    JOIN process_dna.agents b
      ON b.tenant_id = p_tenant AND b.agent_id = d.target_agent_id
    WHERE d.movement_id = p_movement.alert_id AND d.tenant_id = p_tenant
    ORDER BY d.observed_at, d.event_arrived_at, d.event_id
    LIMIT 1;
  WHILE cardinality(v_hops) < v_hop_limit LOOP
    SELECT o.* INTO v_next FROM unnest(v_open) o
      WHERE o.to_host <> ALL (v_hosts)
      ORDER BY o.at, o.arrived_at, o.event_id LIMIT 1;
    EXIT WHEN NOT FOUND;
    v_hops := v_hops || v_next;
    v_hosts := v_hosts || v_next.to_host;
    v_open := ARRAY(
      SELECT o FROM unnest(v_open) o
      WHERE o.to_host <> ALL (v_hosts)
      ORDER BY o.at, o.arrived_at, o.event_id LIMIT v_hop_limit);
    IF v_next.to_agent IS NOT NULL AND v_next.depth < v_depth_limit THEN
      v_open := v_open || ARRAY(
        SELECT s FROM process_dna.lateral_steps(p_tenant, v_next,
          v_next.at + v_window) s
        UNION ALL
        SELECT k FROM process_dna.lateral_known(p_tenant, p_movement.hops,
          v_next, v_next.at + v_window) k);
    END IF;
  END LOOP;
  RETURN v_hops;
END $$;
