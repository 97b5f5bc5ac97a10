-- Raise alerts for executables whose verdict has a severity; of those of one
-- agent, container, path and digest the gravest counts. Where one is open it
-- is only seen again (p_seen), or updated if verdict or severity are others.
-- Gives the agents of which alerts were raised or updated. Those that nothing
-- explains are put into lateral_queue; movements of one that turns out to be no
-- such alert are closed.
CREATE OR REPLACE FUNCTION process_dna.alerts_raise(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[], p_seen boolean)
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_updated bigint[];
  v_raised bigint[];
  v_turned bigint[];
  v_agents bigint[];
BEGIN
  WITH worst AS (
    SELECT DISTINCT ON (r.agent_id, r.container, r.path, r.sha256)
      r.*, t.name AS tenant_name, g.name AS host,
      o.place, (o.verdict, o.severity) <> (r.verdict, r.severity) AS changed,
      o.baseline_match AS old_match,
      process_dna.alert_line(r.verdict, g.name, r.container, r.path, r.state,
        r.reason, r.sha256, r.baseline_sha256, r.baseline_version, r.package,
        r.version, r.name, r.pid) AS line,
      -- Whether the digest is explained; no question where there is none, or
      -- where it is not what is wrong.
      CASE r.verdict WHEN 'new-binary' THEN true
        WHEN 'unreadable' THEN NULL ELSE false END AS baseline_match
    FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
    JOIN process_dna.tenants t ON t.tenant_id = p_tenant
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id LIMIT 1) g
    LEFT JOIN LATERAL (
      SELECT i.ctid AS place, i.verdict, i.severity, i.baseline_match
      FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id
        AND i.kind = 'binary-changed' AND i.container = r.container
        AND i.exe_path = r.path AND i.exe_sha256 = r.sha256
        AND i.state = 'open'
      LIMIT 1) o ON true
    WHERE r.severity IS NOT NULL
    ORDER BY r.agent_id, r.container, r.path, r.sha256,
      array_position(ARRAY['critical', 'warning', 'info'], r.severity),
      array_position(ARRAY['spoofed', 'never-on-disk', 'not-in-manifest',
        'no-known-update', 'unverified-update'], r.verdict), r.state
  ), again AS (
    UPDATE process_dna.process_dna_alerts a
    SET last_seen = greatest(a.last_seen, w.observed_at),
        seen = a.seen + p_seen::integer,
        pid = w.pid, uid = w.uid, process_name = w.name,
        started_at = w.started_at, exe_state = w.state, reason = w.reason,
        verdict = w.verdict, severity = w.severity,
        baseline_match = w.baseline_match,
        baseline_sha256 = w.baseline_sha256, baseline_grade = w.baseline_grade,
        baseline_since = w.baseline_since, baseline_by = w.baseline_by,
        baseline_version = w.baseline_version, package_id = w.package_id,
        manager = w.manager, package = w.package,
        version = w.version, arch = w.arch,
        line = CASE WHEN w.changed THEN w.line ELSE a.line END
    FROM worst w
    WHERE a.ctid = w.place
    RETURNING a.agent_id, a.alert_id, w.changed,
      (w.old_match = false) IS DISTINCT FROM (w.baseline_match = false)
        AS turned
  ), raised AS (
    INSERT INTO process_dna.process_dna_alerts
      (tenant_id, agent_id, kind, key, severity, verdict, baseline_match,
       container, exe_path, exe_sha256, exe_state, reason,
       baseline_sha256, baseline_grade, baseline_since, baseline_by,
       baseline_version, package_id, pid, uid, process_name, started_at,
       manager, package, version, arch, observed_at, last_seen, line)
    SELECT p_tenant, w.agent_id, 'binary-changed',
           process_dna.alert_key(w.tenant_name, 'binary-changed', w.host,
                                 w.container, w.path, w.sha256),
           w.severity, w.verdict, w.baseline_match, w.container, w.path,
           w.sha256, w.state, w.reason, w.baseline_sha256, w.baseline_grade,
           w.baseline_since, w.baseline_by, w.baseline_version, w.package_id,
           w.pid, w.uid, w.name, w.started_at, w.manager, w.package,
           w.version, w.arch,
           w.observed_at, w.observed_at, w.line
    FROM worst w
    WHERE w.place IS NULL
    ORDER BY w.agent_id, w.container, w.path, w.sha256
    ON CONFLICT DO NOTHING
    RETURNING agent_id, alert_id
  )
  SELECT (SELECT array_agg(alert_id) FROM again WHERE changed),
         (SELECT array_agg(alert_id) FROM raised),
         (SELECT array_agg(alert_id) FROM again WHERE turned),
         (SELECT coalesce(array_agg(agent_id), '{}')
          FROM (SELECT agent_id FROM again WHERE changed
                UNION SELECT agent_id FROM raised) u)
    INTO v_updated, v_raised, v_turned, v_agents;
  PERFORM process_dna.outbox_add(p_tenant, v_updated, 'updated');
  PERFORM process_dna.outbox_add(p_tenant, v_raised, 'raised');
  INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
  SELECT p_tenant, w.alert_id FROM unnest(v_raised || v_turned) w (alert_id);
  PERFORM process_dna.alerts_close(p_tenant,
    process_dna.movements_open(p_tenant, v_turned), 'resolved', NULL,
    'the alert about the executable no longer says that it was changed', NULL);
  RETURN v_agents;
END $$;
