-- The next p_limit executables, by place, whose hold may have ended. Not while
-- nothing was heard of their host since: it may be in the middle of an update
-- all the same, and silence has alerts of its own. After another hour what is
-- held is judged as it was seen last.
CREATE OR REPLACE FUNCTION process_dna.executables_due(
  p_tenant integer, p_limit integer)
RETURNS TABLE (place tid, agent_id bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT x.ctid, x.agent_id FROM process_dna.executables x
  WHERE x.held_until <= now() AND x.tenant_id = p_tenant
    AND (x.held_until <= now() - interval '1 hour'
         OR (SELECT g.last_arrived >= x.held_until FROM process_dna.agents g
             WHERE g.tenant_id = p_tenant AND g.agent_id = x.agent_id
             LIMIT 1))
  ORDER BY x.held_until LIMIT p_limit;
END $$;
