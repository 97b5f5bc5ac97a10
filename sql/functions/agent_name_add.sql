-- Give an agent, which is locked, another name that it has in logs; gives what
-- address_add does. No name of another agent, which would still be found first,
-- and nothing that looks like an address that was mistyped.
CREATE OR REPLACE FUNCTION process_dna.agent_name_add(
  p_tenant integer, p_agent bigint, p_name text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent bigint;
BEGIN
  IF (p_name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$'
      AND p_name !~ '^[0-9.]*$') IS NOT TRUE THEN
    RETURN 'neither an address nor a name';
  END IF;
  SELECT g.agent_id INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id + 0 = p_tenant AND lower(g.name) = lower(p_name)
    ORDER BY g.agent_id <> p_agent
    LIMIT 1;
  IF NOT FOUND THEN
    INSERT INTO process_dna.agent_names AS n
      (tenant_id, agent_id, name, added_by)
    VALUES (p_tenant, p_agent, p_name, left(p_who, 255))
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
      PERFORM process_dna.agents_known_as(p_tenant, ARRAY[p_agent]);
      INSERT INTO process_dna.agent_events
        (tenant_id, agent_id, event, new_value, who)
      VALUES (p_tenant, p_agent, 'name-added', p_name, left(p_who, 255));
      RETURN 'done';
    END IF;
    SELECT n.agent_id INTO v_agent FROM process_dna.agent_names n
      WHERE n.tenant_id + 0 = p_tenant AND lower(n.name) = lower(p_name);
  END IF;
  RETURN CASE v_agent WHEN p_agent THEN 'there already'
    ELSE 'the name of another agent' END;
END $$;
