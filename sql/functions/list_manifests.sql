-- Manifests, of one package or (null) of all: releases, whose package is empty,
-- come first.
CREATE OR REPLACE FUNCTION process_dna.list_manifests(
  p_tenant integer, p_package text)
RETURNS TABLE (package_id integer, manager text, package text, version text,
  arch text, provenance text, origin text, added_by text,
  added_at timestamptz, path_glob text, expires_at timestamptz,
  files integer)
LANGUAGE sql STABLE AS $$
  SELECT m.package_id, m.manager, m.package, m.version, m.arch, m.provenance,
    m.origin, m.added_by, m.added_at, m.path_glob, m.expires_at, m.files
  FROM process_dna.manifest_packages m
  WHERE m.tenant_id = p_tenant AND (p_package IS NULL OR m.package = p_package)
  ORDER BY m.package, m.added_at, m.package_id
$$;
