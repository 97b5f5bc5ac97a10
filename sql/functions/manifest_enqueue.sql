-- Have work judge anew whatever can be decided now of a package version, or,
-- where p_package is empty, of a release with these digests (in hex).
CREATE OR REPLACE FUNCTION process_dna.manifest_enqueue(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text, p_digests text[])
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.manifest_queue
    (tenant_id, manager, package, version, arch, digests)
  SELECT p_tenant, p_manager, p_package, p_version, p_arch,
    CASE WHEN p_package = '' THEN ARRAY(
      SELECT DISTINCT decode(u.sha256, 'hex')
      FROM unnest(p_digests) u (sha256)) END
$$;
