-- Give the place of a baseline to a digest whose verdict says so, with an
-- event; what was the baseline is kept as a former one, and what else runs at
-- the path has to be judged anew in the next scan. Gives the agents of which a
-- baseline moved.
--
-- until is always later than since, and the next since is that until: so no two
-- former baselines of a path end at the same time.
--
-- Rows are found one by one and updated by place, here and in other functions:
-- nobody else changes them while the agent is locked, and a join in place of
-- that may be planned the wrong way round.
CREATE OR REPLACE FUNCTION process_dna.baselines_move(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agents bigint[];
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(p_judged) j WHERE j.moves) THEN
    RETURN '{}';
  END IF;
  WITH moved AS (
    SELECT DISTINCT ON (r.agent_id, r.container, r.path) r.*, b.place
    FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
    CROSS JOIN LATERAL (
      SELECT o.ctid AS place FROM process_dna.baselines o
      WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
        AND o.container = r.container AND o.path = r.path
        AND o.until IS NULL
      LIMIT 1) b
    WHERE r.moves
    ORDER BY r.agent_id, r.container, r.path, r.state <> 'current',
      r.processes DESC, r.sha256
  ), former AS (
    UPDATE process_dna.baselines b
    SET until = greatest(m.observed_at, b.since + interval '1 microsecond')
    FROM moved m
    WHERE b.ctid = m.place
    RETURNING m.*, b.until, b.sha256 AS old_sha256
  ), present AS (
    INSERT INTO process_dna.baselines
      (tenant_id, agent_id, container, path, sha256, grade,
       manager, package, version, arch, package_id, since)
    SELECT p_tenant, f.agent_id, f.container, f.path, f.sha256,
           CASE f.verdict WHEN 'manifest' THEN 'manifest' ELSE 'unverified' END,
           f.manager, f.package, f.version, f.arch, f.package_id, f.until
    FROM former f
  ), events AS (
    INSERT INTO process_dna.agent_events
      (tenant_id, agent_id, event, container, path, old_value, new_value, why)
    SELECT p_tenant, f.agent_id, 'rebaselined', f.container, f.path,
           f.old_sha256, f.sha256,
           coalesce(process_dna.manifest_title(p_tenant, f.package_id),
                    f.verdict)
    FROM former f
  ), others AS (
    UPDATE process_dna.executables x SET settled = false
    FROM former f
    CROSS JOIN LATERAL (
      SELECT i.ctid AS place FROM process_dna.executables i
      WHERE i.tenant_id = p_tenant AND i.agent_id = f.agent_id
        AND i.container = f.container AND i.path = f.path
        AND i.last_seen IS NULL AND i.settled
      OFFSET 0) o
    WHERE x.ctid = o.place
  )
  SELECT coalesce(array_agg(DISTINCT f.agent_id), '{}') INTO v_agents
  FROM former f;
  RETURN v_agents;
END $$;
