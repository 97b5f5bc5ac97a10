-- Give an agent an address that it does not report itself, or, where p_address
-- is none, another name that it has in logs. Gives 'done', 'no such agent',
-- 'neither an address nor a name', 'there already', or 'the name of another
-- agent'.
CREATE OR REPLACE FUNCTION process_dna.address_add(
  p_tenant integer, p_agent text, p_address text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent bigint;
  v_address inet := (process_dna.inet_array(ARRAY[p_address]))[1];
BEGIN
  SELECT g.agent_id INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_agent
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  IF v_address IS NULL THEN
    RETURN process_dna.agent_name_add(p_tenant, v_agent, p_address, p_who);
  END IF;
  INSERT INTO process_dna.agent_addresses
    (tenant_id, agent_id, address, source, first_seen, added_by)
  VALUES (p_tenant, v_agent, v_address, 'manual', now(), left(p_who, 255))
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'there already';
  END IF;
  PERFORM process_dna.agents_choose_ip(p_tenant, ARRAY[v_agent]);
  PERFORM process_dna.agents_known_as(p_tenant, ARRAY[v_agent]);
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, new_value, who)
  VALUES (p_tenant, v_agent, 'address-added', host(v_address),
    left(p_who, 255));
  RETURN 'done';
END $$;
