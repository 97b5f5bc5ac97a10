-- Name the sinks that a correlator sends to: traps are written for these from
-- now on. Sinks that no correlator has named for a day go, with what was to be
-- sent to them.
CREATE OR REPLACE FUNCTION process_dna.register_sinks(
  p_tenant integer, p_instance text, p_sinks text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO process_dna.trap_sinks (tenant_id, sink, instance)
  SELECT DISTINCT p_tenant, u.sink, p_instance
  FROM unnest(p_sinks) u (sink) ORDER BY u.sink
  ON CONFLICT (tenant_id, sink, instance) DO UPDATE SET named_at = now();
  PERFORM process_dna.sinks_expire(p_tenant);
END $$;
