-- Write the lines that make events, and have logins looked at for lateral
-- movement. p_began is when the session of each began, as far as that is known;
-- p_slack how much earlier or later an agent may have had an address.
CREATE OR REPLACE FUNCTION process_dna.auth_write(
  p_tenant integer, p_slack interval, p_lines process_dna.auth_line[],
  p_began timestamptz[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  WITH written AS (
    INSERT INTO process_dna.auth_events
      (tenant_id, arrived_at, target_agent_id, log_host, log_peer, trust,
       outcome, method, auth_user, user_known, src_ip, src_host, src_port,
       src_agents, key_type, key_fingerprint, cert_id, extra, program, pid,
       repeat, stamped_at, observed_at, session_at)
    SELECT p_tenant, l.arrived, l.target, l.host, l.peer, l.trust, l.outcome,
           l.method, l.auth_user, l.user_known, l.address, l.src_host, l.port,
           CASE WHEN l.target = ANY (h.agents) THEN '{}' ELSE h.agents END,
           l.key_type, l.key, l.cert_id, l.extra, l.program, l.pid, l.repeat,
           l.stamped, l.observed, l.began
    FROM unnest(p_began, p_lines) l (began)
    CROSS JOIN LATERAL process_dna.address_holders(p_tenant, l.address,
                                                   l.observed, p_slack) h
    WHERE l.outcome NOT IN ('session_opened', 'starting_session')
    RETURNING arrived_at, event_id, success, src_ip, observed_at
  )
  INSERT INTO process_dna.lateral_queue
    (tenant_id, event_arrived_at, event_id, event_src_ip, event_observed_at)
  SELECT p_tenant, w.arrived_at, w.event_id, w.src_ip, w.observed_at
  FROM written w WHERE w.success;
END $$;
