-- Give the place of a baseline to a digest whose verdict says so, with an
-- event; what was the baseline is kept as a former one. A digest that still is
-- the baseline when its package has another version takes that version over,
-- so that only a change of both counts as an update. Gives the agents of which
-- a baseline moved.
--
-- until is always later than since, and the next since is that until: so no two
-- former baselines of a path end at the same time.
CREATE OR REPLACE FUNCTION process_dna.baselines_move(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_agents bigint[];
BEGIN
  WITH moved AS (
    SELECT DISTINCT ON (r.agent_id, r.container, r.path) r.*
    FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
    WHERE r.moves
    ORDER BY r.agent_id, r.container, r.path, r.state <> 'current',
      r.processes DESC, r.sha256
  ), former AS (
    UPDATE process_dna.baselines b
    SET until = greatest(m.observed_at, b.since + interval '1 microsecond')
    FROM moved m
    WHERE b.tenant_id = p_tenant AND b.agent_id = m.agent_id
      AND b.container = m.container AND b.path = m.path AND b.until IS NULL
    RETURNING m.*, b.until, b.sha256 AS old_sha256
  ), present AS (
    INSERT INTO process_dna.baselines
      (tenant_id, agent_id, container, path, sha256, grade,
       manager, package, version, arch, since)
    SELECT p_tenant, f.agent_id, f.container, f.path, f.sha256,
           CASE f.verdict WHEN 'manifest' THEN 'manifest' ELSE 'unverified' END,
           f.manager, f.package, f.version, f.arch, f.until
    FROM former f
  ), events AS (
    INSERT INTO process_dna.agent_events
      (tenant_id, agent_id, event, container, path, old_value, new_value, why)
    SELECT p_tenant, f.agent_id, 'rebaselined', f.container, f.path,
           f.old_sha256, f.sha256, f.verdict
    FROM former f
  )
  SELECT coalesce(array_agg(DISTINCT f.agent_id), '{}') INTO v_agents
  FROM former f;

  IF EXISTS (SELECT FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
             WHERE r.verdict = 'match' AND r.state = 'current'
               AND r.package <> ''
               AND r.version IS DISTINCT FROM r.baseline_version) THEN
    UPDATE process_dna.baselines b
    SET manager = r.manager, package = r.package, version = i.version,
        arch = r.arch
    FROM unnest(p_rows) r, process_dna.package_inventory i
    WHERE r.state = 'current' AND r.package <> ''
      AND b.tenant_id = p_tenant AND b.agent_id = r.agent_id
      AND b.container = r.container AND b.path = r.path
      AND b.sha256 = r.sha256 AND b.until IS NULL
      AND i.tenant_id = p_tenant AND i.agent_id = r.agent_id
      AND i.container = r.container AND i.manager = r.manager
      AND i.package = r.package AND i.arch = r.arch
      AND NOT i.in_transaction
      AND (b.manager, b.package, b.version, b.arch)
          <> (r.manager, r.package, i.version, r.arch);
  END IF;
  RETURN v_agents;
END $$;
