-- Take rows out of lateral_queue.
CREATE OR REPLACE FUNCTION process_dna.lateral_done(
  p_tenant integer, p_rows bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  DELETE FROM process_dna.lateral_queue q
  USING unnest(p_rows) w (queue_id)
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.lateral_queue i
    WHERE i.tenant_id = p_tenant AND i.queue_id = w.queue_id LIMIT 1) o
  WHERE q.ctid = o.place;
END $$;
