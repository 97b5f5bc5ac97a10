-- Take an address or another name from an agent; what it reports itself comes
-- back with its next changed scan. Gives 'done', 'no such agent' or 'no such
-- address'.
CREATE OR REPLACE FUNCTION process_dna.address_remove(
  p_tenant integer, p_agent text, p_address text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent bigint;
  v_event text := 'address-removed';
  v_address inet := (process_dna.inet_array(ARRAY[p_address]))[1];
BEGIN
  SELECT g.agent_id INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_agent
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  IF v_address IS NOT NULL THEN
    UPDATE process_dna.agent_addresses d
    SET last_seen = greatest(d.first_seen, now())
    WHERE d.tenant_id = p_tenant AND d.agent_id = v_agent
      AND d.address = v_address AND d.last_seen IS NULL;
  ELSE
    DELETE FROM process_dna.agent_names n
    WHERE n.tenant_id = p_tenant AND n.agent_id = v_agent
      AND lower(n.name) = lower(p_address);
    v_event := 'name-removed';
  END IF;
  IF NOT FOUND THEN
    RETURN 'no such address';
  END IF;
  PERFORM process_dna.agents_choose_ip(p_tenant, ARRAY[v_agent]);
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, who)
  VALUES (p_tenant, v_agent, v_event, coalesce(host(v_address), p_address),
    left(p_who, 255));
  RETURN 'done';
END $$;
