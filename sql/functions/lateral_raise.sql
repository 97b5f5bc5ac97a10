-- Make movements for these detections where there are none, without a login
-- and a line yet; gives their numbers. They are open if their alert is.
-- Agents are locked by the caller.
CREATE OR REPLACE FUNCTION process_dna.lateral_raise(
  p_tenant integer, p_pairs process_dna.lateral_pair[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_raised bigint[];
BEGIN
  WITH raised AS (
    INSERT INTO process_dna.process_dna_alerts
      (tenant_id, agent_id, kind, key, state, severity, verdict, container,
       exe_path, exe_sha256, exe_state, reason, baseline_sha256,
       baseline_grade, baseline_since, baseline_by, baseline_version, pid,
       uid, process_name, started_at, manager, package, version, arch,
       observed_at, last_seen, seen, line, closed_at, who, why, related_id,
       peer_agent_id, hops)
    SELECT p_tenant, a.agent_id, 'lateral-movement',
      process_dna.alert_key(t.name, 'lateral-movement', g.name, a.container,
        a.exe_path, a.exe_sha256 || ' ' || b.name),
      a.state, 'warning', a.verdict, a.container, a.exe_path, a.exe_sha256,
      a.exe_state, a.reason, a.baseline_sha256, a.baseline_grade,
      a.baseline_since, a.baseline_by, a.baseline_version, a.pid, a.uid,
      a.process_name, a.started_at, a.manager, a.package, a.version, a.arch,
      w.first_at, w.last_at, 0, '',
      CASE WHEN a.state <> 'open' THEN now() END, a.who, a.why, a.alert_id,
      w.target_agent_id, '[]'
    FROM (SELECT p.alert_id, p.target_agent_id, min(p.event_at) AS first_at,
            max(p.event_at) AS last_at
          FROM unnest(p_pairs) p
          GROUP BY p.alert_id, p.target_agent_id) w
    JOIN process_dna.tenants t ON t.tenant_id = p_tenant
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = a.agent_id LIMIT 1) g
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = w.target_agent_id
      LIMIT 1) b
    WHERE (SELECT true FROM process_dna.process_dna_alerts i
           WHERE i.related_id = w.alert_id AND i.tenant_id + 0 = p_tenant
             AND i.peer_agent_id = w.target_agent_id
           LIMIT 1) IS NULL
    ORDER BY w.first_at, w.alert_id, w.target_agent_id
    RETURNING alert_id
  )
  SELECT array_agg(r.alert_id) INTO v_raised FROM raised r;
  RETURN coalesce(v_raised, '{}');
END $$;
