-- Take up to p_limit package versions whose manifests these managers' fetchers
-- have to fetch, for p_lease_s seconds: nobody else gets them before that or
-- manifest_request_done. What nobody waits for any more is forgotten: it is
-- asked for once in the day after the request, and not again.
CREATE OR REPLACE FUNCTION process_dna.manifest_requests_take(
  p_tenant integer, p_managers text[], p_limit integer, p_lease_s integer,
  p_by text)
RETURNS TABLE (manager text, package text, version text, arch text)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  -- Imported while it was being asked for.
  UPDATE process_dna.manifest_requests q
  SET state = 'found', answered_at = coalesce(q.answered_at, now())
  WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
    AND q.state <> 'found' AND q.due_at <= now()
    AND (SELECT true FROM process_dna.manifest_packages m
         WHERE m.tenant_id = p_tenant
           AND (m.manager, m.package, m.version, m.arch)
               = (q.manager, q.package, q.version, q.arch)
         LIMIT 1);
  DELETE FROM process_dna.manifest_requests q
  WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
    AND q.state <> 'found' AND q.due_at <= now()
    AND (q.attempts > 0 OR q.requested_at < now() - interval '1 day')
    AND NOT process_dna.manifest_wanted(p_tenant, q.manager, q.package,
                                        q.version, q.arch);
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT q.ctid AS place
    FROM process_dna.manifest_requests q
    WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
      AND q.state <> 'found' AND q.due_at <= now()
    ORDER BY q.attempts, q.due_at
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  )
  UPDATE process_dna.manifest_requests q
  SET state = 'running', due_at = now() + p_lease_s * interval '1 s',
      leased_by = left(p_by, 255), attempts = q.attempts + 1
  FROM due d
  WHERE q.ctid = d.place
  RETURNING q.manager, q.package, q.version, q.arch;
END $$;
