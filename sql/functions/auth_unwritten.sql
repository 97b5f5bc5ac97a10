-- Lines but for those that were written before: what is written again has the
-- arrival that it had.
CREATE OR REPLACE FUNCTION process_dna.auth_unwritten(
  p_tenant integer, p_lines process_dna.auth_line[])
RETURNS process_dna.auth_line[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(p_lines) l WHERE l.again) THEN
    RETURN p_lines;
  END IF;
  RETURN ARRAY(
    SELECT l FROM unnest(p_lines) l
    LEFT JOIN LATERAL (
      SELECT true AS written FROM process_dna.auth_events e
      WHERE l.again AND e.tenant_id = p_tenant AND e.arrived_at = l.arrived
        AND e.outcome = l.outcome AND e.log_host = l.host
        AND e.auth_user = l.auth_user
        AND (e.pid, e.src_ip, e.src_host, e.src_port, e.stamped_at)
          IS NOT DISTINCT FROM
          (l.pid, l.address, l.src_host, l.port, l.stamped)
      LIMIT 1) w ON true
    WHERE w.written IS NULL);
END $$;
