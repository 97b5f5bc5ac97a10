-- Agents in service whose name, or one that was added, differs from p_host (in
-- lower case) only in that one of the two goes on with a domain; at most ten.
CREATE OR REPLACE FUNCTION process_dna.agents_of_stem(
  p_tenant integer, p_host text)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_host text COLLATE "default" := p_host;
  v_stem text COLLATE "default" := split_part(p_host, '.', 1);
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT c.agent_id
    FROM (SELECT g.agent_id, lower(g.name) AS name FROM process_dna.agents g
          WHERE g.tenant_id + 0 = p_tenant
            AND lower(split_part(g.name, '.', 1)) = v_stem
          UNION ALL
          SELECT n.agent_id, lower(n.name) FROM process_dna.agent_names n
          WHERE n.tenant_id + 0 = p_tenant
            AND lower(split_part(n.name, '.', 1)) = v_stem
         ) c
    CROSS JOIN LATERAL (
      SELECT true AS served FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.agent_id = c.agent_id
        AND g.retired_at IS NULL
      LIMIT 1) s
    WHERE starts_with(c.name || '.', v_host || '.')
       OR starts_with(v_host || '.', c.name || '.')
    ORDER BY 1
    LIMIT 10);
END $$;
