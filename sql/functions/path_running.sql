-- What runs as an executable and is not its trusted digest, or pretends to be
-- it, with the alert that is open about it; and open alerts about what is not
-- found like that any more (exe_state is null). What is in order has no alert,
-- though one may have its digest: of what something else pretends to be. The
-- newest first, at most a hundred. The inner orders are those of the keys, so
-- that nothing else is read.
CREATE OR REPLACE FUNCTION process_dna.path_running(
  p_tenant integer, p_agent bigint, p_container text, p_path text)
RETURNS TABLE (observed_sha256 text, exe_state text, reason text, verdict text,
  first_seen timestamptz, held_until timestamptz, pid integer,
  process_name text, package_name text, package_version text,
  alert_id bigint, severity text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT nullif(coalesce(x.sha256, a.exe_sha256), '')::text, x.state::text,
    coalesce(x.reason, a.reason), coalesce(x.verdict, a.verdict),
    coalesce(x.first_seen, a.observed_at), x.held_until,
    coalesce(x.pid, a.pid), coalesce(x.name, a.process_name),
    nullif(coalesce(x.package, a.package), '')::text,
    nullif(coalesce(x.version, a.version), '')::text, a.alert_id, a.severity
  FROM (SELECT * FROM process_dna.executables o
        WHERE o.tenant_id = p_tenant AND o.agent_id = p_agent
          AND o.container = p_container AND o.path = p_path
          AND o.last_seen IS NULL AND o.verdict IS DISTINCT FROM 'match'
        ORDER BY o.sha256, o.state
        LIMIT 100) x
  FULL JOIN (SELECT * FROM process_dna.process_dna_alerts o
             WHERE o.tenant_id = p_tenant AND o.agent_id = p_agent
               AND o.kind = 'binary-changed' AND o.container = p_container
               AND o.exe_path = p_path AND o.state = 'open'
             ORDER BY o.exe_sha256
             LIMIT 100) a
    ON a.exe_sha256 = x.sha256
  WHERE a.alert_id IS NOT NULL OR x.state = 'spoofed'
    OR x.sha256 IS DISTINCT FROM (
         SELECT o.sha256 FROM process_dna.baselines o
         WHERE o.tenant_id = p_tenant AND o.agent_id = p_agent
           AND o.container = p_container AND o.path = p_path
           AND o.until IS NULL)
  ORDER BY 5 DESC, 1, 2
  LIMIT 100;
END $$;
