-- Search for lateral movement: look at what waits in lateral_queue, in both
-- directions: a login looks for alerts of the agents that it may have come
-- from, an alert for logins from addresses of its agent. Both are in the queue
-- from the transaction on that wrote them, so whichever is looked at last sees
-- the other, in whatever order they came; what was detected before is known.
--
-- Gives how many logins were detected, how many movements raised, and whether
-- there is more to do at once: what one call reads and writes is bounded. Any
-- number of correlators may call this; one of them works, the others find
-- nothing to do.
--
-- Plans are made once, here and in all that is called from here: anew for each
-- call and for ninety partitions, that takes longer than all else.
CREATE OR REPLACE FUNCTION process_dna.lateral_work(p_tenant integer)
RETURNS TABLE (detections bigint, raised bigint, more boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_follow_limit CONSTANT integer := 100;
  v_pairs process_dna.lateral_pair[];
  v_rows bigint[];
  v_follow bigint[];
  v_agent bigint;
  v_found record;
  v_grown bigint[];
BEGIN
  detections := 0;
  raised := 0;
  more := false;
  IF NOT pg_try_advisory_xact_lock(hashtext('process_dna.lateral_work'),
                                   p_tenant) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  v_pairs := process_dna.lateral_look(p_tenant);
  SELECT array_agg(q.queue_id), coalesce(array_agg(q.movement_id), '{}')
    INTO v_rows, v_follow
    FROM (SELECT i.queue_id, i.movement_id FROM process_dna.lateral_queue i
          WHERE i.movement_id IS NOT NULL AND i.tenant_id = p_tenant
          ORDER BY i.movement_id LIMIT v_follow_limit) q;

  -- In order, as everywhere. Under these locks no alert of theirs is closed.
  FOR v_agent IN
    SELECT p.agent_id FROM unnest(v_pairs) p
    UNION
    SELECT a.agent_id FROM unnest(v_follow) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT i.agent_id FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    ORDER BY 1
  LOOP
    PERFORM FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.agent_id = v_agent
      FOR NO KEY UPDATE;
  END LOOP;

  PERFORM process_dna.lateral_done(p_tenant, v_rows);
  SELECT * INTO v_found FROM process_dna.lateral_detect(p_tenant, v_pairs);
  v_grown := process_dna.lateral_follow(p_tenant, v_found.raised
    || v_found.graver || v_found.sooner || v_follow);
  PERFORM process_dna.lateral_tell(p_tenant, v_found.raised,
                                   v_found.graver || v_grown);
  detections := v_found.detections;
  raised := cardinality(v_found.raised);
  more := (SELECT true FROM process_dna.lateral_queue q
           WHERE q.tenant_id = p_tenant LIMIT 1) IS NOT NULL;
  RETURN NEXT;
END $$;
