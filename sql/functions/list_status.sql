-- The tenant's state in figures, as rows of key and value.
CREATE OR REPLACE FUNCTION process_dna.list_status(p_tenant integer)
RETURNS TABLE (key text, value text) LANGUAGE sql STABLE AS $$
  WITH g AS (
    SELECT count(*) FILTER (WHERE retired_at IS NULL) AS agents,
      count(*) FILTER (WHERE retired_at IS NULL AND silence IS NOT NULL)
        AS silent,
      count(*) FILTER (WHERE retired_at IS NOT NULL) AS retired,
      max(last_arrived) AS last_arrived
    FROM process_dna.agents WHERE tenant_id = p_tenant
  ), a AS (
    SELECT count(*) FILTER (WHERE severity = 'critical') AS critical,
      count(*) FILTER (WHERE severity = 'warning') AS warning,
      count(*) FILTER (WHERE severity = 'info') AS info,
      count(*) FILTER (WHERE kind = 'lateral-movement') AS movements
    FROM process_dna.process_dna_alerts
    WHERE tenant_id = p_tenant AND state = 'open'
  ), x AS (
    SELECT count(*) FILTER (WHERE last_seen IS NULL) AS executables,
      count(*) FILTER (WHERE verdict = 'held' AND NOT settled) AS held,
      count(*) FILTER (WHERE verdict = 'restart-pending'
                       AND last_seen IS NULL) AS pending
    FROM process_dna.executables WHERE tenant_id = p_tenant
  ), o AS (
    SELECT count(*) AS waiting, count(*) FILTER (WHERE error IS NOT NULL)
      AS failing, min(created_at) AS oldest
    FROM process_dna.trap_outbox WHERE tenant_id = p_tenant
  )
  SELECT v.key, v.value
  FROM g, a, x, o, LATERAL (VALUES
    ('tenant', (SELECT name FROM process_dna.tenants
                WHERE tenant_id = p_tenant)),
    ('schema-version', (SELECT max(version)::text
                        FROM process_dna.schema_version)),
    ('agents', g.agents::text),
    ('agents-silent', g.silent::text),
    ('agents-retired', g.retired::text),
    ('last-scan', to_char(g.last_arrived AT TIME ZONE 'UTC',
                          'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    ('executables', x.executables::text),
    ('baselines', (SELECT count(*)::text FROM process_dna.baselines
                   WHERE tenant_id = p_tenant AND until IS NULL)),
    ('restart-pending', x.pending::text),
    ('held', x.held::text),
    ('alerts-critical', a.critical::text),
    ('alerts-warning', a.warning::text),
    ('alerts-info', a.info::text),
    ('lateral-movements', a.movements::text),
    ('lateral-waiting', (SELECT count(*)::text FROM process_dna.lateral_queue
                         WHERE tenant_id = p_tenant)),
    ('manifest-requests', (SELECT count(*)::text
                           FROM process_dna.manifest_requests
                           WHERE tenant_id = p_tenant
                             AND state IN ('queued', 'running',
                                           'failed'))),
    ('manifest-requests-failed', (SELECT count(*)::text
                                  FROM process_dna.manifest_requests
                                  WHERE tenant_id = p_tenant
                                    AND state = 'failed')),
    ('manifest-fetch-error', (SELECT q.error
                              FROM process_dna.manifest_requests q
                              WHERE q.tenant_id = p_tenant
                                AND q.state = 'failed'
                              ORDER BY q.due_at DESC LIMIT 1)),
    ('traps-waiting', o.waiting::text),
    ('traps-failing', o.failing::text),
    ('traps-oldest', to_char(o.oldest AT TIME ZONE 'UTC',
                             'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    ('trap-sinks', (SELECT string_agg(DISTINCT sink, ' ')
                    FROM process_dna.trap_sinks WHERE tenant_id = p_tenant))
  ) v (key, value)
$$;
