-- Scans arrived that equal the last ones of their agents and ways: only the
-- times move. Agents that have had newer scans, and retired ones, stay as they
-- are.
CREATE OR REPLACE FUNCTION process_dna.touch(
  p_tenant integer, p_agent bigint[], p_source text[],
  p_observed timestamptz[], p_arrived timestamptz[], p_sequence bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  PERFORM FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (p_agent)
    ORDER BY g.agent_id
    FOR NO KEY UPDATE;
  WITH touched AS (
    UPDATE process_dna.agent_sources w
    SET last_observed = s.observed, last_sequence = s.sequence,
        last_arrived = greatest(w.last_arrived, s.arrived)
    FROM (SELECT DISTINCT ON (u.agent_id, u.source) u.*, i.place
          FROM unnest(p_agent, p_source, p_observed, p_arrived, p_sequence)
            u (agent_id, source, observed, arrived, sequence)
          CROSS JOIN LATERAL (
            SELECT i.ctid AS place FROM process_dna.agent_sources i
            WHERE i.tenant_id = p_tenant AND i.agent_id = u.agent_id
              AND i.source = u.source
            LIMIT 1) i
          CROSS JOIN LATERAL (
            SELECT FROM process_dna.agents g
            WHERE g.tenant_id = p_tenant AND g.agent_id = u.agent_id
              AND g.retired_at IS NULL
            LIMIT 1) g
          ORDER BY u.agent_id, u.source, u.observed DESC) s
    WHERE w.ctid = s.place
      AND coalesce(w.last_observed < s.observed, true)
    RETURNING w.agent_id, w.source, w.last_observed, w.last_arrived
  )
  UPDATE process_dna.agents g
  SET last_observed = greatest(g.last_observed, t.observed),
      last_arrived = greatest(g.last_arrived, t.arrived),
      interval_s = process_dna.agents_cycle(p_tenant, t.agent_id, t.sources,
                                            t.arrived)
  FROM (SELECT u.agent_id, max(u.last_observed) AS observed,
          max(u.last_arrived) AS arrived, array_agg(u.source) AS sources
        FROM touched u GROUP BY u.agent_id) t
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = t.agent_id
    LIMIT 1) o
  WHERE g.ctid = o.place;
END $$;
