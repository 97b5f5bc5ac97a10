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
      CASE WHEN v.verdict LIKE 'held-%' THEN 'held' ELSE v.verdict END,
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
                      AND (b.package_id = w.listed_by
                           OR r.package <> ''
                              AND (b.manager, b.package, b.version, b.arch)
                                  = (r.manager, r.package, k.version, r.arch)))
             OR v.verdict = 'unverified-update'
             AND t.unverified_update = 'accept'), false),
      v.verdict IN ('held-manifest', 'unverified-update'),
      b.sha256, b.grade, b.since, b.made_by, b.version,
      -- confirms, takes_version, and again
      coalesce(v.verdict = 'match' AND b.sha256 = r.sha256
        AND b.grade NOT IN ('manifest', 'accepted')
        AND w.listed_by IS NOT NULL, false),
      coalesce(v.verdict = 'match' AND r.state = 'current' AND r.package <> ''
        AND b.sha256 = r.sha256 AND NOT i.in_transaction
        AND r.version = k.version
        AND (b.manager, b.package, b.version, b.arch)
            <> (r.manager, r.package, r.version, r.arch), false),
      coalesce(v.verdict = 'match' AND (w.contradicted_by IS NOT NULL
          AND b.grade NOT IN ('manifest', 'accepted') AND c.changed
        OR r.sha256 <> b.sha256), false),
      CASE WHEN v.verdict = 'not-in-manifest' THEN w.contradicted_by
        WHEN v.verdict IN ('match', 'manifest') THEN w.listed_by END,
      CASE v.verdict
        WHEN 'held-transaction' THEN h.transaction
        WHEN 'held-part' THEN h.part
        WHEN 'held-file' THEN h.file
        WHEN 'held-manifest' THEN h.manifest END
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
      AND r.package <> ''
    LIMIT 1) i ON true
  -- The version that the agent reports now, or of what is gone the one that it
  -- is judged by, with which the package may be in no transaction.
  CROSS JOIN LATERAL (
    SELECT CASE WHEN r.last_seen IS NULL THEN coalesce(i.version, r.version)
        ELSE r.version END AS version,
      CASE WHEN r.last_seen IS NULL THEN i.in_transaction
        ELSE r.in_transaction END AS in_transaction) k
  -- It changed with the digest or a little before it.
  CROSS JOIN LATERAL (
    SELECT r.package <> ''
      AND ((b.manager, b.package, b.version, b.arch)
           <> (r.manager, r.package, k.version, r.arch)
           OR coalesce(r.arrived_at < b.version_at + interval '10 min', false))
      AS changed) c
  -- The path as manifests have it, also without the suffix of a diversion.
  CROSS JOIN LATERAL (
    SELECT process_dna.identity_merge_usr(r.path) AS path,
      decode(r.sha256, 'hex') AS digest
    OFFSET 0) n
  LEFT JOIN LATERAL (
    SELECT o.path_id FROM process_dna.manifest_paths o
    WHERE o.tenant_id = p_tenant AND o.path = n.path LIMIT 1) f ON true
  LEFT JOIN LATERAL (
    SELECT o.path_id FROM process_dna.manifest_paths o
    WHERE o.tenant_id = p_tenant
      AND o.path = substring(n.path FROM '^(.*[^/])\.[A-Za-z0-9_+-]+$')
      AND r.package <> ''
    LIMIT 1) g ON true
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.manifest_says(p_tenant, r.manager, r.package,
      k.version, r.arch, f.path_id, g.path_id, n.digest)
    OFFSET 0) q
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.manifest_release(p_tenant, n.path, f.path_id,
      n.digest, r.arrived_at)
    WHERE q.listed_by IS NULL
    OFFSET 0) s ON true
  CROSS JOIN LATERAL (
    SELECT coalesce(q.listed_by, s.package_id) AS listed_by,
      CASE WHEN s.package_id IS NULL THEN q.contradicted_by END
        AS contradicted_by) w
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.manifest_requests o
    WHERE o.tenant_id = p_tenant AND o.manager = r.manager
      AND o.package = r.package AND o.version = k.version AND o.arch = r.arch
      AND r.package <> '' AND b.sha256 <> r.sha256
    LIMIT 1) y ON true
  CROSS JOIN process_dna.decide_holds(r, a, i, y, t) h
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
    -- 2: unless it was only taken on trust, and the manifest of the version
    -- contradicts it. That says nothing of what runs on from before, nor as
    -- long as the new version's file may just not have been seen yet.
    WHEN b.sha256 = r.sha256
      AND (b.grade IN ('manifest', 'accepted') OR w.contradicted_by IS NULL
           OR r.state NOT IN ('current', 'replaced') OR c.changed)
      THEN 'match'
    -- It was the baseline then: one of two ways tells of a time before the
    -- other, which may have told of an update.
    WHEN r.observed_at < b.since AND r.state IN ('current', 'replaced')
      AND (SELECT true FROM process_dna.baselines o
           WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
             AND o.container = r.container AND o.path = r.path
             AND o.sha256 = r.sha256
             AND o.since <= r.observed_at AND o.until > r.observed_at
           LIMIT 1)
      THEN 'match'
    -- 3: runs on from before the baseline moved
    WHEN r.state IN ('superseded', 'deleted')
      AND (SELECT true FROM process_dna.baselines o
           WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
             AND o.container = r.container AND o.path = r.path
             AND o.sha256 = r.sha256 AND r.started_at < o.until
           LIMIT 1)
      THEN 'restart-pending'
    -- 4
    WHEN k.in_transaction AND r.arrived_at < h.transaction
      THEN 'held-transaction'
    -- 5: listed for the version, or in a release without a package
    WHEN w.listed_by IS NOT NULL THEN 'manifest'
    -- A package may own it whose value list was lost; soon we shall know.
    WHEN NOT r.whole AND r.arrived_at < h.part
      AND CASE WHEN b.sha256 IS NULL
            THEN a.packages_changed IS NOT NULL
              AND r.arrived_at >= a.learning_since
                                  + t.learning_s * interval '1 s'
            ELSE b.package <> '' END
      THEN 'held-part'
    -- 3 again: ran on when the path was first seen, beside its new file, while
    -- the host was learned: later, that is how to run what was put there for a
    -- moment. That file's digest may come a few scans later.
    WHEN r.state IN ('superseded', 'deleted')
      AND b.sha256 IS NOT NULL
      AND (SELECT r.first_seen <= min(o.since) AND r.started_at < min(o.since)
             AND min(o.since) < a.learning_since
                                + t.learning_s * interval '1 s'
           FROM process_dna.baselines o
           WHERE o.tenant_id = p_tenant AND o.agent_id = r.agent_id
             AND o.container = r.container AND o.path = r.path)
      THEN 'restart-pending'
    WHEN r.state = 'superseded' AND b.sha256 IS NULL
      AND r.arrived_at < h.file
      THEN 'held-file'
    -- 3 again: a version between two that were seen
    WHEN r.state IN ('superseded', 'deleted') AND r.package <> ''
      AND r.started_at < b.since
      AND (SELECT true FROM process_dna.manifest_packages m
           JOIN process_dna.manifest_digests d
             ON d.tenant_id = p_tenant AND d.path_id = f.path_id
             AND d.package_id = m.package_id AND d.digest = n.digest
           WHERE m.tenant_id = p_tenant AND m.package = r.package
             AND m.arch = r.arch AND m.manager = r.manager
           LIMIT 1)
      THEN 'restart-pending'
    -- 6
    WHEN w.contradicted_by IS NOT NULL THEN 'not-in-manifest'
    -- 7
    WHEN b.sha256 IS NULL THEN
      CASE
        WHEN (SELECT true FROM process_dna.baselines o
              WHERE o.tenant_id = p_tenant
                AND decode(o.sha256, 'hex') = n.digest
                AND o.path = r.path AND o.until IS NULL
                AND (o.agent_id, o.container) <> (r.agent_id, r.container)
              LIMIT 1)
          THEN 'fleet'
        -- What a package claims that is known not to have it nobody owns.
        WHEN (r.package = '' OR q.known AND NOT q.lists)
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
    WHEN c.changed AND NOT q.known
      THEN CASE WHEN r.arrived_at < h.manifest THEN 'held-manifest'
        ELSE 'unverified-update' END
    -- 9
    ELSE 'no-known-update'
  END AS verdict
  OFFSET 0) v;
END $$;
