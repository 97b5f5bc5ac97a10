-- The executables of these agents, which are locked, that rows of the queue may
-- decide: what is held, what an alert is open about, and what runs trusted for
-- less than a manifest.
CREATE OR REPLACE FUNCTION process_dna.manifest_queue_places(
  p_tenant integer, p_rows bigint[], p_agents bigint[])
RETURNS tid[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT x.place
    FROM unnest(p_agents) g (agent_id)
    CROSS JOIN LATERAL (
      SELECT i.*, i.ctid AS place FROM process_dna.executables i
      WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
        AND i.state NOT IN ('spoofed', 'unreadable')
      OFFSET 0) x
    JOIN process_dna.manifest_queue q
      ON q.tenant_id = p_tenant AND q.queue_id = ANY (p_rows)
      AND q.agent_after < g.agent_id
      AND coalesce(q.agent_id = g.agent_id, true)
      AND CASE WHEN q.package <> ''
        THEN (q.manager, q.package, q.arch) = (x.manager, x.package, x.arch)
        ELSE decode(x.sha256, 'hex') = ANY (q.digests) END
    WHERE x.verdict = 'held' AND NOT x.settled
      OR (SELECT true FROM process_dna.process_dna_alerts a
          WHERE a.tenant_id = p_tenant AND a.agent_id = x.agent_id
            AND a.kind = 'binary-changed' AND a.container = x.container
            AND a.exe_path = x.path AND a.exe_sha256 = x.sha256
            AND a.state = 'open'
          LIMIT 1)
      OR x.last_seen IS NULL
         AND (SELECT b.grade NOT IN ('manifest', 'accepted')
              FROM process_dna.baselines b
              WHERE b.tenant_id = p_tenant AND b.agent_id = x.agent_id
                AND b.container = x.container AND b.path = x.path
                AND b.until IS NULL AND b.sha256 = x.sha256
              LIMIT 1));
END $$;
