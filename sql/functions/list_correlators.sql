-- Correlators that have reported within a day, with what they counted.
CREATE OR REPLACE FUNCTION process_dna.list_correlators()
RETURNS TABLE (instance text, host text, pid integer, version text,
  started_at timestamptz, reported_at timestamptz, counters jsonb)
LANGUAGE sql STABLE AS $$
  SELECT c.instance, c.host, c.pid, c.version, c.started_at, c.reported_at,
    c.counters
  FROM process_dna.correlators c
  WHERE c.reported_at > now() - interval '1 day'
  ORDER BY c.started_at, c.instance
$$;
