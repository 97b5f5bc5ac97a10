-- Make a tenant or change its policy; gives its number. Every correlator calls
-- this at its start, with the policy of its configuration: silence, learning
-- period and wait for a manifest in seconds, what an update without a manifest
-- is: critical, warning, info, or accept; the package managers whose manifests
-- it fetches; the window for lateral movement and how old a stamp of a log is
-- believed, in seconds, and how many days auth events are kept. What is held for a manifest that nobody fetches any
-- more, or for longer than is now waited, is judged anew soon.
CREATE OR REPLACE FUNCTION process_dna.configure_tenant(
  p_name text, p_silent_s integer, p_learning_s integer,
  p_manifest_wait_s integer, p_unverified_update text,
  p_manifest_fetch text[], p_lateral_window integer DEFAULT 300,
  p_lateral_max_skew integer DEFAULT 600, p_auth_retention integer DEFAULT 90)
RETURNS integer LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_before process_dna.tenants;
  v_tenant integer;
BEGIN
  SELECT * INTO v_before FROM process_dna.tenants t WHERE t.name = p_name;
  INSERT INTO process_dna.tenants AS t
    (name, silent_s, learning_s, manifest_wait_s, unverified_update,
     manifest_fetch, lateral_window_s, lateral_max_skew_s, auth_retention_d)
  VALUES (p_name, p_silent_s, p_learning_s, p_manifest_wait_s,
          p_unverified_update, p_manifest_fetch, p_lateral_window,
          p_lateral_max_skew, p_auth_retention)
  ON CONFLICT (name) DO UPDATE
    SET silent_s = excluded.silent_s, learning_s = excluded.learning_s,
        manifest_wait_s = excluded.manifest_wait_s,
        unverified_update = excluded.unverified_update,
        manifest_fetch = excluded.manifest_fetch,
        lateral_window_s = excluded.lateral_window_s,
        lateral_max_skew_s = excluded.lateral_max_skew_s,
        auth_retention_d = excluded.auth_retention_d
  RETURNING t.tenant_id INTO v_tenant;
  IF v_before.manifest_fetch <@ p_manifest_fetch
     AND v_before.manifest_wait_s <= p_manifest_wait_s THEN
    RETURN v_tenant;
  END IF;
  -- Agents first, in the order of their numbers, as everywhere.
  PERFORM FROM process_dna.agents g
    WHERE g.tenant_id = v_tenant AND g.agent_id IN (
      SELECT x.agent_id FROM process_dna.executables x
      WHERE x.held_until > now() AND x.tenant_id = v_tenant)
    ORDER BY g.agent_id
    FOR NO KEY UPDATE;
  UPDATE process_dna.executables x SET held_until = now()
    WHERE x.held_until > now() AND x.tenant_id = v_tenant;
  RETURN v_tenant;
END $$;
