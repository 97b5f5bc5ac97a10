-- Agents in service with what their silence amounts to. An agent is silent
-- after three cycles, but not before policy.silent, and overdue after two
-- thirds of that: when a whole fleet falls silent, its agents cross the limit
-- one after the other within a cycle, but all are overdue when the first does.
-- One that is back in service counts as heard when it was put back.
CREATE OR REPLACE FUNCTION process_dna.agents_overdue(p_tenant integer)
RETURNS TABLE (agent_id bigint, name text, silence text,
  last_arrived timestamptz, silent_after interval, silent boolean,
  overdue boolean)
LANGUAGE sql STABLE AS $$
  SELECT g.agent_id, g.name, g.silence, l.heard, l.silent_after,
    l.heard < now() - l.silent_after,
    l.heard < now() - l.silent_after * 2 / 3
  FROM process_dna.agents g
  JOIN process_dna.tenants t ON t.tenant_id = g.tenant_id
  CROSS JOIN LATERAL (
    SELECT coalesce(g.last_arrived, g.learning_since) AS heard,
      greatest(3 * g.interval_s, t.silent_s) * interval '1 s'
        AS silent_after) l
  WHERE g.tenant_id = p_tenant AND g.retired_at IS NULL
$$;
