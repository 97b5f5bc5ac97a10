-- How many other agents of the tenant have a digest, trusted or not; null for
-- no digest.
CREATE OR REPLACE FUNCTION process_dna.agents_with(
  p_tenant integer, p_agent bigint, p_sha256 text)
RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_sha256 IS NOT NULL THEN count(*) END
  FROM (SELECT b.agent_id FROM process_dna.baselines b
        WHERE b.tenant_id = p_tenant
          AND decode(b.sha256, 'hex') = decode(p_sha256, 'hex')
          AND b.until IS NULL
        UNION
        SELECT a.agent_id FROM process_dna.process_dna_alerts a
        WHERE a.tenant_id = p_tenant
          AND decode(a.exe_sha256, 'hex') = decode(p_sha256, 'hex')
          AND a.state = 'open') u
  WHERE u.agent_id <> p_agent
$$;
