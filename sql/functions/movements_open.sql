-- The open movements that follow from these alerts; null if there are none.
CREATE OR REPLACE FUNCTION process_dna.movements_open(
  p_tenant integer, p_alerts bigint[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN (
    SELECT array_agg(m.alert_id)
    FROM (SELECT DISTINCT unnest(p_alerts)) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT i.alert_id, i.state FROM process_dna.process_dna_alerts i
      WHERE i.related_id = w.alert_id AND i.tenant_id + 0 = p_tenant
      OFFSET 0) m
    WHERE m.state = 'open');
END $$;
