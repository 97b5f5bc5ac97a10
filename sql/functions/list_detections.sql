-- Movements with what their logins have in common, the newest last: the open
-- ones, or all with p_all. source_address is where the first login came from;
-- hops are as in process_dna_alerts.
CREATE OR REPLACE FUNCTION process_dna.list_detections(
  p_tenant integer, p_all boolean)
RETURNS TABLE (alert_id bigint, key text, severity text, state text,
  source text, source_address text, target text, target_address text,
  container text, path text, baseline_sha256 text, observed_sha256 text,
  verdict text, related_id bigint, related_key text, auth_users text[],
  logins bigint, first_login timestamptz, last_login timestamptz,
  first_time boolean, ambiguous boolean, corroborated boolean, hops jsonb,
  raised_at timestamptz, closed_at timestamptz, who text, why text, line text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT a.alert_id, a.key, a.severity, a.state, g.name, l.address, b.name,
    host(b.ip), a.container, a.exe_path, a.baseline_sha256,
    nullif(a.exe_sha256, ''), a.verdict, a.related_id, r.key, l.users,
    l.logins, l.first_at, l.last_at, l.first_time, l.ambiguous,
    l.corroborated, a.hops, a.raised_at, a.closed_at, a.who, a.why, a.line
  FROM process_dna.process_dna_alerts a
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.agent_id LIMIT 1) g
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.peer_agent_id LIMIT 1) b
  CROSS JOIN LATERAL (
    SELECT i.key FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = a.related_id LIMIT 1) r
  CROSS JOIN LATERAL (
    SELECT count(*) AS logins, min(d.at) AS first_at, max(d.at) AS last_at,
      array_agg(DISTINCT d.auth_user) AS users,
      (array_agg(d.src_ip ORDER BY d.at, d.detection_id))[1] AS address,
      bool_or(d.first_time) AS first_time,
      bool_or(cardinality(d.sources) > 1) AS ambiguous,
      bool_or(d.session_at IS NOT NULL) AS corroborated
    FROM process_dna.detection_logins(p_tenant, a.alert_id) d) l
  WHERE a.tenant_id = p_tenant AND a.kind = 'lateral-movement'
    AND (p_all OR a.state = 'open')
  ORDER BY a.alert_id;
END $$;
