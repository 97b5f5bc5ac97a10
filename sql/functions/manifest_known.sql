-- Has this package file (its SHA-256 in hex) been imported, with at least this
-- provenance? Then importing it again changes nothing. Releases are not asked
-- for: their paths and expiry may be others.
CREATE OR REPLACE FUNCTION process_dna.manifest_known(
  p_tenant integer, p_content text, p_provenance text)
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM process_dna.manifest_packages m
    WHERE m.tenant_id = p_tenant
      AND encode(m.content_sha256, 'hex') = p_content AND m.package <> ''
      AND process_dna.manifest_trust(m.provenance)
          >= process_dna.manifest_trust(p_provenance));
END $$;
