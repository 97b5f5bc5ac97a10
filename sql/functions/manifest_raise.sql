-- A manifest that is known, and locked, came again: the better provenance and
-- the later expiry (null: none) count. Gives whether either was news.
CREATE OR REPLACE FUNCTION process_dna.manifest_raise(
  p_tenant integer, p_known process_dna.manifest_packages, p_provenance text,
  p_origin text, p_by text, p_expires timestamptz)
RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_better boolean := process_dna.manifest_trust(p_provenance)
                      > process_dna.manifest_trust(p_known.provenance);
  v_later boolean := coalesce(p_expires, 'infinity')
                     > coalesce(p_known.expires_at, 'infinity');
BEGIN
  IF NOT v_better AND NOT v_later THEN
    RETURN false;
  END IF;
  UPDATE process_dna.manifest_packages m
  SET provenance = CASE WHEN v_better THEN p_provenance ELSE m.provenance END,
      expires_at = CASE WHEN v_later THEN p_expires ELSE m.expires_at END,
      origin = left(process_dna.printable(p_origin), 1024),
      added_by = left(p_by, 255), added_at = now()
  WHERE m.tenant_id = p_tenant AND m.package_id = p_known.package_id;
  RETURN true;
END $$;
