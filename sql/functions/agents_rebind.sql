-- Bind an agent to another signer, or with null to the next one that signs for
-- it. A name is that of a collectd user; an snmp-poll is always the next one
-- that speaks for the agent. Gives 'done' or 'no such agent'.
CREATE OR REPLACE FUNCTION process_dna.agents_rebind(
  p_tenant integer, p_name text, p_signer text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent process_dna.agents;
  v_signer text;
BEGIN
  SELECT g.* INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_name
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  SELECT string_agg(w.signer, ' ' ORDER BY w.source) INTO v_signer
    FROM process_dna.agent_sources w
    WHERE w.tenant_id = p_tenant AND w.agent_id = v_agent.agent_id;
  UPDATE process_dna.agent_sources w
  SET signer = CASE w.source WHEN 'collectd' THEN p_signer END
  WHERE w.tenant_id = p_tenant AND w.agent_id = v_agent.agent_id;
  IF p_signer IS NOT NULL THEN
    INSERT INTO process_dna.agent_sources (tenant_id, agent_id, source, signer)
    VALUES (p_tenant, v_agent.agent_id, 'collectd', p_signer)
    ON CONFLICT DO NOTHING;
  END IF;
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, new_value, who)
  VALUES (p_tenant, v_agent.agent_id, 'rebound', v_signer, p_signer,
    left(p_who, 255));
  PERFORM process_dna.agents_changed(p_tenant, ARRAY[v_agent.agent_id]);
  RETURN 'done';
END $$;
