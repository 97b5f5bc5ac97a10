-- What happened to what an executable is trusted as, the newest first, at most a
-- hundred: who did it and why; of what a manifest did, its title.
CREATE OR REPLACE FUNCTION process_dna.path_events(
  p_tenant integer, p_agent bigint, p_container text, p_path text)
RETURNS TABLE (at timestamptz, event text, old_sha256 text,
  new_sha256 text, who text, why text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT e.at, e.event, e.old_value, e.new_value, e.who, e.why
  FROM process_dna.agent_events e
  WHERE e.path = p_path AND e.path <> '' AND e.container = p_container
    AND e.agent_id = p_agent AND e.tenant_id + 0 = p_tenant
  ORDER BY e.event_id DESC
  LIMIT 100;
END $$;
