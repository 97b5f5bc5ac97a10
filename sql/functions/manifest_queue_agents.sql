-- The next p_limit agents that have something to be judged anew for these rows
-- of the queue, in the order of their numbers.
CREATE OR REPLACE FUNCTION process_dna.manifest_queue_agents(
  p_tenant integer, p_rows bigint[], p_limit integer)
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT a.agent_id
    FROM process_dna.manifest_queue q
    CROSS JOIN LATERAL (
      (SELECT DISTINCT i.agent_id FROM process_dna.package_inventory i
       WHERE q.package <> '' AND q.agent_id IS NULL
         AND i.package || ' ' || i.version = q.package || ' ' || q.version
         AND i.tenant_id = p_tenant AND i.until IS NULL
         AND i.agent_id > q.agent_after
       ORDER BY i.agent_id LIMIT p_limit)
      UNION ALL
      SELECT q.agent_id WHERE q.agent_id > q.agent_after
      UNION ALL
      SELECT o.agent_id FROM unnest(q.digests) d (digest)
      CROSS JOIN LATERAL (
        (SELECT DISTINCT b.agent_id FROM process_dna.baselines b
         WHERE decode(b.sha256, 'hex') = d.digest AND b.tenant_id = p_tenant
           AND b.agent_id > q.agent_after
         ORDER BY b.agent_id LIMIT p_limit)
        UNION ALL
        (SELECT DISTINCT l.agent_id FROM process_dna.process_dna_alerts l
         WHERE decode(l.exe_sha256, 'hex') = d.digest
           AND l.tenant_id = p_tenant AND l.agent_id > q.agent_after
         ORDER BY l.agent_id LIMIT p_limit)) o) a
    WHERE q.tenant_id = p_tenant AND q.queue_id = ANY (p_rows)
    ORDER BY a.agent_id
    LIMIT p_limit);
END $$;
