-- Agents up to p_agent (null: all there are) have been judged for these rows of
-- the queue. Gives whether any of them is left that needs not wait.
CREATE OR REPLACE FUNCTION process_dna.manifest_queue_done(
  p_tenant integer, p_rows bigint[], p_agent bigint)
RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  DELETE FROM process_dna.manifest_queue q
  WHERE q.tenant_id = p_tenant AND q.queue_id = ANY (p_rows) AND q.again
    AND (p_agent IS NULL OR q.agent_id <= p_agent);
  UPDATE process_dna.manifest_queue q
  SET agent_after = CASE WHEN p_agent IS NULL OR q.agent_id <= p_agent
        THEN NULL ELSE greatest(q.agent_after, p_agent) END
  WHERE q.tenant_id = p_tenant AND q.queue_id = ANY (p_rows);
  RETURN EXISTS (SELECT FROM process_dna.manifest_queue q
                 WHERE q.tenant_id = p_tenant AND q.agent_after IS NOT NULL);
END $$;
