-- What a correlator has to know of the agents when it starts, to refuse
-- replays and strangers at arrival: a row for each way by which one is seen.
CREATE OR REPLACE FUNCTION process_dna.agents_state(p_tenant integer)
RETURNS TABLE (agent_id bigint, name text, source text, signer text,
               boot timestamptz, last_observed timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT g.agent_id, g.name, w.source, w.signer, w.boot, w.last_observed
  FROM process_dna.agents g
  JOIN process_dna.agent_sources w
    ON w.tenant_id = g.tenant_id AND w.agent_id = g.agent_id
  WHERE g.tenant_id = p_tenant
$$;
