-- Make the partition of auth_events for a UTC day, unless it is there, and take
-- the day's events into it that lie in the default partition.
--
-- The table is locked before that partition, as by all who need both, and for
-- everybody, which attaching alone would not do: a statement that was planned
-- without the new partition would find neither there nor here what was moved.
CREATE OR REPLACE FUNCTION process_dna.auth_partition_make(p_day date)
RETURNS void LANGUAGE plpgsql
SET TimeZone = 'UTC' SET DateStyle = 'ISO'
AS $$
DECLARE
  v_name text := 'auth_events_' || to_char(p_day, 'YYYYMMDD');
  v_from timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
  v_until timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
  v_columns text;
BEGIN
  IF to_regclass('process_dna.' || v_name) IS NOT NULL THEN
    RETURN;
  END IF;
  LOCK TABLE ONLY process_dna.auth_events IN ACCESS EXCLUSIVE MODE;
  LOCK TABLE process_dna.auth_events_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('CREATE TABLE process_dna.%I
    (LIKE process_dna.auth_events INCLUDING ALL) WITH (fillfactor = 90)',
    v_name);
  EXECUTE format('ALTER TABLE process_dna.%I ENABLE ROW LEVEL SECURITY',
                 v_name);
  EXECUTE format('COMMENT ON TABLE process_dna.%I IS %L', v_name,
                 'auth_events that arrived on that day (UTC)');
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    INTO v_columns
    FROM pg_attribute a
    WHERE a.attrelid = 'process_dna.auth_events'::regclass AND a.attnum > 0
      AND NOT a.attisdropped AND a.attgenerated = '';
  EXECUTE format('WITH moved AS (
      DELETE FROM process_dna.auth_events_default
      WHERE arrived_at >= $1 AND arrived_at < $2
      RETURNING %1$s)
    INSERT INTO process_dna.%2$I (%1$s) SELECT %1$s FROM moved',
    v_columns, v_name) USING v_from, v_until;
  EXECUTE format('ALTER TABLE process_dna.auth_events
    ATTACH PARTITION process_dna.%I FOR VALUES FROM (%L) TO (%L)',
    v_name, v_from, v_until);
END $$;
