-- Lock the present baselines of executables, in key order.
CREATE OR REPLACE FUNCTION process_dna.baselines_lock(
  p_tenant integer, p_rows process_dna.observation[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  PERFORM FROM (SELECT DISTINCT r.agent_id, r.container, r.path
                FROM unnest(p_rows) r
                ORDER BY r.agent_id, r.container, r.path) r
    CROSS JOIN LATERAL (
      SELECT FROM process_dna.baselines b
      WHERE b.tenant_id = p_tenant AND b.agent_id = r.agent_id
        AND b.container = r.container AND b.path = r.path AND b.until IS NULL
      FOR UPDATE) b;
END $$;
