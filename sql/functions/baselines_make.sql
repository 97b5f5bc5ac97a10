-- Enter the digests of first uses as baselines, in key order; gives how many
-- were. p_rows has one row per path. Null arrays are empty ones.
CREATE OR REPLACE FUNCTION process_dna.baselines_make(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  INSERT INTO process_dna.baselines
    (tenant_id, agent_id, container, path, sha256, grade,
     manager, package, version, arch, package_id, since)
  SELECT p_tenant, r.agent_id, r.container, r.path, r.sha256,
         CASE r.verdict WHEN 'new-binary' THEN 'first-use' ELSE r.verdict END,
         r.manager, r.package, r.version, r.arch, r.package_id, r.observed_at
  FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
  ORDER BY r.agent_id, r.container, r.path
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
