-- Add the manifest of a package, or with an empty p_package a site's own
-- release: p_paths (identities), p_digests (hex) and p_conffiles have one
-- element per file. p_content is the SHA-256 of what it was read from, in hex.
-- A release may hold at all paths that p_glob matches instead of its own, and
-- until p_expires; both may be null.
--
-- Gives 'added', 'known' if there is nothing new, or 'raised' if it was known
-- with a weaker provenance or an earlier expiry. Whatever it can decide is
-- judged anew by work. Safe in several sessions at once; one call is one
-- transaction, since two that add several manifests each might deadlock.
CREATE OR REPLACE FUNCTION process_dna.manifest_add(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text, p_content text, p_provenance text, p_origin text, p_by text,
  p_glob text, p_expires timestamptz, p_paths text[], p_digests text[],
  p_conffiles boolean[])
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_glob text := process_dna.identity_merge_usr(p_glob);
  v_known process_dna.manifest_packages;
  v_id integer;
BEGIN
  -- Asked first, and once more if another session was first: an insert that is
  -- refused spends a number.
  FOR v_try IN 1 .. 2 LOOP
    SELECT m.* INTO v_known FROM process_dna.manifest_packages m
      WHERE m.tenant_id = p_tenant AND m.package = p_package
        AND m.version = p_version AND m.arch = p_arch
        AND m.manager = p_manager
        AND m.content_sha256 = decode(p_content, 'hex')
        AND m.path_glob IS NOT DISTINCT FROM v_glob
      FOR NO KEY UPDATE;
    IF FOUND THEN
      IF NOT process_dna.manifest_raise(p_tenant, v_known, p_provenance,
                                        p_origin, p_by, p_expires) THEN
        RETURN 'known';
      END IF;
      PERFORM process_dna.manifest_enqueue(p_tenant, p_manager, p_package,
        p_version, p_arch, p_digests);
      RETURN 'raised';
    END IF;
    INSERT INTO process_dna.manifest_packages
      (tenant_id, manager, package, version, arch, content_sha256, provenance,
       origin, added_by, path_glob, expires_at)
    VALUES (p_tenant, p_manager, p_package, p_version, p_arch,
      decode(p_content, 'hex'), p_provenance,
      left(process_dna.printable(p_origin), 1024), left(p_by, 255), v_glob,
      p_expires)
    ON CONFLICT (package, version, arch, manager, tenant_id, content_sha256,
                 path_glob) DO NOTHING
    RETURNING package_id INTO v_id;
    EXIT WHEN v_id IS NOT NULL;
  END LOOP;

  PERFORM process_dna.manifest_fill(p_tenant, v_id, p_package = '', p_paths,
                                    p_digests, p_conffiles);
  UPDATE process_dna.manifest_requests q
  SET state = 'found', answered_at = coalesce(q.answered_at, now()),
      leased_by = NULL, error = NULL
  WHERE q.tenant_id = p_tenant AND q.manager = p_manager
    AND q.package = p_package AND q.version = p_version AND q.arch = p_arch;
  PERFORM process_dna.manifest_enqueue(p_tenant, p_manager, p_package,
                                       p_version, p_arch, p_digests);
  RETURN 'added';
END $$;
