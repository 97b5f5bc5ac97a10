-- The login that a movement is told by: of the gravest the earliest.
CREATE OR REPLACE FUNCTION process_dna.lateral_login(
  p_tenant integer, p_movement bigint)
RETURNS process_dna.lateral_detections LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_login process_dna.lateral_detections;
BEGIN
  SELECT d.* INTO v_login FROM process_dna.lateral_detections d
    WHERE d.movement_id = p_movement AND d.tenant_id + 0 = p_tenant
    ORDER BY d.first_time DESC, d.observed_at, d.detection_id
    LIMIT 1;
  RETURN v_login;
END $$;
