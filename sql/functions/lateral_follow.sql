-- Find the hops of movements anew and note them, with their lines, of agents
-- that are locked by the caller. Gives the movements that now lead on, by a
-- login or an unexplained change on the host that was reached, and did not
-- before.
CREATE OR REPLACE FUNCTION process_dna.lateral_follow(
  p_tenant integer, p_movements bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_movement process_dna.process_dna_alerts;
  v_hops process_dna.lateral_hop[];
  v_json jsonb;
  v_grown bigint[] := '{}';
BEGIN
  FOR v_movement IN
    SELECT a.* FROM (SELECT DISTINCT unnest(p_movements)) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    ORDER BY a.alert_id
  LOOP
    v_hops := process_dna.lateral_hops(p_tenant, v_movement);
    v_json := process_dna.lateral_hops_json(p_tenant, v_hops);
    UPDATE process_dna.process_dna_alerts a
    SET hops = v_json, line = process_dna.lateral_line(v_movement,
      process_dna.lateral_login(p_tenant, v_movement.alert_id),
      v_hops[1].from_host, v_hops[1].to_host, v_json)
    WHERE a.tenant_id = p_tenant AND a.alert_id = v_movement.alert_id
      AND a.agent_id = v_movement.agent_id;
    CONTINUE WHEN v_json = v_movement.hops;

    DELETE FROM process_dna.lateral_reached r
    WHERE r.tenant_id = p_tenant AND r.movement_id = v_movement.alert_id;
    INSERT INTO process_dna.lateral_reached
      (tenant_id, agent_id, movement_id, source_agent_id, reached_at)
    SELECT p_tenant, h.to_agent, v_movement.alert_id, v_movement.agent_id,
           h.at
    FROM unnest(v_hops) h WHERE h.to_agent IS NOT NULL;
    IF process_dna.lateral_leads_on(v_json)
       AND NOT process_dna.lateral_leads_on(v_movement.hops) THEN
      v_grown := v_grown || v_movement.alert_id;
    END IF;
  END LOOP;
  RETURN v_grown;
END $$;
