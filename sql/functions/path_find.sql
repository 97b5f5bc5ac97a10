-- The executable that somebody asks about by host and path: of several ways to
-- read the path the first that is known there. Where there is none, near tells
-- what may have been meant: files of the same name on that host; where there is
-- no such host (agent_id is null), the hosts that the name may stand for.
CREATE OR REPLACE FUNCTION process_dna.path_find(
  p_tenant integer, p_host text, p_container text, p_paths text[])
RETURNS TABLE (agent_id bigint, path text, near text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_agent bigint;
  v_path text;
BEGIN
  SELECT g.agent_id INTO v_agent FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.name = p_host;
  IF NOT FOUND THEN
    RETURN QUERY
    SELECT NULL::bigint, NULL::text, string_agg(g.name, ', ' ORDER BY g.name)
    FROM unnest(process_dna.agents_of_name(p_tenant, p_host, now())) n (agent_id)
    CROSS JOIN LATERAL (
      SELECT i.name FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = n.agent_id LIMIT 1) g;
    RETURN;
  END IF;
  FOREACH v_path IN ARRAY p_paths LOOP
    IF EXISTS (SELECT FROM process_dna.baselines b
               WHERE b.tenant_id = p_tenant AND b.agent_id = v_agent
                 AND b.container = p_container AND b.path = v_path LIMIT 1)
       OR EXISTS (SELECT FROM process_dna.executables x
                  WHERE x.tenant_id = p_tenant AND x.agent_id = v_agent
                    AND x.container = p_container AND x.path = v_path LIMIT 1)
    THEN
      RETURN QUERY SELECT v_agent, v_path, NULL::text;
      RETURN;
    END IF;
  END LOOP;
  RETURN QUERY
  SELECT v_agent, NULL::text, string_agg(s.name, ', ' ORDER BY s.name)
  FROM (SELECT b.path || CASE b.container WHEN '' THEN ''
            ELSE ' in container ' || b.container END AS name
        FROM process_dna.baselines b
        WHERE b.tenant_id = p_tenant AND b.agent_id = v_agent
          AND b.until IS NULL
          AND substring(b.path FROM '[^/]+$')
              IN (SELECT substring(p FROM '[^/]+$') FROM unnest(p_paths) p)
        ORDER BY b.container, b.path
        LIMIT 5) s;
END $$;
