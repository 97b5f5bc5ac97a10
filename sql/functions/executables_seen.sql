-- Note which way saw what, of agents that are seen by several ways; of all
-- others nothing is kept. Runs before executables_note, on locked agents.
CREATE OR REPLACE FUNCTION process_dna.executables_seen(
  p_tenant integer, p_scans process_dna.scan[],
  p_rows process_dna.observation[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_scans process_dna.scan[];
BEGIN
  SELECT array_agg(s) INTO v_scans FROM unnest(p_scans) s
    WHERE (SELECT true FROM process_dna.agent_sources w
           WHERE w.tenant_id = p_tenant AND w.agent_id = s.agent_id
             AND w.source <> s.source
           LIMIT 1);
  IF v_scans IS NULL THEN
    RETURN;
  END IF;

  -- What ran when the second way appeared, the first one saw.
  INSERT INTO process_dna.executable_sources
    (tenant_id, agent_id, source, container, path, sha256, state)
  SELECT p_tenant, x.agent_id, w.source, x.container, x.path, x.sha256, x.state
  FROM unnest(v_scans) s
  JOIN process_dna.agent_sources w
    ON w.tenant_id = p_tenant AND w.agent_id = s.agent_id
    AND w.source <> s.source
  JOIN process_dna.executables x
    ON x.tenant_id = p_tenant AND x.agent_id = s.agent_id
    AND x.last_seen IS NULL
  WHERE NOT EXISTS (
    SELECT FROM process_dna.executable_sources e
    WHERE e.tenant_id = p_tenant AND e.agent_id = s.agent_id)
  ON CONFLICT DO NOTHING;

  DELETE FROM process_dna.executable_sources e
  USING unnest(v_scans) s
  WHERE e.tenant_id = p_tenant AND e.agent_id = s.agent_id
    AND e.source = s.source AND s.complete;
  INSERT INTO process_dna.executable_sources
    (tenant_id, agent_id, source, container, path, sha256, state)
  SELECT p_tenant, r.agent_id, s.source, r.container, r.path, r.sha256, r.state
  FROM unnest(p_rows) r
  JOIN unnest(v_scans) s ON s.agent_id = r.agent_id
  ON CONFLICT DO NOTHING;
END $$;
