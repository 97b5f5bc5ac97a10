-- Note the versions of packages that scans report, and at which agents
-- something of them changed.
CREATE OR REPLACE FUNCTION process_dna.packages_note(
  p_tenant integer, p_rows process_dna.observation[])
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET jit = off
AS $$
  WITH reported AS MATERIALIZED (
    SELECT DISTINCT ON (r.agent_id, r.container, r.manager, r.package, r.arch)
      r.*
    FROM unnest(p_rows) r
    WHERE r.package IS NOT NULL
    ORDER BY r.agent_id, r.container, r.manager, r.package, r.arch,
      r.in_transaction DESC, r.version DESC
  ), changed AS (
    INSERT INTO process_dna.package_inventory AS i
      (tenant_id, agent_id, container, manager, package, arch, version,
       in_transaction, since)
    SELECT p_tenant, r.agent_id, r.container, r.manager, r.package, r.arch,
           r.version, r.in_transaction, r.observed_at
    FROM reported r
    LEFT JOIN LATERAL (
      SELECT * FROM process_dna.package_inventory j
      WHERE j.tenant_id = p_tenant AND j.agent_id = r.agent_id
        AND j.container = r.container AND j.manager = r.manager
        AND j.package = r.package AND j.arch = r.arch
      LIMIT 1) o ON true
    WHERE (o.version, o.in_transaction)
          IS DISTINCT FROM (r.version, r.in_transaction)
    ORDER BY r.agent_id, r.container, r.manager, r.package, r.arch
    ON CONFLICT (tenant_id, agent_id, container, manager, package, arch)
    DO UPDATE
    SET version = excluded.version, in_transaction = excluded.in_transaction,
        since = CASE i.version WHEN excluded.version THEN i.since
          ELSE excluded.since END
    RETURNING i.agent_id
  )
  UPDATE process_dna.agents g SET packages_changed = r.arrived_at
  FROM (SELECT DISTINCT p.agent_id, p.arrived_at FROM reported p) r
  JOIN (SELECT DISTINCT c.agent_id FROM changed c) c USING (agent_id)
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id LIMIT 1) o
  WHERE g.ctid = o.place
$$;
