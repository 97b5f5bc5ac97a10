-- The agents that lines are of, by the host names in their headers and the
-- addresses that they came from: of each line the number of its host, and by
-- that number its agent (0: none) and until when it is heard, going by its last
-- scan. Many lines have few hosts, so each is looked up once.
--
-- Addresses under which names came that are known are noted (auth_peers), before
-- any is asked for a name that is not; not those that may be forged.
CREATE OR REPLACE FUNCTION process_dna.auth_hosts(
  p_tenant integer, p_silent interval, a_host text[], a_peer inet[],
  a_trust text[], a_arrived timestamptz[],
  OUT hosts integer[], OUT agents bigint[], OUT heard timestamptz[])
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_first integer[]; -- by the number of a host its first line's
  v_peers inet[];
BEGIN
  SELECT array_agg(u.h ORDER BY u.n) INTO hosts
    FROM (SELECT l.n, dense_rank() OVER (
            ORDER BY l.host COLLATE "C", l.peer, l.trust = 'udp') AS h
          FROM unnest(a_host, a_peer, a_trust) WITH ORDINALITY
            l (host, peer, trust, n)) u;
  SELECT array_agg(u.n ORDER BY u.h) INTO v_first
    FROM (SELECT i.h, min(i.n) AS n
          FROM unnest(hosts) WITH ORDINALITY i (h, n) GROUP BY i.h) u;
  -- OFFSET 0 has what is looked up be looked up once.
  SELECT array_agg(coalesce(n.agent_id, 0) ORDER BY f.h),
         array_agg(a_peer[f.n]) FILTER (WHERE n.agent_id IS NOT NULL
                                          AND a_trust[f.n] <> 'udp')
    INTO agents, v_peers
    FROM unnest(v_first) WITH ORDINALITY f (n, h)
    CROSS JOIN LATERAL (
      -- Most have the very name of an agent, which takes no call to see.
      SELECT coalesce(
        (SELECT g.agent_id FROM process_dna.agents g
         WHERE g.tenant_id = p_tenant
           AND g.name = a_host[f.n] COLLATE "default"),
        process_dna.agent_of_host(p_tenant, a_host[f.n], NULL, a_arrived[f.n]))
      OFFSET 0) n (agent_id);
  INSERT INTO process_dna.auth_peers AS p (tenant_id, address)
  SELECT DISTINCT p_tenant, u.peer FROM unnest(v_peers) u (peer)
  WHERE u.peer IS NOT NULL
    AND (SELECT true FROM process_dna.auth_peers i
         WHERE i.tenant_id = p_tenant AND i.address = u.peer
           AND i.seen_at > now() - interval '1 day'
         LIMIT 1) IS NULL
  ORDER BY u.peer
  ON CONFLICT (tenant_id, address) DO UPDATE SET seen_at = now();

  SELECT array_agg(coalesce(t.agent_id, 0) ORDER BY f.h),
         array_agg(coalesce(a.heard, '-infinity') ORDER BY f.h)
    INTO agents, heard
    FROM unnest(v_first) WITH ORDINALITY f (n, h)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN agents[f.h] <> 0 THEN agents[f.h]
        WHEN a_peer[f.n] IS NOT NULL THEN process_dna.agent_of_host(p_tenant,
          a_host[f.n], a_peer[f.n], a_arrived[f.n], a_trust[f.n] = 'udp') END
      OFFSET 0) t (agent_id)
    LEFT JOIN LATERAL (
      SELECT g.last_arrived
               + greatest(3 * g.interval_s * interval '1 s', p_silent) AS heard
      FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.agent_id = t.agent_id
      LIMIT 1) a ON true;
END $$;
