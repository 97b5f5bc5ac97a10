-- Executables, by place, as they would be observed now with nothing new: the
-- caller has locked their agents. The version is the one that the agent reports
-- now.
CREATE OR REPLACE FUNCTION process_dna.executables_at(
  p_tenant integer, p_places tid[])
RETURNS process_dna.observation[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN (
    SELECT array_agg((x.agent_id, x.container, x.path, x.sha256, x.state,
      x.reason, x.name, x.pid, x.uid, x.started_at, x.processes, x.rss,
      x.file_size, x.file_mode, x.file_owner, x.file_mtime, x.file_ctime,
      x.manager, x.package, coalesce(i.version, x.version), x.arch,
      i.in_transaction, x.whole, x.first_seen, x.last_seen,
      x.unreadable_scans, x.held_since, x.acknowledged,
      coalesce(g.last_observed, now()), now())::process_dna.observation)
    FROM process_dna.executables x
    CROSS JOIN LATERAL (
      SELECT o.last_observed FROM process_dna.agents o
      WHERE o.tenant_id = p_tenant AND o.agent_id = x.agent_id LIMIT 1) g
    LEFT JOIN LATERAL (
      SELECT o.version, o.in_transaction
      FROM process_dna.package_inventory o
      WHERE o.tenant_id = p_tenant AND o.agent_id = x.agent_id
        AND o.container = x.container AND o.manager = x.manager
        AND o.package = x.package AND o.arch = x.arch AND o.until IS NULL
      LIMIT 1) i ON true
    WHERE x.ctid = ANY (p_places));
END $$;
