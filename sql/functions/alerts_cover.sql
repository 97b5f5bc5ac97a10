-- Close the open alerts about executables that are trusted now, since a
-- manifest or an approval covers them. Gives the agent of each closed alert.
-- Not closed are alerts whose digest was never the question.
CREATE OR REPLACE FUNCTION process_dna.alerts_cover(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_ids bigint[];
  v_agents bigint[];
BEGIN
  SELECT array_agg(DISTINCT a.alert_id) INTO v_ids
    FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id
        AND i.kind = 'binary-changed' AND i.container = r.container
        AND i.exe_path = r.path AND i.exe_sha256 = r.sha256
        AND i.state = 'open'
      LIMIT 1) a
    WHERE r.severity IS NULL
      AND (r.verdict IN ('match', 'manifest', 'unverified-update')
           -- What contradicted it was removed.
           OR r.verdict IN ('first-use', 'fleet')
              AND a.verdict = 'not-in-manifest' AND a.package_id IS NULL)
      AND a.verdict NOT IN ('spoofed', 'unreadable')
      AND (a.verdict <> 'new-binary' OR r.verdict = 'manifest' OR r.confirms)
      -- What runs on from before says nothing of the file.
      AND (a.verdict <> 'not-in-manifest' OR r.verdict = 'manifest'
           OR r.state IN ('current', 'replaced'))
      AND NOT EXISTS (
        SELECT FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS o
        WHERE o.severity IS NOT NULL AND o.agent_id = r.agent_id
          AND o.container = r.container AND o.path = r.path
          AND o.sha256 = r.sha256);
  IF v_ids IS NULL THEN
    RETURN '{}';
  END IF;
  SELECT array_agg(a.agent_id) INTO v_agents
    FROM process_dna.process_dna_alerts a
    WHERE a.tenant_id = p_tenant AND a.alert_id = ANY (v_ids);
  PERFORM process_dna.alerts_close(p_tenant, v_ids, 'resolved', NULL,
    'its digest is trusted now', true);
  RETURN v_agents;
END $$;
