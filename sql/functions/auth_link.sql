-- An agent has a name that it had not: link it with logins on hosts of that name
-- which nobody knew, a limited number in a call, and have them looked at. Gives
-- whether there may be more.
--
-- Attempts that failed stay as they are: nothing is joined with them, and there
-- may be millions.
--
-- Who takes lines in is waited for and kept out. A login that is written just
-- now, by a call that did not see the agent yet, would be found neither here nor
-- later; and sessions are noted with the same logins in another order.
CREATE OR REPLACE FUNCTION process_dna.auth_link(
  p_tenant integer, p_agent bigint)
RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_limit CONSTANT integer := 500;
  v_host_limit CONSTANT integer := 100; -- of names that begin alike
  v_stem text COLLATE "C";
  v_host text COLLATE "C";
  v_login record;
  v_linked integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('process_dna.auth_ingest'), p_tenant);
  FOR v_stem IN
    SELECT lower(split_part(g.name, '.', 1)) FROM process_dna.agents g
    WHERE g.tenant_id = p_tenant AND g.agent_id = p_agent
    UNION
    SELECT lower(split_part(n.name, '.', 1)) FROM process_dna.agent_names n
    WHERE n.tenant_id = p_tenant AND n.agent_id = p_agent
  LOOP
    v_host := '';
    FOR v_i IN 1 .. v_host_limit LOOP
      SELECT e.log_host INTO v_host FROM process_dna.auth_events e
        WHERE e.success AND e.target_agent_id IS NULL
          AND lower(split_part(e.log_host, '.', 1)) = v_stem
          AND e.tenant_id + 0 = p_tenant AND e.log_host > v_host
        ORDER BY e.log_host
        LIMIT 1;
      EXIT WHEN NOT FOUND;
      CONTINUE WHEN process_dna.agent_of_host(p_tenant, v_host, NULL, now())
                      IS DISTINCT FROM p_agent;
      -- One by one: joined with all of them, it would read all partitions.
      FOR v_login IN
        SELECT e.arrived_at, e.event_id FROM process_dna.auth_events e
        WHERE e.success AND e.target_agent_id IS NULL
          AND lower(split_part(e.log_host, '.', 1)) = v_stem
          AND e.tenant_id + 0 = p_tenant AND e.log_host = v_host
        LIMIT v_limit - v_linked
      LOOP
        UPDATE process_dna.auth_events e
        SET target_agent_id = p_agent,
            src_agents = CASE WHEN p_agent = ANY (e.src_agents) THEN '{}'
                           ELSE e.src_agents END
        WHERE e.tenant_id = p_tenant AND e.arrived_at = v_login.arrived_at
          AND e.event_id = v_login.event_id;
        INSERT INTO process_dna.lateral_queue
          (tenant_id, event_arrived_at, event_id)
        VALUES (p_tenant, v_login.arrived_at, v_login.event_id);
        v_linked := v_linked + 1;
      END LOOP;
      IF v_linked = v_limit THEN
        RETURN true;
      END IF;
    END LOOP;
  END LOOP;
  RETURN false;
END $$;
