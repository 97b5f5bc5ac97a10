-- Alerts, the newest last: the open ones, or all with p_all. peer_host is the
-- host that a movement led to. With
-- p_restart_pending executables instead that run on from before an update, in
-- the same columns; these are no alerts and have no number.
CREATE OR REPLACE FUNCTION process_dna.list_alerts(
  p_tenant integer, p_all boolean, p_restart_pending boolean)
RETURNS TABLE (alert_id bigint, key text, severity text, state text,
  kind text, host text, container text, path text, verdict text,
  baseline_sha256 text, observed_sha256 text, exe_state text, pid integer,
  package text, first_seen timestamptz, last_seen timestamptz, count bigint,
  who text, why text, line text, peer_host text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  IF p_restart_pending THEN
    RETURN QUERY
    SELECT NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::text,
      g.name, x.container, x.path, x.verdict, b.sha256, x.sha256, x.state,
      x.pid, concat_ws(' ', nullif(x.package, ''), nullif(x.version, '')),
      x.first_seen, g.last_observed, NULL::bigint, NULL::text, NULL::text,
      process_dna.line_of(g.name || ': ' || x.path || ' still runs as SHA-256 '
        || left(x.sha256, 12) || '..., started before its update; pid '
        || x.pid || '. Restart the service'),
      NULL::text
    FROM process_dna.executables x
    JOIN process_dna.agents g
      ON g.tenant_id = p_tenant AND g.agent_id = x.agent_id
    LEFT JOIN process_dna.baselines b
      ON b.tenant_id = p_tenant AND b.agent_id = x.agent_id
      AND b.container = x.container AND b.path = x.path AND b.until IS NULL
    WHERE x.tenant_id = p_tenant AND x.verdict = 'restart-pending'
      AND x.last_seen IS NULL
    ORDER BY g.name, x.container, x.path, x.sha256;
  ELSE
    RETURN QUERY
    SELECT a.alert_id, a.key, a.severity, a.state, a.kind,
      coalesce(g.name, ''), a.container, a.exe_path, a.verdict,
      a.baseline_sha256, nullif(a.exe_sha256, ''), a.exe_state, a.pid,
      concat_ws(' ', nullif(a.package, ''), nullif(a.version, '')),
      a.observed_at, a.last_seen, a.seen, a.who, a.why, a.line, b.name
    FROM process_dna.process_dna_alerts a
    LEFT JOIN process_dna.agents g
      ON g.tenant_id = p_tenant AND g.agent_id = a.agent_id
    LEFT JOIN process_dna.agents b
      ON b.tenant_id = p_tenant AND b.agent_id = a.peer_agent_id
    WHERE a.tenant_id = p_tenant AND (p_all OR a.state = 'open')
    ORDER BY a.alert_id;
  END IF;
END $$;
