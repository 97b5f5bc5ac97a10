-- Ask for the manifests of these package versions, once each; correlators that
-- fetch are woken.
CREATE OR REPLACE FUNCTION process_dna.manifests_request(
  p_tenant integer, p_packages process_dna.package_key[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO process_dna.manifest_requests
    (tenant_id, manager, package, version, arch)
  SELECT DISTINCT p_tenant, r.manager, r.package, r.version, r.arch
  FROM unnest(p_packages) r
  ORDER BY r.manager, r.package, r.version, r.arch
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('process_dna_requests', p_tenant::text);
  END IF;
END $$;
