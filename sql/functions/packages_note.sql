-- Note the versions of packages that scans report, at which agents something of
-- them changed, and which ways tell of packages at all. A version in the place
-- of another makes that a former one: until is later than since, and the next
-- since; what a late scan tells changes none. What the scan itself won't judge,
-- since it no longer runs, work does. Of a package the last hundred former ones
-- are kept, or a hostile host could write for ever.
CREATE OR REPLACE FUNCTION process_dna.packages_note(
  p_tenant integer, p_scans process_dna.scan[],
  p_rows process_dna.observation[])
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET jit = off
AS $$
  WITH news AS MATERIALIZED (
    SELECT r.*, o.place, o.transaction_at, o.version = r.version AS same
    FROM (SELECT DISTINCT ON (u.agent_id, u.container, u.manager, u.package,
                              u.arch) u.*
          FROM unnest(p_rows) u
          WHERE u.package IS NOT NULL
          ORDER BY u.agent_id, u.container, u.manager, u.package, u.arch,
            u.in_transaction DESC, u.version DESC) r
    LEFT JOIN LATERAL (
      SELECT j.ctid AS place, j.version, j.in_transaction, j.transaction_at
      FROM process_dna.package_inventory j
      WHERE j.tenant_id = p_tenant AND j.agent_id = r.agent_id
        AND j.container = r.container AND j.manager = r.manager
        AND j.package = r.package AND j.arch = r.arch AND j.until IS NULL
      LIMIT 1) o ON true
    WHERE (o.version, o.in_transaction)
          IS DISTINCT FROM (r.version, r.in_transaction)
      AND (o.place IS NULL OR r.agent_id NOT IN (
             SELECT unnest(process_dna.late_scans(p_tenant, p_scans))))
  ), changed AS (
    UPDATE process_dna.package_inventory i
    SET until = CASE WHEN NOT n.same
          THEN greatest(n.observed_at, i.since + interval '1 microsecond') END,
        in_transaction = CASE WHEN n.same THEN n.in_transaction
          ELSE i.in_transaction END,
        transaction_at = CASE WHEN NOT n.same THEN i.transaction_at
          WHEN n.in_transaction THEN n.arrived_at END
    FROM news n
    WHERE i.ctid = n.place
    RETURNING n.*, i.until
  ), added AS (
    INSERT INTO process_dna.package_inventory
      (tenant_id, agent_id, container, manager, package, arch, version,
       in_transaction, transaction_at, since)
    SELECT p_tenant, n.agent_id, n.container, n.manager, n.package, n.arch,
           n.version, n.in_transaction,
           CASE WHEN n.in_transaction
             THEN coalesce(n.transaction_at, n.arrived_at) END,
           coalesce(n.until, n.observed_at)
    FROM (SELECT c.* FROM changed c WHERE NOT c.same
          UNION ALL
          SELECT n.*, NULL FROM news n WHERE n.place IS NULL) n
    ORDER BY n.agent_id, n.container, n.manager, n.package, n.arch
  ), forgotten AS (
    DELETE FROM process_dna.package_inventory i
    USING changed c
    CROSS JOIN LATERAL (
      SELECT j.ctid AS place FROM process_dna.package_inventory j
      WHERE j.tenant_id = p_tenant AND j.agent_id = c.agent_id
        AND j.container = c.container AND j.manager = c.manager
        AND j.package = c.package AND j.arch = c.arch AND j.until IS NOT NULL
      ORDER BY j.until DESC OFFSET 100) o
    WHERE i.ctid = o.place AND NOT c.same
  ), concerned AS (
    INSERT INTO process_dna.manifest_queue
      (tenant_id, manager, package, version, arch, agent_id)
    SELECT p_tenant, n.manager, n.package, n.version, n.arch, n.agent_id
    FROM news n
    WHERE n.place IS NOT NULL
      AND (EXISTS (
             SELECT FROM process_dna.process_dna_alerts a
             WHERE a.tenant_id = p_tenant AND a.agent_id = n.agent_id
               AND a.kind = 'binary-changed' AND a.container = n.container
               AND a.state = 'open' AND a.manager = n.manager
               AND a.package = n.package AND a.arch = n.arch)
           OR EXISTS (
             SELECT FROM process_dna.executables x
             WHERE x.tenant_id = p_tenant AND x.agent_id = n.agent_id
               AND NOT x.settled AND x.last_seen IS NOT NULL
               AND x.container = n.container AND x.manager = n.manager
               AND x.package = n.package AND x.arch = n.arch))
  ), ways AS (
    UPDATE process_dna.agent_sources w SET packages = NOT w.packages
    FROM unnest(p_scans) s
    CROSS JOIN LATERAL (
      SELECT i.ctid AS place, i.packages FROM process_dna.agent_sources i
      WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id
        AND i.source = s.source
      LIMIT 1) o
    WHERE w.ctid = o.place AND s.complete
      AND o.packages <> (s.agent_id IN (SELECT r.agent_id
                                        FROM unnest(p_rows) r
                                        WHERE r.package IS NOT NULL))
  )
  UPDATE process_dna.agents g SET packages_changed = r.arrived_at
  FROM (SELECT DISTINCT n.agent_id, n.arrived_at FROM news n) r
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id LIMIT 1) o
  WHERE g.ctid = o.place
$$;
