-- Begin a look at what is queued: gives up to 50 rows of the queue, in their
-- order, that may be worked on now. One that is looked at for the second time
-- begins anew when all transactions have ended that ran at the first look:
-- verdicts that were made without its manifest are to be seen by then. A
-- transaction has a number before it judges, since it locks agents first.
CREATE OR REPLACE FUNCTION process_dna.manifest_queue_look(p_tenant integer)
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_now pg_snapshot := pg_current_snapshot();
  v_rows bigint[];
BEGIN
  SELECT array_agg(u.queue_id) INTO v_rows
    FROM (SELECT q.queue_id FROM process_dna.manifest_queue q
          WHERE q.tenant_id = p_tenant
            AND (q.agent_after IS NOT NULL
                 OR q.barrier <= pg_snapshot_xmin(v_now))
          ORDER BY q.queue_id
          LIMIT 50) u;
  UPDATE process_dna.manifest_queue q
  SET agent_after = coalesce(q.agent_after, 0),
      again = q.agent_after IS NULL
        -- Nobody else is in the middle of anything: once will do.
        OR NOT EXISTS (SELECT FROM pg_snapshot_xip(v_now) x (id)
                       WHERE x.id <> pg_current_xact_id()),
      barrier = coalesce(q.barrier, pg_snapshot_xmax(v_now))
  WHERE q.tenant_id = p_tenant AND q.queue_id = ANY (v_rows)
    AND (q.barrier IS NULL OR q.agent_after IS NULL);
  RETURN v_rows;
END $$;
