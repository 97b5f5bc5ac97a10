-- Note the hops of a movement, also as p_json, and its line.
CREATE OR REPLACE FUNCTION process_dna.lateral_note(
  p_tenant integer, p_movement process_dna.process_dna_alerts,
  p_hops process_dna.lateral_hop[], p_json jsonb)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_line text := process_dna.lateral_line(p_movement,
    process_dna.lateral_login(p_tenant, p_movement.alert_id), p_json);
BEGIN
  IF (p_json, v_line) = (p_movement.hops, p_movement.line) THEN
    RETURN;
  END IF;
  UPDATE process_dna.process_dna_alerts a SET hops = p_json, line = v_line
  WHERE a.tenant_id = p_tenant AND a.alert_id = p_movement.alert_id
    AND a.agent_id = p_movement.agent_id;
  IF p_json = p_movement.hops THEN
    RETURN;
  END IF;
  IF p_movement.hops <> '[]' THEN
    DELETE FROM process_dna.lateral_reached r
    WHERE r.tenant_id = p_tenant AND r.movement_id = p_movement.alert_id;
  END IF;
  INSERT INTO process_dna.lateral_reached
    (tenant_id, agent_id, movement_id, source_agent_id, reached_at)
  SELECT p_tenant, h.to_agent, p_movement.alert_id, p_movement.agent_id, h.at
  FROM unnest(p_hops) h WHERE h.to_agent IS NOT NULL;
END $$;
