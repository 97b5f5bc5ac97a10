-- Does a host still wait for the manifest of a package version: is a verdict
-- held for it, or an alert open? Also of what is gone, and ran with it.
CREATE OR REPLACE FUNCTION process_dna.manifest_wanted(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM process_dna.package_inventory i
    JOIN process_dna.agents g
      ON g.tenant_id = p_tenant AND g.agent_id = i.agent_id
      AND g.retired_at IS NULL
    WHERE i.package || ' ' || i.version = p_package || ' ' || p_version
      AND i.tenant_id = p_tenant
      AND i.manager = p_manager AND i.arch = p_arch
      AND (EXISTS (
             SELECT FROM process_dna.executables x
             WHERE x.tenant_id = p_tenant AND x.agent_id = i.agent_id
               AND NOT x.settled AND x.verdict = 'held'
               AND x.container = i.container AND x.manager = p_manager
               AND x.package = p_package AND x.arch = p_arch
               AND (i.until IS NULL OR x.version = p_version))
           OR EXISTS (
             SELECT FROM process_dna.process_dna_alerts a
             WHERE a.tenant_id = p_tenant AND a.agent_id = i.agent_id
               AND a.state = 'open' AND a.kind = 'binary-changed'
               AND a.container = i.container AND a.manager = p_manager
               AND a.package = p_package AND a.arch = p_arch
               AND (i.until IS NULL OR a.version = p_version))))
$$;
