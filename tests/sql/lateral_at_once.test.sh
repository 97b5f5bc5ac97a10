#!/bin/sh
# Goal: of two correlators that both take in changes and logins, accept, and
# search for lateral movement, all at once, neither fails, and in the end each
# login that belongs to an alert is detected exactly once.
#
# Twenty hosts change and log on to each other; each session takes in half of
# that and looks at what waits after each step. run.sh sets PGDATABASE to a
# database of our own.
set -eu

. tests/sql/checks.sh

psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -f tests/sql/helpers.psql
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 <<'SQL'
CREATE SCHEMA lateral_test;
CREATE TABLE lateral_test.ready (session text);
SELECT test.tenant();
SELECT test.scan(process_dna.tenant_id('t'), 'host' || n, 0,
    ARRAY[test.exe('/p', 'a'), test.exe('/q', 'a')],
    addresses => ARRAY['192.0.2.' || n])
  FROM generate_series(0, 19) n;

CREATE PROCEDURE lateral_test.session(p_session text) LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := process_dna.tenant_id('t');
  v_host integer;
BEGIN
  INSERT INTO lateral_test.ready VALUES (p_session);
  COMMIT;
  FOR v_try IN 1 .. 10000 LOOP
    EXIT WHEN (SELECT count(*) = 2 FROM lateral_test.ready);
    PERFORM pg_sleep(0.001);
    COMMIT;
  END LOOP;
  FOR v_step IN 1 .. 60 LOOP
    -- The hosts of a are even, those of b odd.
    v_host := 2 * (v_step % 10) + CASE p_session WHEN 'a' THEN 0 ELSE 1 END;
    IF v_step % 3 = 0 THEN
      PERFORM test.scan(v_tenant, 'host' || v_host, 600 + v_step / 10.0,
        ARRAY[test.exe('/p', substr('abcdef', 1 + v_step % 6, 1)),
              test.exe('/q', substr('fedcba', 1 + v_step % 6, 1))],
        addresses => ARRAY['192.0.2.' || v_host]);
      COMMIT;
    END IF;
    FOR v_login IN 1 .. 3 LOOP
      PERFORM test.auth(v_tenant, 'host' || (v_host + v_login * 7) % 20,
        600 + (v_step + v_login) / 10.0, 'root',
        '192.0.2.' || (v_host + v_login * 3 + v_step) % 20,
        arrived => 1000 + v_step, trust => 'file');
      COMMIT;
    END LOOP;
    PERFORM process_dna.lateral_work(v_tenant);
    COMMIT;
    IF v_step % 30 = 0 THEN
      PERFORM process_dna.accept(v_tenant, a.alert_id, p_session, 'x')
        FROM (SELECT min(alert_id) AS alert_id
              FROM process_dna.process_dna_alerts
              WHERE state = 'open' AND kind = 'binary-changed') a;
      COMMIT;
    END IF;
  END LOOP;
END $$;
SQL

call_at_once lateral_test.session
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 \
  -c "SELECT test.lateral(process_dna.tenant_id('t'))"

check 'all of the queue is done' 0 "
  SELECT count(*) FROM process_dna.lateral_queue"
check 'there are detections' t "
  SELECT count(*) > 100 FROM process_dna.lateral_detections"
check 'what belongs together and nothing explains is detected' 0 "
  SELECT count(*)
  FROM process_dna.process_dna_alerts a
  JOIN process_dna.agents g USING (agent_id)
  JOIN process_dna.auth_events e
    ON e.src_ip = g.ip AND e.target_agent_id <> a.agent_id
    AND e.observed_at BETWEEN a.observed_at - interval '5 min'
                          AND a.observed_at + interval '5 min'
  LEFT JOIN process_dna.lateral_detections d
    ON d.alert_id = a.alert_id AND d.event_id = e.event_id
  WHERE NOT a.baseline_match AND d.alert_id IS NULL"
check 'once' t "
  SELECT count(*) = count(DISTINCT (alert_id, event_arrived_at, event_id))
  FROM process_dna.lateral_detections"
check 'movements count their logins' 0 "
  SELECT count(*) FROM process_dna.process_dna_alerts a
  WHERE kind = 'lateral-movement' AND seen <> (
    SELECT count(*) FROM process_dna.lateral_detections d
    WHERE d.movement_id = a.alert_id)"
check 'none is open whose alert is closed' 0 "
  SELECT count(*) FROM process_dna.process_dna_alerts a
  JOIN process_dna.process_dna_alerts r ON r.alert_id = a.related_id
  WHERE a.state = 'open' AND r.state <> 'open'"
check 'each is raised at most once, and cleared if it is closed' 0 "
  SELECT count(*) FROM process_dna.process_dna_alerts a
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE payload->>'state' = 'raised') AS raised,
      count(*) FILTER (WHERE payload->>'state' = 'cleared') AS cleared
    FROM process_dna.trap_outbox o WHERE o.alert_id = a.alert_id) o
  WHERE a.kind = 'lateral-movement'
    AND (o.raised > 1 OR o.cleared <> (a.state <> 'open')::integer * o.raised
         OR o.raised = 0 AND a.state = 'open')"
check 'both sessions found some' t "
  SELECT count(DISTINCT agent_id % 2) = 2 FROM process_dna.lateral_detections"
end_checks
