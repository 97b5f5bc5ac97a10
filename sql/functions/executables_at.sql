-- Executables, by place, as they would be observed now with nothing new: the
-- caller has locked their agents. The version is the one that the agent reports
-- now; of what is gone, the one that it ran with, if that came with an update:
-- what came later says nothing of it. While a hold may only have ended because
-- nothing was heard of the host (executables_due), it is the time of its last
-- scan.
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
      x.manager, x.package, CASE WHEN u.update THEN x.version
        ELSE coalesce(i.version, x.version) END, x.arch,
      i.in_transaction AND u.update IS NOT TRUE, x.whole, x.first_seen, x.last_seen,
      x.unreadable_scans, x.held_since, x.acknowledged,
      coalesce(g.last_observed, now()),
      CASE WHEN x.held_until <= now() AND x.held_until > g.last_arrived
             AND x.held_until > now() - interval '1 hour'
        THEN g.last_arrived ELSE now() END)::process_dna.observation)
    FROM process_dna.executables x
    CROSS JOIN LATERAL (
      SELECT o.last_observed, o.last_arrived FROM process_dna.agents o
      WHERE o.tenant_id = p_tenant AND o.agent_id = x.agent_id LIMIT 1) g
    LEFT JOIN LATERAL (
      SELECT o.version, o.in_transaction
      FROM process_dna.package_inventory o
      WHERE o.tenant_id = p_tenant AND o.agent_id = x.agent_id
        AND o.container = x.container AND o.manager = x.manager
        AND o.package = x.package AND o.arch = x.arch AND o.until IS NULL
      LIMIT 1) i ON true
    LEFT JOIN LATERAL (
      SELECT (b.manager, b.package, b.version, b.arch)
        <> (x.manager, x.package, x.version, x.arch) AS update
      FROM process_dna.baselines b
      WHERE b.tenant_id = p_tenant AND b.agent_id = x.agent_id
        AND b.container = x.container AND b.path = x.path AND b.until IS NULL
        AND x.last_seen IS NOT NULL AND x.package <> ''
        AND x.version <> i.version
      LIMIT 1) u ON true
    WHERE x.ctid = ANY (p_places));
END $$;
