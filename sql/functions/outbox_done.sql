-- These traps were sent, and acknowledged where that is asked for.
CREATE OR REPLACE FUNCTION process_dna.outbox_done(
  p_tenant integer, p_ids bigint[])
RETURNS void LANGUAGE sql AS $$
  DELETE FROM process_dna.trap_outbox
  WHERE tenant_id = p_tenant AND outbox_id = ANY (p_ids)
$$;
