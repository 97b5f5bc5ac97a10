-- What a correlator has to know of the agents when it starts, to refuse
-- replays and strangers at arrival.
CREATE OR REPLACE FUNCTION process_dna.agents_state(p_tenant integer)
RETURNS TABLE (agent_id bigint, name text, signer text, boot timestamptz,
               last_observed timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT g.agent_id, g.name, g.signer, g.boot, g.last_observed
  FROM process_dna.agents g
  WHERE g.tenant_id = p_tenant
$$;
