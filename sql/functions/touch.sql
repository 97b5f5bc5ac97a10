-- Scans arrived that equal their agents' last ones: only the agents' times
-- move. Agents that have had newer scans, and retired ones, stay as they are.
CREATE OR REPLACE FUNCTION process_dna.touch(
  p_tenant integer, p_agent bigint[], p_observed timestamptz[],
  p_arrived timestamptz[], p_sequence bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  PERFORM FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (p_agent)
    ORDER BY g.agent_id
    FOR NO KEY UPDATE;
  UPDATE process_dna.agents g
  SET last_observed = s.observed, last_sequence = s.sequence,
      last_arrived = greatest(g.last_arrived, s.arrived)
  FROM (SELECT DISTINCT ON (u.agent_id) u.*, i.place
        FROM unnest(p_agent, p_observed, p_arrived, p_sequence)
          u (agent_id, observed, arrived, sequence)
        CROSS JOIN LATERAL (
          SELECT i.ctid AS place FROM process_dna.agents i
          WHERE i.tenant_id = p_tenant AND i.agent_id = u.agent_id
          LIMIT 1) i
        ORDER BY u.agent_id, u.observed DESC) s
  WHERE g.ctid = s.place
    AND g.retired_at IS NULL
    AND coalesce(g.last_observed < s.observed, true);
END $$;
