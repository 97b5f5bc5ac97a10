-- Enter the files of a manifest; paths are kept once for all manifests, and
-- entered in their order, so that two sessions don't deadlock. A file that is a
-- conffile once is one.
CREATE OR REPLACE FUNCTION process_dna.manifest_fill(
  p_tenant integer, p_id integer, p_release boolean, p_paths text[],
  p_digests text[], p_conffiles boolean[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_paths text[];
  v_count integer;
BEGIN
  SELECT array_agg(process_dna.identity_merge_usr(u.path) ORDER BY u.n)
    INTO v_paths
    FROM unnest(p_paths) WITH ORDINALITY u (path, n);
  -- One by one asked before, since an insert that is refused spends a number.
  INSERT INTO process_dna.manifest_paths (tenant_id, path)
  SELECT p_tenant, u.path
  FROM (SELECT DISTINCT unnest(v_paths) COLLATE "C") u (path)
  WHERE (SELECT true FROM process_dna.manifest_paths f
         WHERE f.tenant_id = p_tenant AND f.path = u.path LIMIT 1) IS NULL
  ORDER BY u.path
  ON CONFLICT DO NOTHING;
  INSERT INTO process_dna.manifest_digests
    (tenant_id, path_id, package_id, conffile, release, digest)
  SELECT p_tenant, f.path_id, p_id, bool_or(u.conffile), p_release,
         decode(u.sha256, 'hex')
  FROM unnest(v_paths, p_digests, p_conffiles) u (path, sha256, conffile)
  CROSS JOIN LATERAL (
    SELECT i.path_id FROM process_dna.manifest_paths i
    WHERE i.tenant_id = p_tenant AND i.path = u.path LIMIT 1) f
  GROUP BY f.path_id, u.sha256
  ORDER BY f.path_id, u.sha256
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE process_dna.manifest_packages m SET files = m.files + v_count
  WHERE m.tenant_id = p_tenant AND m.package_id = p_id;
END $$;
