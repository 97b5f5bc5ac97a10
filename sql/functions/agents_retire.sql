-- Take an agent out of service: its scans are refused and its silence raises
-- no alert; its open alerts are closed. Gives 'done' or 'no such agent'.
CREATE OR REPLACE FUNCTION process_dna.agents_retire(
  p_tenant integer, p_name text, p_who text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent bigint;
BEGIN
  UPDATE process_dna.agents g
  SET retired_at = coalesce(g.retired_at, now()),
      retired_by = coalesce(g.retired_by, left(p_who, 255)), silence = NULL
  WHERE g.tenant_id = p_tenant AND g.name = p_name
  RETURNING g.agent_id INTO v_agent;
  IF NOT FOUND THEN
    RETURN 'no such agent';
  END IF;
  UPDATE process_dna.executables x 
  SET settled = true, held_until = NULL -- nothing is held
  WHERE x.tenant_id = p_tenant AND x.agent_id = v_agent AND NOT x.settled;
  INSERT INTO process_dna.agent_events (tenant_id, agent_id, event, who)
  VALUES (p_tenant, v_agent, 'retired', left(p_who, 255));
  PERFORM process_dna.alerts_close(p_tenant,
    (SELECT array_agg(a.alert_id) FROM process_dna.process_dna_alerts a
     WHERE a.tenant_id = p_tenant AND a.agent_id = v_agent
       AND a.state = 'open'),
    'resolved', p_who, 'the agent was retired', NULL);
  PERFORM process_dna.agents_changed(p_tenant, ARRAY[v_agent]);
  RETURN 'done';
END $$;
