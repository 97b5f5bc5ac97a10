-- Note the versions of packages that scans report, and at which agents
-- something of them changed. A version in the place of another makes that a
-- former one: until is later than since, and the next since.
CREATE OR REPLACE FUNCTION process_dna.packages_note(
  p_tenant integer, p_rows process_dna.observation[])
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
  )
  UPDATE process_dna.agents g SET packages_changed = r.arrived_at
  FROM (SELECT DISTINCT n.agent_id, n.arrived_at FROM news n) r
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id LIMIT 1) o
  WHERE g.ctid = o.place
$$;
