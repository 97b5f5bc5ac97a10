-- What an executable is and was trusted as, the newest (until is null: it is so
-- now) first, at most a hundred; with the manifest that decided, if one did.
CREATE OR REPLACE FUNCTION process_dna.path_baselines(
  p_tenant integer, p_agent bigint, p_container text, p_path text)
RETURNS TABLE (baseline_sha256 text, baseline_grade text,
  baseline_since timestamptz, baseline_until timestamptz, baseline_by text,
  baseline_why text, package_manager text, package_name text,
  package_version text, package_arch text, manifest_id integer,
  manifest_package text, manifest_version text, manifest_provenance text,
  manifest_origin text, manifest_added_by text, manifest_added_at timestamptz,
  manifest text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT b.sha256::text, b.grade, b.since, b.until, b.made_by, b.why,
    nullif(b.manager, '')::text, nullif(b.package, '')::text,
    nullif(b.version, '')::text, nullif(b.arch, '')::text, m.package_id,
    m.package::text, m.version::text, m.provenance::text, m.origin, m.added_by,
    m.added_at, process_dna.manifest_title(p_tenant, m.package_id)
  FROM (SELECT * FROM process_dna.baselines o
        WHERE o.tenant_id = p_tenant AND o.agent_id = p_agent
          AND o.container = p_container AND o.path = p_path
        ORDER BY o.until DESC
        LIMIT 100) b
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.manifest_packages o
    WHERE o.tenant_id = p_tenant AND o.package_id = b.package_id
    LIMIT 1) m ON true
  ORDER BY b.until DESC;
END $$;
