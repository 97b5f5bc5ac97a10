-- This trap could not be sent: it is due again after p_wait_s seconds, for any
-- correlator.
CREATE OR REPLACE FUNCTION process_dna.outbox_retry(
  p_tenant integer, p_id bigint, p_error text, p_wait_s integer)
RETURNS void LANGUAGE sql AS $$
  UPDATE process_dna.trap_outbox
  SET due_at = now() + p_wait_s * interval '1 s', leased_by = NULL,
      error = left(p_error, 1024)
  WHERE tenant_id = p_tenant AND outbox_id = p_id
$$;
