-- Look at the next rows of lateral_queue and take them out of it: gives the
-- pairs of an alert and a login that they amount to, and puts movements whose
-- hops have to be found anew into the queue. A row with more than is left of
-- what one call takes stays, and is gone on with in the next.
CREATE OR REPLACE FUNCTION process_dna.lateral_look(p_tenant integer)
RETURNS process_dna.lateral_pair[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_row_limit CONSTANT integer := 200;
  v_pair_limit CONSTANT integer := 200;
  v_pairs process_dna.lateral_pair[] := '{}';
  v_rows process_dna.lateral_queue[];
  v_row process_dna.lateral_queue;
  v_left integer;
  v_found record;
  v_last process_dna.lateral_pair;
  v_movements bigint[] := '{}';
  v_done bigint[];
BEGIN
  v_rows := ARRAY(
    SELECT q FROM process_dna.lateral_queue q
    WHERE q.tenant_id = p_tenant AND q.movement_id IS NULL
    ORDER BY q.queue_id LIMIT v_row_limit);
  v_done := process_dna.lateral_idle(p_tenant, v_rows);
  FOREACH v_row IN ARRAY v_rows LOOP
    CONTINUE WHEN v_row.queue_id = ANY (v_done);
    v_left := v_pair_limit - cardinality(v_pairs);
    IF v_row.agent_id IS NOT NULL THEN
      -- All of its logins first, or one of them that made a way known would be
      -- missed when another is judged.
      EXIT WHEN process_dna.auth_link(p_tenant, v_row.agent_id);
      PERFORM process_dna.lateral_of_agent(p_tenant, v_row.agent_id);
    ELSE
      IF v_row.alert_id IS NOT NULL THEN
        SELECT * INTO v_found
          FROM process_dna.lateral_of_alert(p_tenant, v_row, v_left);
      ELSE
        SELECT * INTO v_found
          FROM process_dna.lateral_of_login(p_tenant, v_row, v_left);
      END IF;
      v_pairs := v_pairs || v_found.pairs;
      v_movements := v_movements || v_found.movements;
      IF cardinality(v_found.pairs) = v_left THEN
        v_last := v_found.pairs[v_left];
        UPDATE process_dna.lateral_queue q
        SET (after_observed, after_arrived, after_event) = (
          SELECT v_last.event_at, v_last.event_arrived_at, v_last.event_id
          WHERE v_row.alert_id IS NOT NULL
          UNION ALL
          SELECT v_last.alert_at, NULL, v_last.alert_id
          WHERE v_row.alert_id IS NULL)
        WHERE q.tenant_id = p_tenant AND q.queue_id = v_row.queue_id;
        EXIT;
      END IF;
    END IF;
    v_done := v_done || v_row.queue_id;
  END LOOP;
  PERFORM process_dna.lateral_done(p_tenant, v_done);
  INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT DISTINCT p_tenant, m.movement_id
  FROM unnest(v_movements) m (movement_id)
  ON CONFLICT DO NOTHING;
  RETURN v_pairs;
END $$;
