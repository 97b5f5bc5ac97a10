-- Hops as they are kept and shown. changed is the unexplained alert that the
-- host that was logged on to has within the window of the login, or null.
CREATE OR REPLACE FUNCTION process_dna.lateral_hops_json(
  p_tenant integer, p_hops process_dna.lateral_hop[])
RETURNS jsonb LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_window interval := process_dna.lateral_window(p_tenant);
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'from', h.from_host, 'to', h.to_host, 'user', h.auth_user,
        'method', h.method, 'key', h.key_fingerprint,
        'address', host(h.address), 'port', h.port,
        'at', to_char(h.at AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'trust', h.trust, 'ambiguous', h.ambiguous, 'changed', c.changed)
      ORDER BY h.n), '[]')
    FROM unnest(p_hops) WITH ORDINALITY h (from_agent, from_host, to_agent,
      to_host, depth, at, arrived_at, event_id, auth_user, method,
      key_fingerprint, address, port, trust, ambiguous, n)
    LEFT JOIN LATERAL (
      SELECT jsonb_build_object('alert_id', a.alert_id, 'key', a.key,
        'path', a.exe_path, 'sha256', a.exe_sha256) AS changed
      FROM process_dna.process_dna_alerts a
      WHERE a.agent_id = h.to_agent AND a.tenant_id + 0 = p_tenant
        AND a.baseline_match = false
        AND a.observed_at BETWEEN h.at - v_window AND h.at + v_window
      ORDER BY a.observed_at, a.alert_id
      LIMIT 1) c ON true);
END $$;
