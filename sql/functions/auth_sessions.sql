-- Note with logins of former calls that their session began, by these lines of
-- sessions: of the same host and user within a minute, by the same process
-- (session_opened, from PAM) or from the same address and port
-- (starting_session; its process may be another). Lines of one host arrive in
-- order, those of a session soon after the login's.
--
-- Logins are looked for by a statement that is planned each time, for the days
-- that are concerned: a plan for all partitions would lock and open each of
-- them. It keeps away from the key, of which the planner would take the range of
-- arrivals for as good as one row. They are updated in the order of partitions
-- and numbers, as others may note the same sessions at once.
CREATE OR REPLACE FUNCTION process_dna.auth_sessions(
  p_tenant integer, p_lines process_dna.auth_line[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_late CONSTANT interval := '1 h'; -- of two lines of one session
  v_from timestamptz;
  v_until timestamptz;
  v_logins record;
BEGIN
  SELECT min(l.arrived) - v_late, max(l.arrived) + v_late
    INTO v_from, v_until
    FROM unnest(p_lines) l;
  IF v_from IS NULL THEN
    RETURN;
  END IF;
  FOR v_logins IN EXECUTE $sql$
    SELECT s.partition,
      array_agg(s.arrived_at ORDER BY s.event_id) AS arrived_at,
      array_agg(s.event_id ORDER BY s.event_id) AS event_id,
      array_agg(s.observed ORDER BY s.event_id) AS observed
    FROM (
      SELECT e.*, l.observed
      FROM unnest($2) l
      CROSS JOIN LATERAL (
        (SELECT i.tableoid::regclass AS partition, i.arrived_at, i.event_id,
           i.log_host, i.auth_user, i.session_at
         FROM process_dna.auth_events i
         WHERE i.success AND i.pid IS NOT NULL AND i.log_host = l.host
           AND i.pid = l.pid AND i.tenant_id + 0 = $1
           AND i.observed_at BETWEEN l.observed - interval '60 s'
             AND l.observed + interval '60 s'
           AND i.arrived_at BETWEEN $3 AND $4
         OFFSET 0)
        UNION ALL
        (SELECT i.tableoid::regclass, i.arrived_at, i.event_id,
           i.log_host, i.auth_user, i.session_at
         FROM process_dna.auth_events i
         WHERE i.success AND i.src_ip = l.address AND i.tenant_id + 0 = $1
           AND i.observed_at BETWEEN l.observed - interval '60 s'
             AND l.observed + interval '60 s'
           AND i.src_port = l.port
           AND i.arrived_at BETWEEN $3 AND $4
         OFFSET 0)) e
      WHERE e.log_host = l.host AND e.auth_user = l.auth_user
        AND e.session_at IS NULL) s
    GROUP BY s.partition
    ORDER BY s.partition
  $sql$ USING p_tenant, p_lines, v_from, v_until
  LOOP
    EXECUTE format('
      UPDATE %1$s e SET session_at = s.observed
      FROM unnest($2, $3, $4) s (arrived_at, event_id, observed)
      CROSS JOIN LATERAL (
        SELECT i.ctid AS place FROM %1$s i
        WHERE i.tenant_id = $1 AND i.arrived_at = s.arrived_at
          AND i.event_id = s.event_id
        LIMIT 1) o
      WHERE e.ctid = o.place AND e.session_at IS NULL', v_logins.partition)
      USING p_tenant, v_logins.arrived_at, v_logins.event_id,
        v_logins.observed;
  END LOOP;
END $$;
