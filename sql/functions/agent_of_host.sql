-- The agent that a line of a log is of, or null: the one that the host name in
-- its header stands for (agents_of_name), or else p_peer, the address that the
-- line came from at p_at.
--
-- Of several that the name fits, the address tells which it is, unless it may be
-- forged (p_forgeable). Of a name that nobody knows it tells nothing where lines
-- came from there under names that are known (auth_peers): who has sent those is
-- a relay, or goes by another name.
CREATE OR REPLACE FUNCTION process_dna.agent_of_host(
  p_tenant integer, p_host text, p_peer inet, p_at timestamptz,
  p_forgeable boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_named bigint[] := process_dna.agents_of_name(p_tenant, p_host, p_at);
  v_agents bigint[];
BEGIN
  IF cardinality(v_named) = 1 THEN
    RETURN v_named[1];
  END IF;
  IF p_peer IS NULL OR p_forgeable AND cardinality(v_named) > 1 THEN
    RETURN NULL;
  END IF;
  v_agents := process_dna.agents_of_address(p_tenant, p_peer, p_at);
  IF cardinality(v_agents) <> 1
     OR cardinality(v_named) > 1 AND v_agents[1] <> ALL (v_named) THEN
    RETURN NULL;
  END IF;
  IF cardinality(v_named) = 0 AND p_host <> ''
     AND EXISTS (SELECT FROM process_dna.auth_peers p
                 WHERE p.tenant_id = p_tenant AND p.address = p_peer) THEN
    RETURN NULL;
  END IF;
  RETURN v_agents[1];
END $$;
