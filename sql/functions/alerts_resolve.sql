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
  v_ids bigint[];
  v_agents bigint[];
BEGIN
  SELECT array_agg(a.alert_id), array_agg(a.agent_id) INTO v_ids, v_agents
    FROM process_dna.process_dna_alerts a
    JOIN process_dna.baselines b
      ON b.tenant_id = p_tenant AND b.agent_id = a.agent_id
      AND b.container = a.container AND b.path = a.exe_path
      AND b.until IS NULL
    WHERE a.tenant_id = p_tenant AND a.agent_id = ANY (p_agents)
      AND a.kind = 'binary-changed' AND a.state = 'open'
      AND (SELECT true FROM process_dna.executables x
           WHERE x.tenant_id = p_tenant AND x.agent_id = a.agent_id
             AND x.container = a.container AND x.path = a.exe_path
             AND x.sha256 = b.sha256 AND x.state IN ('current', 'replaced')
             AND x.last_seen IS NULL
           LIMIT 1)
      AND CASE WHEN a.verdict IN ('spoofed', 'unreadable') THEN
        (SELECT true FROM process_dna.executables x
         WHERE x.tenant_id = p_tenant AND x.agent_id = a.agent_id
           AND x.container = a.container AND x.path = a.exe_path
           AND x.sha256 = a.exe_sha256 AND x.state = a.verdict
           AND x.last_seen IS NULL
         LIMIT 1) IS NULL
      ELSE
        (SELECT true FROM process_dna.executables x
         LEFT JOIN process_dna.baselines o
           ON o.tenant_id = p_tenant AND o.agent_id = x.agent_id
           AND o.container = x.container AND o.path = x.path
           AND o.until IS NULL
         WHERE x.tenant_id = p_tenant AND x.agent_id = a.agent_id
           AND x.sha256 = a.exe_sha256 AND x.last_seen IS NULL
           AND NOT (coalesce(o.sha256 = x.sha256, false)
                    AND o.since < a.observed_at)
         LIMIT 1) IS NULL
      END;
  IF v_ids IS NULL THEN
    RETURN '{}';
  END IF;
  PERFORM process_dna.alerts_close(p_tenant, v_ids, 'resolved', NULL,
    'the trusted digest is back', NULL);
  RETURN v_agents;
END $$;
