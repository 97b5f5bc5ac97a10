-- Note with logins that their session began: of the same host and user within a
-- minute, by the same process (session_opened, from PAM) or from the same
-- address and port (starting_session; its process may be another). Lines of one
-- host arrive in order, those of a session soon after the login's.
CREATE OR REPLACE FUNCTION process_dna.auth_sessions(
  p_tenant integer, p_lines process_dna.auth_line[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_near CONSTANT interval := '60 s';
  v_late CONSTANT interval := '1 h'; -- of two lines of one session
  v_session record;
BEGIN
  FOR v_session IN
    SELECT l.observed, e.arrived_at, e.event_id
    FROM unnest(p_lines) l
    CROSS JOIN LATERAL (
      (SELECT i.arrived_at, i.event_id FROM process_dna.auth_events i
       WHERE i.success AND i.pid IS NOT NULL AND i.log_host = l.host
         AND i.pid = l.pid AND i.tenant_id = p_tenant
         AND i.observed_at BETWEEN l.observed - v_near AND l.observed + v_near
         AND i.arrived_at BETWEEN l.arrived - v_late AND l.arrived + v_late
         AND i.auth_user = l.auth_user AND i.session_at IS NULL
       OFFSET 0)
      UNION
      (SELECT i.arrived_at, i.event_id FROM process_dna.auth_events i
       WHERE i.success AND i.src_ip = l.address AND i.tenant_id = p_tenant
         AND i.observed_at BETWEEN l.observed - v_near AND l.observed + v_near
         AND i.arrived_at BETWEEN l.arrived - v_late AND l.arrived + v_late
         AND i.log_host = l.host AND i.src_port = l.port
         AND i.auth_user = l.auth_user AND i.session_at IS NULL
       OFFSET 0)) e
    WHERE l.outcome IN ('session_opened', 'starting_session')
    ORDER BY e.arrived_at, e.event_id, l.observed
  LOOP
    UPDATE process_dna.auth_events e SET session_at = v_session.observed
      WHERE e.tenant_id = p_tenant AND e.arrived_at = v_session.arrived_at
        AND e.event_id = v_session.event_id AND e.session_at IS NULL;
  END LOOP;
END $$;
