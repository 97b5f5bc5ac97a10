-- Bind an agent to another signer, or with null to the next one that signs for
-- it. Gives 'done' or 'no such agent'.
CREATE OR REPLACE FUNCTION process_dna.agents_rebind(
  p_tenant integer, p_name text, p_signer text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent process_dna.agents;
BEGIN
  SELECT g.* INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_name
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  UPDATE process_dna.agents g SET signer = p_signer
  WHERE g.tenant_id = p_tenant AND g.agent_id = v_agent.agent_id;
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, new_value, who)
  VALUES (p_tenant, v_agent.agent_id, 'rebound', v_agent.signer, p_signer,
    left(p_who, 255));
  PERFORM process_dna.agents_changed(p_tenant, ARRAY[v_agent.agent_id]);
  RETURN 'done';
END $$;
