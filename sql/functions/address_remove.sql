-- Take an address from an agent; what it reports itself comes back with its
-- next changed scan. Gives 'done', 'no such agent' or 'no such address'.
CREATE OR REPLACE FUNCTION process_dna.address_remove(
  p_tenant integer, p_agent text, p_address text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent bigint;
  v_address text;
BEGIN
  SELECT g.agent_id INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_agent
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  BEGIN
    v_address := host(p_address::inet);
  EXCEPTION WHEN invalid_text_representation THEN
    RETURN 'no such address';
  END;
  UPDATE process_dna.agent_addresses d
  SET last_seen = greatest(d.first_seen, now())
  WHERE d.tenant_id = p_tenant AND d.agent_id = v_agent
    AND host(d.address) = v_address AND d.last_seen IS NULL;
  IF NOT FOUND THEN
    RETURN 'no such address';
  END IF;
  PERFORM process_dna.agents_choose_ip(p_tenant, ARRAY[v_agent]);
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, who)
  VALUES (p_tenant, v_agent, 'address-removed', v_address,
    left(p_who, 255));
  RETURN 'done';
END $$;
