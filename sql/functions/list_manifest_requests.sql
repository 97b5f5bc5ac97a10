-- Package versions whose manifest was asked for, and how that stands.
CREATE OR REPLACE FUNCTION process_dna.list_manifest_requests(
  p_tenant integer)
RETURNS TABLE (manager text, package text, version text, arch text,
  state text, requested_at timestamptz, answered_at timestamptz,
  due_at timestamptz, leased_by text, attempts integer, error text)
LANGUAGE sql STABLE AS $$
  SELECT q.manager, q.package, q.version, q.arch, q.state, q.requested_at,
    q.answered_at, q.due_at, q.leased_by, q.attempts, q.error
  FROM process_dna.manifest_requests q
  WHERE q.tenant_id = p_tenant
  ORDER BY q.requested_at, q.manager, q.package, q.version, q.arch
$$;
