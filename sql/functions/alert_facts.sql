-- Everything that is known of one alert, by its number or its key (of a key
-- the open one, else the last): the columns of list_alerts and what an
-- explanation needs besides. What is not known is null.
CREATE OR REPLACE FUNCTION process_dna.alert_facts(
  p_tenant integer, p_key_or_id text)
RETURNS TABLE (alert_id bigint, key text, severity text, state text,
  kind text, host text, container text, path text, verdict text,
  baseline_sha256 text, observed_sha256 text, exe_state text, pid integer,
  package text, first_seen timestamptz, last_seen timestamptz, count bigint,
  who text, why text, line text,
  reason text, baseline_grade text, baseline_since timestamptz,
  baseline_by text, baseline_package_version text,
  process_name text, uid bigint, started timestamptz,
  file_size bigint, file_mode integer, file_owner bigint,
  file_mtime timestamptz, file_ctime timestamptz,
  agents_with_baseline bigint, agents_with_observed bigint,
  address text, package_manager text, package_name text,
  package_version text, package_arch text, manifest_provenance text,
  mitre text, closed_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT a.alert_id, a.key, a.severity, a.state, a.kind, coalesce(g.name, ''),
    a.container, a.exe_path, a.verdict, a.baseline_sha256,
    nullif(a.exe_sha256, ''), a.exe_state, a.pid,
    concat_ws(' ', nullif(a.package, ''), nullif(a.version, '')),
    a.observed_at, a.last_seen, a.seen, a.who, a.why, a.line,
    a.reason, a.baseline_grade, a.baseline_since, a.baseline_by,
    nullif(a.baseline_version, ''), a.process_name, a.uid, a.started_at,
    x.file_size, x.file_mode, x.file_owner, x.file_mtime, x.file_ctime,
    process_dna.agents_with(p_tenant, a.agent_id, a.baseline_sha256),
    process_dna.agents_with(p_tenant, a.agent_id, nullif(a.exe_sha256, '')),
    host(g.ip), nullif(a.manager, ''), nullif(a.package, ''),
    nullif(a.version, ''), nullif(a.arch, ''),
    (SELECT string_agg(DISTINCT m.provenance, ', ')
     FROM process_dna.manifests m
     WHERE m.tenant_id = p_tenant AND m.path = a.exe_path AND a.package <> ''
       AND (m.manager, m.package, m.version, m.arch)
           = (a.manager, a.package, a.version, a.arch)),
    CASE a.kind WHEN 'binary-changed' THEN 'T1036 T1554' END, a.closed_at
  FROM process_dna.process_dna_alerts a
  LEFT JOIN process_dna.agents g
    ON g.tenant_id = p_tenant AND g.agent_id = a.agent_id
  LEFT JOIN process_dna.executables x
    ON x.tenant_id = p_tenant AND x.agent_id = a.agent_id
    AND x.container = a.container AND x.path = a.exe_path
    AND x.sha256 = a.exe_sha256 AND x.state = a.exe_state
  WHERE a.tenant_id = p_tenant
    AND (a.key = p_key_or_id
         OR a.alert_id = CASE WHEN p_key_or_id ~ '^[0-9]{1,18}$'
              THEN p_key_or_id::bigint END)
  ORDER BY a.state = 'open' DESC, a.alert_id DESC
  LIMIT 1;
END $$;
