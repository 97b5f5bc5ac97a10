-- A correlator says that it runs, and what it has counted.
CREATE OR REPLACE FUNCTION process_dna.report_correlator(
  p_instance text, p_host text, p_pid integer, p_version text,
  p_started timestamptz, p_counters jsonb)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.correlators
    (instance, host, pid, version, started_at, counters)
  VALUES (p_instance, p_host, p_pid, p_version, p_started, p_counters)
  ON CONFLICT (instance) DO UPDATE
    SET host = excluded.host, pid = excluded.pid, version = excluded.version,
        started_at = excluded.started_at, reported_at = now(),
        counters = excluded.counters
$$;
