-- Make a tenant or change its policy; gives its number. Every correlator calls
-- this at its start, with the policy of its configuration: silence, learning
-- period and wait for a manifest in seconds, what an update without a manifest
-- is: critical, warning, info, or accept; and the package managers whose
-- manifests it fetches.
CREATE OR REPLACE FUNCTION process_dna.configure_tenant(
  p_name text, p_silent_s integer, p_learning_s integer,
  p_manifest_wait_s integer, p_unverified_update text,
  p_manifest_fetch text[])
RETURNS integer LANGUAGE sql AS $$
  INSERT INTO process_dna.tenants AS t
    (name, silent_s, learning_s, manifest_wait_s, unverified_update,
     manifest_fetch)
  VALUES (p_name, p_silent_s, p_learning_s, p_manifest_wait_s,
          p_unverified_update, p_manifest_fetch)
  ON CONFLICT (name) DO UPDATE
    SET silent_s = excluded.silent_s, learning_s = excluded.learning_s,
        manifest_wait_s = excluded.manifest_wait_s,
        unverified_update = excluded.unverified_update,
        manifest_fetch = excluded.manifest_fetch
  RETURNING t.tenant_id
$$;
