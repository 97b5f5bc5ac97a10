-- Where logins lead on to from the agent that a hop reached: the first login on
-- each host up to p_until, the earliest first, without hosts that were reached
-- before. What is read and given is bounded, however busy the agent is.
CREATE OR REPLACE FUNCTION process_dna.lateral_steps(
  p_tenant integer, p_from process_dna.lateral_hop, p_until timestamptz,
  p_reached bigint[])
RETURNS SETOF process_dna.lateral_hop LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_login_limit CONSTANT integer := 500; -- from each address
  v_host_limit CONSTANT integer := 64;
BEGIN
  RETURN QUERY
  SELECT p_from.to_agent, p_from.to_host, f.target_agent_id,
    coalesce(g.name, f.log_host), p_from.depth + 1, f.observed_at, f.arrived_at, f.event_id, f.auth_user,
    f.method, f.key_fingerprint, f.src_ip, f.src_port, f.trust,
    cardinality(s.agents) > 1
  FROM (
    SELECT * FROM (
      SELECT DISTINCT ON (e.target_agent_id, CASE WHEN e.target_agent_id
        IS NULL THEN e.log_host END) e.*
      FROM process_dna.addresses_of_agent(p_tenant, p_from.to_agent,
                                          p_from.at) a (address)
      CROSS JOIN LATERAL (
        SELECT i.target_agent_id, i.log_host, i.observed_at, i.arrived_at,
          i.event_id, i.auth_user, i.method, i.key_fingerprint, i.src_ip,
          i.src_port, i.trust
        FROM process_dna.auth_events i
        WHERE i.src_ip = a.address AND i.success AND i.tenant_id + 0 = p_tenant
          AND i.observed_at BETWEEN p_from.at AND p_until
          AND i.arrived_at >= p_from.at -- never before what it tells of
        ORDER BY i.observed_at, i.arrived_at, i.event_id
        LIMIT v_login_limit) e
      WHERE CASE WHEN e.target_agent_id IS NULL THEN e.log_host <> ''
        ELSE e.target_agent_id <> ALL (p_reached) END
      ORDER BY e.target_agent_id,
        CASE WHEN e.target_agent_id IS NULL THEN e.log_host END,
        e.observed_at, e.arrived_at, e.event_id) d
    ORDER BY d.observed_at, d.arrived_at, d.event_id
    LIMIT v_host_limit) f
  CROSS JOIN LATERAL (
    SELECT process_dna.lateral_sources(p_tenant, f.src_ip, f.target_agent_id,
      f.observed_at)
    OFFSET 0) s (agents)
  LEFT JOIN LATERAL (
    SELECT i.name FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = f.target_agent_id
    LIMIT 1) g ON true
  WHERE p_from.to_agent = ANY (s.agents);
END $$;
