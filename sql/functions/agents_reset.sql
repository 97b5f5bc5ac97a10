-- Start afresh with an agent, as after its host was installed anew: its
-- baselines become former ones, its open alerts are closed, its learning period
-- begins again, a scan of any time is taken next, and it is in service again
-- if it was retired: missed from now on, and its logins meanwhile are looked for.
-- Gives 'done' or 'no such agent'.
CREATE OR REPLACE FUNCTION process_dna.agents_reset(
  p_tenant integer, p_name text, p_who text)
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
  UPDATE process_dna.agents g
  SET learning_since = now(), last_observed = NULL,
      last_arrived = CASE WHEN g.retired_at IS NULL THEN g.last_arrived END,
      retired_at = NULL, retired_by = NULL
  WHERE g.tenant_id = p_tenant AND g.agent_id = v_agent.agent_id;
  UPDATE process_dna.agent_sources w SET last_observed = NULL, boot = NULL
  WHERE w.tenant_id = p_tenant AND w.agent_id = v_agent.agent_id;
  UPDATE process_dna.baselines b
  SET until = greatest(v_agent.last_observed,
                       b.since + interval '1 microsecond')
  WHERE b.tenant_id = p_tenant AND b.agent_id = v_agent.agent_id
    AND b.until IS NULL;
  PERFORM process_dna.executables_unsettle(p_tenant, v_agent.agent_id, NULL,
    NULL);
  UPDATE process_dna.executables x
  SET verdict = NULL, held_since = NULL, held_until = NULL,
      unreadable_scans = 0
  WHERE x.tenant_id = p_tenant AND x.agent_id = v_agent.agent_id
    AND NOT x.settled;
  INSERT INTO process_dna.agent_events (tenant_id, agent_id, event, who)
  VALUES (p_tenant, v_agent.agent_id, 'reset', left(p_who, 255));
  PERFORM process_dna.alerts_close(p_tenant,
    (SELECT array_agg(a.alert_id) FROM process_dna.process_dna_alerts a
     WHERE a.tenant_id = p_tenant AND a.agent_id = v_agent.agent_id
       AND a.kind = 'binary-changed' AND a.state = 'open'),
    'resolved', p_who, 'the agent was reset', NULL);
  IF v_agent.retired_at IS NOT NULL THEN
    PERFORM process_dna.agents_known_as(p_tenant, ARRAY[v_agent.agent_id]);
  END IF;
  PERFORM process_dna.agents_changed(p_tenant, ARRAY[v_agent.agent_id]);
  RETURN 'done';
END $$;
