-- Notice agents that fell silent and that are heard again. When more than 5%,
-- and at least 10, are overdue together, one alert for the fleet stands for
-- all; it is closed when fewer of them are left, and these get alerts of their
-- own. p_agents are locked by the caller: all that are overdue or silent.
-- Silence is judged for those whose limit is not longer than what has passed
-- since p_up_since.
CREATE OR REPLACE FUNCTION process_dna.silence_note(
  p_tenant integer, p_agents bigint[], p_up_since timestamptz,
  OUT resolved bigint, OUT raised bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_total bigint;
  v_back bigint[];
  v_late bigint[];
  v_fleet process_dna.process_dna_alerts;
  v_members bigint;
  v_left bigint[];
  v_ids bigint[];
BEGIN
  raised := 0;
  -- Heard again.
  WITH back AS (
    UPDATE process_dna.agents g SET silence = NULL
    FROM process_dna.agents_overdue(p_tenant) o
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (p_agents)
      AND o.agent_id = g.agent_id AND g.silence IS NOT NULL AND NOT o.overdue
    RETURNING g.agent_id
  )
  SELECT array_agg(a.alert_id) INTO v_back
    FROM back b
    JOIN process_dna.process_dna_alerts a
      ON a.tenant_id = p_tenant AND a.agent_id = b.agent_id
      AND a.kind = 'agent-silent' AND a.state = 'open';
  resolved := coalesce(cardinality(v_back), 0);
  PERFORM process_dna.alerts_close(p_tenant, v_back, 'resolved', NULL,
    'heard of again', NULL);

  SELECT count(*), count(*) FILTER (WHERE o.silence = 'fleet')
    INTO v_total, v_members
    FROM process_dna.agents_overdue(p_tenant) o;
  SELECT a.* INTO v_fleet FROM process_dna.process_dna_alerts a
    WHERE a.tenant_id = p_tenant AND a.agent_id = 0
      AND a.kind = 'fleet-silent' AND a.state = 'open';

  -- Newly silent; those that are only overdue count if one is silent.
  SELECT array_agg(o.agent_id) INTO v_late
    FROM process_dna.agents_overdue(p_tenant) o
    WHERE o.agent_id = ANY (p_agents) AND o.overdue AND o.silence IS NULL
      AND p_up_since <= now() - o.silent_after
      AND EXISTS (SELECT FROM process_dna.agents_overdue(p_tenant) s
                  WHERE s.agent_id = ANY (p_agents) AND s.silent
                    AND s.silence IS NULL);
  IF cardinality(v_late) >= 10 AND cardinality(v_late) * 20 > v_total THEN
    UPDATE process_dna.agents g SET silence = 'fleet'
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (v_late);
    v_members := v_members + cardinality(v_late);
    IF v_fleet.alert_id IS NULL THEN
      INSERT INTO process_dna.process_dna_alerts
        (tenant_id, agent_id, kind, key, severity, verdict, container,
         exe_path, exe_sha256, observed_at, last_seen, line)
      SELECT p_tenant, 0, 'fleet-silent',
        process_dna.alert_key(t.name, 'fleet-silent', '', '', '', ''),
        'critical', '', '', '', '', now(), now(),
        process_dna.line_of(v_members || ' of ' || v_total
          || ' agents fell silent together (fleet-silent). First: look at the'
          || ' network, at relays and at the correlator''s own host')
      FROM process_dna.tenants t WHERE t.tenant_id = p_tenant
      RETURNING * INTO v_fleet;
      PERFORM process_dna.outbox_add(p_tenant, ARRAY[v_fleet.alert_id],
        'raised');
      raised := raised + 1;
    END IF;
    v_late := NULL;
  ELSE
    -- Whoever was last heard before the fleet's alert belongs to it.
    UPDATE process_dna.agents g SET silence = 'fleet'
    WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (v_late)
      AND g.last_arrived < v_fleet.raised_at;
    v_late := ARRAY(
      SELECT o.agent_id FROM process_dna.agents_overdue(p_tenant) o
      WHERE o.agent_id = ANY (v_late) AND o.silent AND o.silence IS NULL);
  END IF;

  IF v_fleet.alert_id IS NOT NULL
     AND NOT (v_members >= 10 AND v_members * 20 > v_total) THEN
    PERFORM process_dna.alerts_close(p_tenant, ARRAY[v_fleet.alert_id],
      'resolved', NULL, 'most agents are heard of again', NULL);
    resolved := resolved + 1;
    SELECT array_agg(o.agent_id) INTO v_left
      FROM process_dna.agents_overdue(p_tenant) o
      WHERE o.silence = 'fleet';
    v_late := coalesce(v_late, '{}') || coalesce(v_left, '{}');
  END IF;

  UPDATE process_dna.agents g SET silence = 'agent'
  WHERE g.tenant_id = p_tenant AND g.agent_id = ANY (v_late);
  WITH fell AS (
    INSERT INTO process_dna.process_dna_alerts
      (tenant_id, agent_id, kind, key, severity, verdict, container,
       exe_path, exe_sha256, observed_at, last_seen, line)
    SELECT p_tenant, o.agent_id, 'agent-silent',
      process_dna.alert_key(t.name, 'agent-silent', o.name, '', '', ''),
      'warning', '', '', '', '', now(), now(),
      process_dna.line_of(o.name || ': not heard of since '
        || to_char(o.last_arrived AT TIME ZONE 'UTC',
                   'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        || ', longer than ' || extract(epoch FROM o.silent_after)::bigint
        || ' s (agent-silent). First: see whether the host is up, then whether'
        || ' its agent runs')
    FROM process_dna.agents_overdue(p_tenant) o
    JOIN process_dna.tenants t ON t.tenant_id = p_tenant
    WHERE o.agent_id = ANY (v_late)
    ORDER BY o.agent_id
    ON CONFLICT DO NOTHING
    RETURNING alert_id
  )
  SELECT array_agg(f.alert_id) INTO v_ids FROM fell f;
  PERFORM process_dna.outbox_add(p_tenant, v_ids, 'raised');
  raised := raised + coalesce(cardinality(v_ids), 0);
END $$;
