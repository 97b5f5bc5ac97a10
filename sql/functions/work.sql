-- What has to happen without a scan, every few seconds: verdicts whose hold
-- has ended are made, alerts that a manifest covers by now are closed, and
-- silent agents and fleets noticed. p_up_since is since when the caller has
-- been listening: silence is judged once that is long enough.
--
-- Gives how many alerts were closed, how many alerts of silence raised, and how
-- many held verdicts released. Any number of correlators may call this; one of
-- them works, the others find nothing to do.
CREATE OR REPLACE FUNCTION process_dna.work(
  p_tenant integer, p_up_since timestamptz)
RETURNS TABLE (resolved bigint, silent bigint, released bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_agents bigint[];
  v_rows process_dna.observation[];
  v_judged record;
  v_silence record;
BEGIN
  resolved := 0;
  silent := 0;
  released := 0;
  IF NOT pg_try_advisory_xact_lock(hashtext('process_dna.work'), p_tenant) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM process_dna.sinks_expire(p_tenant);
  DELETE FROM process_dna.correlators
    WHERE reported_at < now() - interval '7 days';

  -- All agents that are concerned are locked at once, in order, as elsewhere.
  SELECT array_agg(u.agent_id ORDER BY u.agent_id) INTO v_agents
    FROM (SELECT x.agent_id FROM process_dna.executables x
          WHERE x.tenant_id = p_tenant AND NOT x.settled
            AND x.verdict = 'held'
          UNION
          SELECT a.agent_id FROM process_dna.alerts_covered(p_tenant) a
          UNION
          SELECT o.agent_id FROM process_dna.agents_overdue(p_tenant) o
          WHERE o.overdue OR o.silence IS NOT NULL) u;
  PERFORM FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (v_agents)
    ORDER BY g.agent_id
    FOR NO KEY UPDATE;

  SELECT array_agg((x.agent_id, x.container, x.path, x.sha256, x.state,
             x.reason, x.name, x.pid, x.uid, x.started_at, x.processes, x.rss,
             x.file_size, x.file_mode, x.file_owner, x.file_mtime,
             x.file_ctime, x.manager, x.package, x.version, x.arch, NULL,
             x.whole, x.first_seen, x.last_seen, x.unreadable_scans,
             x.held_since, x.acknowledged, coalesce(g.last_observed, now()),
             now())::process_dna.observation)
    INTO v_rows
    FROM process_dna.executables x
    JOIN process_dna.agents g
      ON g.tenant_id = p_tenant AND g.agent_id = x.agent_id
    WHERE x.tenant_id = p_tenant AND x.agent_id = ANY (v_agents)
      AND (NOT x.settled AND x.verdict = 'held'
           OR x.state NOT IN ('spoofed', 'unreadable')
              AND (x.agent_id, x.container, x.path, x.sha256) IN (
                SELECT a.agent_id, a.container, a.exe_path, a.exe_sha256
                FROM process_dna.alerts_covered(p_tenant) a));
  -- What is still held is left alone.
  SELECT array_agg(d.observed) INTO v_rows
    FROM process_dna.decide(p_tenant, v_rows) d
    WHERE (d.judged).verdict <> 'held';
  IF v_rows IS NOT NULL THEN
    SELECT * INTO v_judged FROM process_dna.judge(p_tenant, v_rows, false);
    resolved := v_judged.resolved;
    released := v_judged.released;
    PERFORM process_dna.manifests_request(p_tenant, v_judged.requests);
    PERFORM process_dna.agents_changed(p_tenant, v_judged.changed);
  END IF;

  SELECT * INTO v_silence
    FROM process_dna.silence_note(p_tenant, v_agents, p_up_since);
  resolved := resolved + v_silence.resolved;
  silent := v_silence.raised;
  RETURN NEXT;
END $$;
