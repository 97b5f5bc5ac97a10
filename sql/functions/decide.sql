-- The verdict on executables as they are observed, by the first rule that
-- fits, from what the database says now. Changes nothing; judge acts on it.
--
-- A verdict of null says that there can be none yet: pending, or unreadable for
-- fewer than three scans running.
--
-- Subqueries end in LIMIT 1 where a join or EXISTS would do, so that each row
-- is looked up by the whole of its key: with a join, the planner may read all
-- of a table that it believes to be small. OFFSET 0 has the rules worked out
-- once, not once for each use of their result.
CREATE OR REPLACE FUNCTION process_dna.decide(
  p_tenant integer, p_rows process_dna.observation[])
RETURNS TABLE (observed process_dna.observation,
               judged process_dna.judgement)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT r, ROW(
      replace(v.verdict, 'held-manifest', 'held'),
      CASE
        WHEN v.verdict IN ('spoofed', 'unreadable') AND r.acknowledged THEN NULL
        WHEN v.verdict = 'unreadable' THEN
          CASE WHEN b.sha256 IS NULL THEN 'warning' ELSE 'critical' END
        WHEN v.verdict = 'new-binary' THEN 'warning'
        WHEN v.verdict = 'unverified-update' THEN
          nullif(t.unverified_update, 'accept')
        WHEN v.verdict IN ('spoofed', 'never-on-disk', 'not-in-manifest',
                           'no-known-update') THEN 'critical'
      END,
      coalesce(b.sha256 <> r.sha256 AND r.state IN ('current', 'replaced')
        AND r.last_seen IS NULL
        AND (v.verdict = 'manifest'
             -- Of several digests in one manifest the first stays.
             AND NOT (b.grade = 'manifest'
                      AND (b.manager, b.package, b.version, b.arch)
                          = (r.manager, r.package, k.version, r.arch))
             OR v.verdict = 'unverified-update'
             AND t.unverified_update = 'accept'), false),
      v.verdict IN ('held-manifest', 'unverified-update'),
      b.sha256, b.grade, b.since, b.made_by, b.version, false, NULL, NULL
    )::process_dna.judgement
  FROM unnest(p_rows) AS r
  JOIN process_dna.tenants t ON t.tenant_id = p_tenant
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.agents o
    WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id LIMIT 1) a
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.baselines o
    WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
      AND o.container = r.container AND o.path = r.path AND o.until IS NULL
    LIMIT 1) b ON true
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.package_inventory o
    WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
      AND o.container = r.container AND o.manager = r.manager
      AND o.package = r.package AND o.arch = r.arch AND o.until IS NULL
    LIMIT 1) i ON r.package <> ''
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.manifest_paths o
    WHERE o.tenant_id = p_tenant AND o.path = r.path LIMIT 1) f ON true
  -- The version that the agent reports now.
  CROSS JOIN LATERAL (SELECT coalesce(i.version, r.version) AS version) k
  CROSS JOIN LATERAL (SELECT CASE
    -- 1: what its digest can't excuse
    WHEN r.state = 'spoofed' THEN 'spoofed'
    WHEN r.state = 'anonymous' THEN
      CASE WHEN (SELECT true FROM process_dna.baselines o
                 WHERE o.tenant_id = p_tenant AND o.sha256 = r.sha256
                   AND o.agent_id = r.agent_id AND o.until IS NULL
                 LIMIT 1)
        THEN 'match' ELSE 'never-on-disk' END
    WHEN r.state = 'unreadable' THEN
      CASE WHEN r.unreadable_scans >= 3 AND r.reason <> 'pending'
        THEN 'unreadable' END
    -- 2
    WHEN b.sha256 = r.sha256 THEN 'match'
    -- 3: runs on from before the baseline moved
    WHEN r.state IN ('superseded', 'deleted')
      AND (SELECT true FROM process_dna.baselines o
           WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
             AND o.container = r.container AND o.path = r.path
             AND o.sha256 = r.sha256 AND r.started_at < o.until
           LIMIT 1)
      THEN 'restart-pending'
    -- 4
    WHEN i.in_transaction
      AND r.arrived_at < a.packages_changed + interval '10 min'
      THEN 'held'
    -- 5: listed for the version, or in a release without a package
    WHEN (SELECT true
          FROM process_dna.manifest_digests d
          JOIN process_dna.manifest_packages m USING (tenant_id, package_id)
          WHERE d.tenant_id = p_tenant AND d.path_id = f.path_id
            AND d.digest = decode(r.sha256, 'hex')
            AND (m.package = ''
                 OR (m.manager, m.package, m.version, m.arch)
                    = (r.manager, r.package, k.version, r.arch))
          LIMIT 1)
      THEN 'manifest'
    -- A package may own it whose value list was lost; soon we shall know.
    WHEN NOT r.whole
      AND r.arrived_at < coalesce(r.held_since, r.arrived_at)
                         + interval '2 min'
      AND CASE WHEN b.sha256 IS NULL
            THEN a.packages_changed IS NOT NULL
              AND r.arrived_at >= a.learning_since
                                  + t.learning_s * interval '1 s'
            ELSE b.package <> '' END
      THEN 'held'
    -- 6
    WHEN r.package <> ''
      AND (SELECT true
           FROM process_dna.manifest_digests d
           JOIN process_dna.manifest_packages m USING (tenant_id, package_id)
           WHERE d.tenant_id = p_tenant AND d.path_id = f.path_id
             AND (m.manager, m.package, m.version, m.arch)
                 = (r.manager, r.package, k.version, r.arch)
           LIMIT 1)
      THEN 'not-in-manifest'
    -- 3 again: ran on when the path was first seen, beside its new file. That
    -- file's digest may come a few scans later.
    WHEN r.state IN ('superseded', 'deleted')
      AND b.sha256 IS NOT NULL
      AND (SELECT r.first_seen <= min(o.since) AND r.started_at < min(o.since)
           FROM process_dna.baselines o
           WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
             AND o.container = r.container AND o.path = r.path)
      THEN 'restart-pending'
    WHEN r.state = 'superseded' AND b.sha256 IS NULL
      AND r.arrived_at < coalesce(r.held_since, r.arrived_at)
                         + interval '10 min'
      THEN 'held'
    -- 7
    WHEN b.sha256 IS NULL THEN
      CASE
        WHEN (SELECT true FROM process_dna.baselines o
              WHERE o.tenant_id = p_tenant
                AND decode(o.sha256, 'hex') = decode(r.sha256, 'hex')
                AND o.path = r.path AND o.until IS NULL
                AND (o.agent_id, o.container) <> (r.agent_id, r.container)
              LIMIT 1)
          THEN 'fleet'
        WHEN r.package = ''
          AND r.arrived_at >= a.learning_since + t.learning_s * interval '1 s'
          AND (SELECT true FROM process_dna.process_dna_alerts o
               WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
                 AND o.exe_sha256 = r.sha256 AND o.exe_path = r.path
                 AND o.verdict = 'new-binary'
               LIMIT 1) IS NULL
          THEN 'new-binary'
        ELSE 'first-use'
      END
    -- 8
    WHEN r.package <> ''
      AND (b.manager, b.package, b.version, b.arch)
          <> (r.manager, r.package, k.version, r.arch)
      AND (SELECT true FROM process_dna.manifest_packages m
           WHERE m.tenant_id = p_tenant
             AND (m.manager, m.package, m.version, m.arch)
                 = (r.manager, r.package, k.version, r.arch)
           LIMIT 1) IS NULL
      THEN CASE
        WHEN r.manager = ANY (t.manifest_fetch) AND t.manifest_wait_s > 0
          AND coalesce((SELECT q.state IN ('queued', 'running')
                          AND r.arrived_at < q.requested_at
                            + least(t.manifest_wait_s, 1800) * interval '1 s'
                        FROM process_dna.manifest_requests q
                        WHERE q.tenant_id = p_tenant
                          AND (q.manager, q.package, q.version, q.arch)
                              = (r.manager, r.package, k.version, r.arch)),
                       true)
          THEN 'held-manifest'
        ELSE 'unverified-update'
      END
    -- 9
    ELSE 'no-known-update'
  END AS verdict
  OFFSET 0) v;
END $$;
