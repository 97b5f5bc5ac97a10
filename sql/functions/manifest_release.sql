-- A site's own release that has this digest at this path and has not expired at
-- p_at; no row if none has.
CREATE OR REPLACE FUNCTION process_dna.manifest_release(
  p_tenant integer, p_path text, p_path_id integer, p_digest bytea,
  p_at timestamptz)
RETURNS TABLE (package_id integer) LANGUAGE sql STABLE AS $$
  SELECT d.package_id
  FROM (SELECT i.package_id, i.path_id
        FROM process_dna.manifest_digests i
        WHERE i.digest = p_digest AND i.tenant_id = p_tenant AND i.release
        OFFSET 0) d
  CROSS JOIN LATERAL (
    SELECT i.path_glob, i.expires_at FROM process_dna.manifest_packages i
    WHERE i.tenant_id = p_tenant AND i.package_id = d.package_id
    LIMIT 1) m
  WHERE coalesce(m.expires_at > p_at, true)
    AND CASE WHEN m.path_glob IS NULL THEN d.path_id = p_path_id
      ELSE p_path ~ process_dna.glob_regex(m.path_glob) END
  LIMIT 1
$$;
