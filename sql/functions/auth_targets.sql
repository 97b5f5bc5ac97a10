-- Lines with the agents that they are of and when they happened. The stamp of a
-- line is believed up to its arrival and lateral.max-skew before that. What is
-- older was written before it was read, if it comes from a file of this host. Of
-- the network it may be either that or a clock that is wrong, and is the former
-- if the stamp tells its zone and the host's scans are heard, which are refused
-- of a wrong clock.
CREATE OR REPLACE FUNCTION process_dna.auth_targets(
  p_tenant integer, p_lines process_dna.auth_line[])
RETURNS process_dna.auth_line[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_tenant process_dna.tenants;
  v_groups integer[]; -- of each line, the number of its host
  v_agents bigint[]; -- by that number; 0: none
  v_heard timestamptz[]; -- until when its scans make it heard
  v_lines process_dna.auth_line[];
BEGIN
  SELECT * INTO v_tenant FROM process_dna.tenants t
    WHERE t.tenant_id = p_tenant;
  SELECT array_agg(u.g ORDER BY u.n) INTO v_groups
    FROM (SELECT l.n, dense_rank() OVER (
            ORDER BY l.host, l.peer, l.trust = 'udp') AS g
          FROM unnest(p_lines) l) u;
  SELECT array_agg(coalesce(t.agent_id, 0) ORDER BY h.g),
         array_agg(coalesce(a.until, '-infinity') ORDER BY h.g)
    INTO v_agents, v_heard
    FROM (SELECT DISTINCT ON (l.g) l.g, l.host, l.peer, l.arrived,
                 l.trust = 'udp' AS forgeable
          FROM unnest(v_groups, p_lines) l (g)
          ORDER BY l.g) h
    CROSS JOIN LATERAL process_dna.agent_of_host(p_tenant, h.host, h.peer,
      h.arrived, h.forgeable) t (agent_id)
    LEFT JOIN LATERAL (
      SELECT g.last_arrived + greatest(3 * g.interval_s, v_tenant.silent_s)
               * interval '1 s' AS until
      FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.agent_id = t.agent_id
      LIMIT 1) a ON true;
  SELECT array_agg((l.n, l.host, l.peer, l.trust, l.outcome, l.repeat,
           l.method, l.auth_user, l.user_known, l.address, l.src_host, l.port,
           l.key_type, l.key, l.cert_id, l.extra, l.program, l.pid, l.stamped,
           l.zoned, l.arrived, l.again, nullif(v_agents[l.g], 0), CASE
             WHEN l.stamped IS NULL OR l.stamped > l.arrived THEN l.arrived
             WHEN l.stamped >= l.arrived
                    - v_tenant.lateral_max_skew_s * interval '1 s'
               OR l.trust IN ('journal', 'file', 'stdin')
               OR l.zoned AND l.arrived <= v_heard[l.g] THEN l.stamped
             ELSE l.arrived END)::process_dna.auth_line ORDER BY l.n)
    INTO v_lines
    FROM unnest(v_groups, p_lines) l (g);
  RETURN v_lines;
END $$;
