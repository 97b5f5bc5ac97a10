-- Find the hops of movements anew and note them, with their lines, of agents
-- that are locked by the caller. Gives the movements that now lead on, by a
-- login or an unexplained change on the host that was reached, and did not
-- before.
--
-- One call follows a limited number of hops; what is left is put into
-- lateral_queue, of a new movement all but its first hop. Several alerts of one
-- agent have the same logins, so that the hops of one are those of the next.
CREATE OR REPLACE FUNCTION process_dna.lateral_follow(
  p_tenant integer, p_movements bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_hop_limit CONSTANT integer := 64; -- of a movement
  v_left integer := 200; -- in this call
  v_movement process_dna.process_dna_alerts;
  v_begin process_dna.lateral_hop;
  v_first process_dna.lateral_hop; -- of the last one
  v_known jsonb;
  v_hops process_dna.lateral_hop[];
  v_json jsonb;
  v_waits bigint[] := '{}';
  v_grown bigint[] := '{}';
BEGIN
  FOR v_movement IN
    SELECT a.* FROM unnest(p_movements) WITH ORDINALITY w (alert_id, n)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    WHERE w.n = array_position(p_movements, w.alert_id)
    ORDER BY w.n
  LOOP
    IF v_left <= 0 THEN
      v_waits := v_waits || v_movement.alert_id;
      CONTINUE WHEN v_movement.hops <> '[]';
    END IF;
    v_begin := process_dna.lateral_first(p_tenant, v_movement.alert_id);
    IF (v_begin, v_movement.hops) IS DISTINCT FROM (v_first, v_known) THEN
      v_first := v_begin;
      v_known := v_movement.hops;
      v_hops := process_dna.lateral_hops(p_tenant, v_first, v_known,
        CASE WHEN v_left > 0 THEN v_hop_limit ELSE 1 END);
      v_json := process_dna.lateral_hops_json(p_tenant, v_hops);
      v_left := v_left - cardinality(v_hops);
    END IF;
    PERFORM process_dna.lateral_note(p_tenant, v_movement, v_hops, v_json);
    IF process_dna.lateral_leads_on(v_json)
       AND NOT process_dna.lateral_leads_on(v_movement.hops) THEN
      v_grown := v_grown || v_movement.alert_id;
    END IF;
  END LOOP;
  INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT p_tenant, w.movement_id FROM unnest(v_waits) w (movement_id)
  ON CONFLICT DO NOTHING;
  RETURN v_grown;
END $$;
