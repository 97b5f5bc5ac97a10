-- The baseline of a path changed (of all paths, if they are null): what runs
-- there has to be judged anew in the next scan, and so has what is trusted for
-- its digest alone.
CREATE OR REPLACE FUNCTION process_dna.executables_unsettle(
  p_tenant integer, p_agent bigint, p_container text, p_path text)
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET jit = off
AS $$
  UPDATE process_dna.executables x SET settled = false
  WHERE x.tenant_id = p_tenant AND x.agent_id = p_agent
    AND x.last_seen IS NULL AND x.settled
    AND (p_path IS NULL OR x.state = 'anonymous'
         OR x.container = p_container AND x.path = p_path)
$$;
