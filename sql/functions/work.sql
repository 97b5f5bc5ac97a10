-- What has to happen without a scan, every few seconds: verdicts whose hold
-- has ended are made, what a new manifest decides is judged anew, and silent
-- agents and fleets noticed. p_up_since is since when the caller has been
-- listening: silence is judged once that is long enough.
--
-- Gives how many alerts were closed, how many alerts of silence raised, how
-- many held verdicts released, and whether there is more to do at once: one
-- call judges a limited number. Any number of correlators may call this; one of
-- them works, the others find nothing to do.
CREATE OR REPLACE FUNCTION process_dna.work(
  p_tenant integer, p_up_since timestamptz)
RETURNS TABLE (resolved bigint, silent bigint, released bigint, more boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_held_limit CONSTANT integer := 1000;
  v_agent_limit CONSTANT integer := 50;
  v_queue bigint[];
  v_agents bigint[];
  v_held tid[];
  v_late bigint[];
  v_overdue bigint[];
  v_rows process_dna.observation[];
  v_judged record;
  v_silence record;
BEGIN
  resolved := 0;
  silent := 0;
  released := 0;
  more := false;
  IF NOT pg_try_advisory_xact_lock(hashtext('process_dna.work'), p_tenant) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM process_dna.sinks_expire(p_tenant);
  DELETE FROM process_dna.correlators
    WHERE reported_at < now() - interval '7 days';

  -- All agents that are concerned are locked at once, in order, as elsewhere;
  -- what is to be judged of them is read after that.
  v_queue := process_dna.manifest_queue_look(p_tenant);
  v_agents := process_dna.manifest_queue_agents(p_tenant, v_queue,
                                                v_agent_limit);
  v_late := ARRAY(SELECT d.agent_id
                  FROM process_dna.executables_due(p_tenant, v_held_limit) d);
  v_overdue := ARRAY(
    SELECT o.agent_id FROM process_dna.agents_overdue(p_tenant) o
    WHERE o.overdue OR o.silence IS NOT NULL);
  PERFORM FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant
      AND g.agent_id = ANY (v_agents || v_late || v_overdue)
    ORDER BY g.agent_id
    FOR NO KEY UPDATE;

  v_held := ARRAY(
    SELECT d.place FROM process_dna.executables_due(p_tenant, v_held_limit) d
    WHERE d.agent_id = ANY (v_late));
  v_rows := process_dna.executables_at(p_tenant, v_held
    || process_dna.manifest_queue_places(p_tenant, v_queue, v_agents));
  IF v_rows IS NOT NULL THEN
    SELECT * INTO v_judged FROM process_dna.judge(p_tenant, v_rows, false);
    resolved := v_judged.resolved;
    released := v_judged.released;
    PERFORM process_dna.manifests_request(p_tenant, v_judged.requests);
    PERFORM process_dna.agents_changed(p_tenant, v_judged.changed);
  END IF;
  more := process_dna.manifest_queue_done(p_tenant, v_queue,
            CASE cardinality(v_agents) WHEN v_agent_limit
              THEN v_agents[v_agent_limit] END)
          OR cardinality(v_held) = v_held_limit;

  SELECT * INTO v_silence
    FROM process_dna.silence_note(p_tenant, v_overdue, p_up_since);
  resolved := resolved + v_silence.resolved;
  silent := v_silence.raised;
  RETURN NEXT;
END $$;
