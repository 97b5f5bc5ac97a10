-- Forget the sinks that no correlator has named for a day, and what was to be
-- sent to them.
CREATE OR REPLACE FUNCTION process_dna.sinks_expire(p_tenant integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM process_dna.trap_sinks
  WHERE tenant_id = p_tenant AND named_at < now() - interval '1 day';
  IF FOUND THEN
    DELETE FROM process_dna.trap_outbox o
    WHERE o.tenant_id = p_tenant
      AND NOT EXISTS (SELECT FROM process_dna.trap_sinks s
                      WHERE s.tenant_id = p_tenant AND s.sink = o.sink);
  END IF;
END $$;
