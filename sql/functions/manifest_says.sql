-- What the manifests of a package version say of a file: whether there is any
-- (known), whether one lists the path (lists), and which one lists it with this
-- digest, or else with other digests only. Those of a conffile contradict
-- nothing. p_diverted_id is of the path without its last suffix: a file that
-- dpkg-divert moved aside is listed under its old name; it counts where the
-- path itself is not listed.
CREATE OR REPLACE FUNCTION process_dna.manifest_says(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text, p_path_id integer, p_diverted_id integer, p_digest bytea)
RETURNS TABLE (known boolean, lists boolean, listed_by integer,
  contradicted_by integer)
LANGUAGE sql STABLE AS $$
  SELECT count(m.package_id) > 0, count(e.package_id) > 0,
    min(e.package_id) FILTER (WHERE e.digest = p_digest),
    CASE WHEN bool_and(e.digest <> p_digest AND NOT e.conffile)
      THEN min(e.package_id) END
  FROM process_dna.manifest_packages m
  LEFT JOIN LATERAL (
    SELECT d.package_id, d.digest, d.conffile
    FROM process_dna.manifest_digests d
    WHERE d.tenant_id = p_tenant AND d.path_id = p_path_id
      AND d.package_id = m.package_id
    UNION ALL
    SELECT d.package_id, d.digest, d.conffile
    FROM process_dna.manifest_digests d
    WHERE d.tenant_id = p_tenant AND d.path_id = p_diverted_id
      AND d.package_id = m.package_id
      AND p_diverted_id IS NOT NULL -- or the next would be looked up in vain
      AND (SELECT true FROM process_dna.manifest_digests o
           WHERE o.tenant_id = p_tenant AND o.path_id = p_path_id
             AND o.package_id = m.package_id
           LIMIT 1) IS NULL) e ON true
  WHERE p_package <> '' AND m.tenant_id = p_tenant AND m.package = p_package
    AND m.version = p_version AND m.arch = p_arch AND m.manager = p_manager
$$;
