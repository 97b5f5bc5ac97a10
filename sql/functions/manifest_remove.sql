-- Take a manifest back that should not have been imported: it explains and
-- contradicts nothing from now on, and what it contradicted is judged anew, by
-- work. What is trusted by it stays so, but as on trust only (unverified), so
-- that another manifest may confirm or contradict it; each is an event. The
-- version may be asked for again.
--
-- Gives what it was, with each executable that is trusted by it; one row
-- without one if none is, and none if there is no such manifest.
CREATE OR REPLACE FUNCTION process_dna.manifest_remove(
  p_tenant integer, p_id integer, p_who text, p_why text)
RETURNS TABLE (manifest text, host text, container text, path text,
  sha256 text)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_manifest process_dna.manifest_packages;
  v_title text := process_dna.manifest_title(p_tenant, p_id);
  v_digests text[];
BEGIN
  -- Whoever judges holds the lock on an agent: with all of them nobody is about
  -- to name the manifest as what decided.
  PERFORM FROM process_dna.agents g WHERE g.tenant_id = p_tenant
    ORDER BY g.agent_id FOR NO KEY UPDATE;
  SELECT m.* INTO v_manifest FROM process_dna.manifest_packages m
    WHERE m.tenant_id = p_tenant AND m.package_id = p_id
    FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH disowned AS (
    UPDATE process_dna.baselines b
    SET package_id = NULL, grade = 'unverified'
    WHERE b.tenant_id = p_tenant AND b.package_id = p_id
    RETURNING b.*
  ), events AS (
    INSERT INTO process_dna.agent_events
      (tenant_id, agent_id, event, container, path, old_value, new_value, who,
       why)
    SELECT p_tenant, d.agent_id, 'disowned', d.container, d.path, d.sha256,
           d.sha256, left(p_who, 255), left(p_why || ': ' || v_title, 1024)
    FROM disowned d WHERE d.until IS NULL
  )
  SELECT v_title, l.name, l.container::text, l.path::text, l.sha256::text
  FROM (SELECT) o
  LEFT JOIN (SELECT g.name, d.* FROM disowned d
             JOIN process_dna.agents g
               ON g.tenant_id = p_tenant AND g.agent_id = d.agent_id
             WHERE d.until IS NULL) l ON true
  ORDER BY l.name, l.container, l.path;
  UPDATE process_dna.process_dna_alerts a SET package_id = NULL
  WHERE a.tenant_id = p_tenant AND a.package_id = p_id;
  WITH gone AS (
    DELETE FROM process_dna.manifest_digests d
    WHERE d.tenant_id = p_tenant AND d.package_id = p_id
    RETURNING d.digest
  )
  SELECT array_agg(DISTINCT encode(g.digest, 'hex')) INTO v_digests FROM gone g;
  DELETE FROM process_dna.manifest_packages m
  WHERE m.tenant_id = p_tenant AND m.package_id = p_id;
  DELETE FROM process_dna.manifest_requests q
  WHERE q.tenant_id = p_tenant AND q.manager = v_manifest.manager
    AND q.package = v_manifest.package AND q.version = v_manifest.version
    AND q.arch = v_manifest.arch AND q.state = 'found';
  PERFORM process_dna.manifest_enqueue(p_tenant, v_manifest.manager,
    v_manifest.package, v_manifest.version, v_manifest.arch, v_digests);
END $$;
