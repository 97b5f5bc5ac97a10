-- Everything that is known of one alert, by its number or its key (of a key
-- the open one, else the last): the columns of list_alerts and what an
-- explanation needs besides. What is not known is null.
--
-- The manifest_ columns are of the manifest that decided: the one that
-- contradicts the alert's digest, or, where its digest is the baseline now, the
-- one that lists it; else of any manifest of the package version.
-- manifest_digests are those that the version's manifests have for the path,
-- with a space between; the request_ columns tell how it stands with fetching.
--
-- From peer_host on the columns are those of movement_facts, null for other
-- kinds; movements are the numbers of those that follow from an alert.
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
  manifest_origin text, manifest_added_by text, manifest_added_at timestamptz,
  manifest_package text, manifest_version text, manifest_digests text,
  request_state text, request_at timestamptz, request_error text,
  mitre text, closed_at timestamptz,
  peer_host text, peer_address text, related_id bigint, related_key text,
  related_at timestamptz, users text, source_addresses text, sources text,
  least_trust text, logins bigint, logins_confirmed bigint,
  first_login timestamptz, last_login timestamptz, first_time boolean,
  ambiguous boolean, movements text)
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
    m.provenance, m.origin, m.added_by, m.added_at, m.package, m.version,
    (SELECT string_agg(DISTINCT e.sha256, ' ')
     FROM process_dna.manifest_files(p_tenant, a.manager, a.package,
                                     a.version, a.arch, a.exe_path) e),
    q.state, q.requested_at, q.error,
    nullif(process_dna.alert_mitre(a.kind), ''), a.closed_at, v.*,
    (SELECT string_agg(o.alert_id::text, ' ' ORDER BY o.alert_id)
     FROM process_dna.process_dna_alerts o
     WHERE o.tenant_id = p_tenant AND o.related_id = a.alert_id)
  FROM process_dna.process_dna_alerts a
  LEFT JOIN process_dna.agents g
    ON g.tenant_id = p_tenant AND g.agent_id = a.agent_id
  LEFT JOIN process_dna.executables x
    ON x.tenant_id = p_tenant AND x.agent_id = a.agent_id
    AND x.container = a.container AND x.path = a.exe_path
    AND x.sha256 = a.exe_sha256 AND x.state = a.exe_state
  LEFT JOIN process_dna.baselines b
    ON b.tenant_id = p_tenant AND b.agent_id = a.agent_id
    AND b.container = a.container AND b.path = a.exe_path AND b.until IS NULL
    AND b.sha256 = a.exe_sha256
  LEFT JOIN process_dna.manifest_packages m
    ON m.tenant_id = p_tenant AND m.package_id = coalesce(a.package_id,
      b.package_id, (
        SELECT o.package_id FROM process_dna.manifest_packages o
        WHERE o.tenant_id = p_tenant AND a.package <> ''
          AND (o.manager, o.package, o.version, o.arch)
              = (a.manager, a.package, a.version, a.arch)
        ORDER BY process_dna.manifest_trust(o.provenance) DESC LIMIT 1))
  LEFT JOIN process_dna.manifest_requests q
    ON q.tenant_id = p_tenant AND q.manager = a.manager
    AND q.package = a.package AND q.version = a.version AND q.arch = a.arch
  LEFT JOIN LATERAL process_dna.movement_facts(p_tenant, a.alert_id) v
    ON a.kind = 'lateral-movement'
  WHERE a.tenant_id = p_tenant
    AND (a.key = p_key_or_id
         OR a.alert_id = CASE WHEN p_key_or_id ~ '^[0-9]{1,18}$'
              THEN p_key_or_id::bigint END)
  ORDER BY a.state = 'open' DESC, a.alert_id DESC
  LIMIT 1;
END $$;
