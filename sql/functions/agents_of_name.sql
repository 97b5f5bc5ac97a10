-- The agents that a host name in a log may stand for: one, if it is that of an
-- agent as it is, or in any case, or one that was added by hand, or with or
-- without a domain; several, if it fits them alike; or none. A name that is an
-- address, if no agent is called so, is looked up as one, at p_at.
--
-- The settings are the caller's: a SET here would take longer than all the rest.
-- The collation is that of agents' names, or a caller's would pass them by.
CREATE OR REPLACE FUNCTION process_dna.agents_of_name(
  p_tenant integer, p_host text, p_at timestamptz)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_name text COLLATE "default" := p_host;
  v_host text COLLATE "default" := lower(p_host);
  v_stem text COLLATE "default" := split_part(lower(p_host), '.', 1);
  v_agents bigint[];
BEGIN
  IF coalesce(v_host, '') = '' THEN
    RETURN '{}';
  END IF;
  v_agents := ARRAY(
    SELECT g.agent_id FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = v_name);
  IF cardinality(v_agents) = 1 THEN
    RETURN v_agents;
  END IF;
  IF v_host ~ '^[0-9.]+$|^[0-9a-f.]*:[0-9a-f.:]*$' THEN
    RETURN process_dna.agents_of_address(p_tenant,
      (process_dna.inet_array(ARRAY[v_host]))[1], p_at);
  END IF;
  -- Of those that nobody knows, most don't even begin like one.
  IF NOT EXISTS (SELECT FROM process_dna.agents g
                 WHERE g.tenant_id + 0 = p_tenant
                   AND lower(split_part(g.name, '.', 1)) = v_stem)
     AND NOT EXISTS (SELECT FROM process_dna.agent_names n
                     WHERE n.tenant_id + 0 = p_tenant
                       AND lower(split_part(n.name, '.', 1)) = v_stem) THEN
    RETURN '{}';
  END IF;
  v_agents := ARRAY(
    SELECT g.agent_id FROM process_dna.agents g
    WHERE g.tenant_id + 0 = p_tenant AND lower(g.name) = v_host
    LIMIT 2);
  IF cardinality(v_agents) = 1 THEN
    RETURN v_agents;
  END IF;
  v_agents := ARRAY(
    SELECT n.agent_id FROM process_dna.agent_names n
    WHERE n.tenant_id + 0 = p_tenant AND lower(n.name) = v_host);
  IF cardinality(v_agents) = 1 THEN
    RETURN v_agents;
  END IF;
  RETURN process_dna.agents_of_stem(p_tenant, v_host);
END $$;
