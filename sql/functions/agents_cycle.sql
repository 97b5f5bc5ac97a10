-- The longest cycle, in seconds, of the ways by which an agent is seen: of
-- p_sources, which told of it at p_arrived, and of those that were not silent
-- then. A way that has ended must not have its agent missed later.
CREATE OR REPLACE FUNCTION process_dna.agents_cycle(
  p_tenant integer, p_agent bigint, p_sources text[],
  p_arrived timestamptz)
RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT max(w.interval_s)
  FROM process_dna.agent_sources w
  JOIN process_dna.tenants t ON t.tenant_id = w.tenant_id
  WHERE w.tenant_id = p_tenant AND w.agent_id = p_agent
    AND (w.source = ANY (p_sources)
         OR w.last_arrived > p_arrived
            - greatest(3 * w.interval_s, t.silent_s) * interval '1 s')
$$;
