-- Open alerts about digests that a manifest lists, for the version that the
-- agent reports now or in a release without a package.
CREATE OR REPLACE FUNCTION process_dna.alerts_covered(p_tenant integer)
RETURNS SETOF process_dna.process_dna_alerts
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT a.*
  FROM process_dna.process_dna_alerts a
  LEFT JOIN process_dna.package_inventory i
    ON i.tenant_id = p_tenant AND i.agent_id = a.agent_id
    AND i.container = a.container AND i.manager = a.manager
    AND i.package = a.package AND i.arch = a.arch
    AND i.until IS NULL
  WHERE a.tenant_id = p_tenant AND a.state = 'open'
    AND a.kind = 'binary-changed'
    AND a.verdict IN ('not-in-manifest', 'unverified-update',
                      'no-known-update', 'new-binary')
    AND (SELECT true
         FROM process_dna.manifest_paths f
         JOIN process_dna.manifest_digests d
           ON d.tenant_id = p_tenant AND d.path_id = f.path_id
         JOIN process_dna.manifest_packages m
           ON m.tenant_id = p_tenant AND m.package_id = d.package_id
         WHERE f.tenant_id = p_tenant AND f.path = a.exe_path
           AND d.digest = decode(a.exe_sha256, 'hex')
           AND (m.package = ''
                OR (m.manager, m.package, m.version, m.arch)
                   = (a.manager, a.package, coalesce(i.version, a.version),
                      a.arch))
         LIMIT 1);
END $$;
