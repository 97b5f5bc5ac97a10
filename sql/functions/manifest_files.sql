-- What the manifests of a package version say of a path: a row for each digest.
-- A file that dpkg-divert moved aside has a suffix after the path that its
-- package lists (x.distrib), which counts where the path itself is not listed.
CREATE OR REPLACE FUNCTION process_dna.manifest_files(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text, p_path text)
RETURNS TABLE (package_id integer, sha256 text, conffile boolean)
LANGUAGE sql STABLE AS $$
  WITH files AS (
    SELECT d.package_id, encode(d.digest, 'hex') AS sha256, d.conffile, u.n
    FROM unnest(ARRAY[process_dna.identity_merge_usr(p_path),
                      substring(process_dna.identity_merge_usr(p_path)
                                FROM '^(.*[^/])\.[A-Za-z0-9_+-]+$')])
      WITH ORDINALITY u (path, n)
    JOIN process_dna.manifest_paths f
      ON f.tenant_id = p_tenant AND f.path = u.path
    JOIN process_dna.manifest_packages m
      ON m.tenant_id = p_tenant AND m.package = p_package
      AND m.version = p_version AND m.arch = p_arch AND m.manager = p_manager
      AND p_package <> ''
    JOIN process_dna.manifest_digests d
      ON d.tenant_id = p_tenant AND d.path_id = f.path_id
      AND d.package_id = m.package_id
  )
  SELECT e.package_id, e.sha256, e.conffile FROM files e
  WHERE e.n = (SELECT min(o.n) FROM files o)
$$;
