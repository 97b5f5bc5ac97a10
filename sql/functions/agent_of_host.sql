-- The agent that a line of a log is of, or null: by the host name in its
-- header, which is compared as it is, then in any case, with the names that
-- were added by hand, and with or without a domain where only one agent fits; or
-- as the address that it is. Then by p_peer, the address that the line came from
-- at p_at. Several agents that fit but for their domains are told apart by that
-- address, unless it may be forged (p_forgeable): it is then asked only of hosts
-- that nobody knows.
--
-- The settings are the caller's: a SET here would take longer than all the rest.
-- The collation is that of agents' names, or a caller's would pass them by.
CREATE OR REPLACE FUNCTION process_dna.agent_of_host(
  p_tenant integer, p_host text, p_peer inet, p_at timestamptz,
  p_forgeable boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_name text COLLATE "default" := p_host;
  v_host text COLLATE "default" := lower(p_host);
  v_agents bigint[];
  v_agent bigint;
BEGIN
  IF v_host <> '' THEN
    SELECT g.agent_id INTO v_agent FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.name = v_name;
    IF FOUND THEN
      RETURN v_agent;
    END IF;
    v_agents := ARRAY(
      SELECT g.agent_id FROM process_dna.agents g
      WHERE g.tenant_id + 0 = p_tenant AND lower(g.name) = v_host
      LIMIT 2);
    IF cardinality(v_agents) = 1 THEN
      RETURN v_agents[1];
    END IF;
    SELECT n.agent_id INTO v_agent FROM process_dna.agent_names n
      WHERE n.tenant_id + 0 = p_tenant AND lower(n.name) = v_host;
    IF FOUND THEN
      RETURN v_agent;
    END IF;
    v_agents := CASE WHEN v_host ~ '^[0-9.]+$|^[0-9a-f.]*:[0-9a-f.:]*$'
      THEN process_dna.agents_of_address(p_tenant,
             (process_dna.inet_array(ARRAY[v_host]))[1], p_at)
      ELSE process_dna.agents_of_stem(p_tenant, v_host) END;
    IF cardinality(v_agents) = 1 THEN
      RETURN v_agents[1];
    END IF;
  END IF;
  IF p_peer IS NULL OR p_forgeable AND cardinality(v_agents) > 1 THEN
    RETURN NULL;
  END IF;
  v_agent := CASE WHEN cardinality(p.agents) = 1 THEN p.agents[1] END
    FROM process_dna.agents_of_address(p_tenant, p_peer, p_at) p (agents);
  RETURN CASE WHEN coalesce(cardinality(v_agents), 0) = 0
                OR v_agent = ANY (v_agents) THEN v_agent END;
END $$;
