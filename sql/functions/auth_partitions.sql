-- Make the partitions of auth_events for today and the next three days, and let
-- go of those that are older than every tenant's retention, and of what else is
-- forgotten after a while. To be called now and then, as a transaction of its
-- own; of several sessions one does it.
--
-- Nobody is kept waiting for long: where a lock can't be had soon, since a report
-- reads the table, that is left for the next call, and until then the events of
-- a day without a partition lie in the default one.
CREATE OR REPLACE FUNCTION process_dna.auth_partitions()
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET lock_timeout = '500ms'
AS $$
DECLARE
  v_today date := (now() AT TIME ZONE 'UTC')::date;
  v_keep integer := (SELECT max(t.auth_retention_d) FROM process_dna.tenants t);
  v_partition regclass;
BEGIN
  IF NOT pg_try_advisory_xact_lock(
       hashtext('process_dna.auth_partitions'), 0) THEN
    RETURN;
  END IF;
  BEGIN
    FOR v_partition IN
      SELECT i.inhrelid::regclass FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'process_dna.auth_events'::regclass
        AND c.relname ~ '^auth_events_\d{8}$'
        AND right(c.relname, 8) < to_char(v_today - v_keep, 'YYYYMMDD')
      ORDER BY c.relname
    LOOP
      EXECUTE format('DROP TABLE %s', v_partition);
    END LOOP;
  EXCEPTION WHEN lock_not_available THEN NULL;
  END;
  DELETE FROM process_dna.auth_peers p
    WHERE p.seen_at < now() - interval '30 days';
  DELETE FROM process_dna.auth_events_default d
    WHERE d.arrived_at < (v_today - v_keep)::timestamp AT TIME ZONE 'UTC';
  BEGIN
    FOR v_ahead IN 0 .. 3 LOOP
      PERFORM process_dna.auth_partition_make(v_today + v_ahead);
    END LOOP;
  EXCEPTION WHEN lock_not_available THEN NULL;
  END;
END $$;
