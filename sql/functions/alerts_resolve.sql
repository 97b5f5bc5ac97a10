-- Close the alerts about executables of which a complete scan has just shown
-- that the baseline's digest is back at the path and the alert's digest
-- nowhere on the agent, unless it was trusted there before the alert. For a
-- state that no digest explains (spoofed, unreadable) that state must be gone
-- from the path. Gives the agent of each closed alert.
--
-- What is present in executables is what the last complete scan had.
CREATE OR REPLACE FUNCTION process_dna.alerts_resolve(
  p_tenant integer, p_agents bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_open bigint[];
  v_digests text[];
  v_ids bigint[];
  v_agents bigint[];
BEGIN
  SELECT array_agg(a.alert_id), array_agg(DISTINCT a.exe_sha256),
         array_agg(DISTINCT a.agent_id)
    INTO v_open, v_digests, v_agents
    FROM unnest(p_agents) g (agent_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
        AND i.kind = 'binary-changed' AND i.state = 'open'
      OFFSET 0) a
    CROSS JOIN LATERAL (
      SELECT o.sha256 FROM process_dna.baselines o
      WHERE o.tenant_id = p_tenant AND o.agent_id = a.agent_id
        AND o.container = a.container AND o.path = a.exe_path
        AND o.until IS NULL
        -- An alert about the baseline's own digest says that it is not trusted.
        AND (o.sha256 <> a.exe_sha256
             OR a.verdict IN ('spoofed', 'unreadable'))
      LIMIT 1) b
    CROSS JOIN LATERAL (
      SELECT FROM process_dna.executables x
      WHERE x.tenant_id = p_tenant AND x.agent_id = a.agent_id
        AND x.container = a.container AND x.path = a.exe_path
        AND x.sha256 = b.sha256 AND x.state IN ('current', 'replaced')
        AND x.last_seen IS NULL
      LIMIT 1) present;
  IF v_open IS NULL THEN
    RETURN '{}';
  END IF;

  WITH present AS MATERIALIZED (
    SELECT x.agent_id, x.container, x.path, x.sha256, x.state,
      b.since AS trusted_since
    FROM unnest(v_agents) g (agent_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.executables i
      WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
        AND i.sha256 = ANY (v_digests) AND i.last_seen IS NULL
      OFFSET 0) x
    LEFT JOIN LATERAL (
      SELECT o.since FROM process_dna.baselines o
      WHERE o.tenant_id = p_tenant AND o.agent_id = x.agent_id
        AND o.container = x.container AND o.path = x.path
        AND o.until IS NULL AND o.sha256 = x.sha256
      LIMIT 1) b ON true
  )
  SELECT array_agg(a.alert_id), array_agg(a.agent_id) INTO v_ids, v_agents
    FROM unnest(v_open) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    WHERE NOT EXISTS (
        SELECT FROM present x
        WHERE x.agent_id = a.agent_id AND x.sha256 = a.exe_sha256
          AND CASE WHEN a.verdict IN ('spoofed', 'unreadable')
            THEN x.state = a.verdict AND x.container = a.container
              AND x.path = a.exe_path
            ELSE coalesce(x.trusted_since >= a.observed_at, true) END);
  IF v_ids IS NULL THEN
    RETURN '{}';
  END IF;
  PERFORM process_dna.alerts_close(p_tenant, v_ids, 'resolved', NULL,
    'the trusted digest is back', NULL);
  RETURN v_agents;
END $$;
