-- Close open alerts with their movements, and send their clears. p_match tells
-- whether that explains their digests; null leaves that as it was. Null ids are
-- none.
CREATE OR REPLACE FUNCTION process_dna.alerts_close(
  p_tenant integer, p_ids bigint[], p_state text, p_who text, p_why text,
  p_match boolean)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_ids bigint[];
BEGIN
  IF p_ids IS NULL THEN
    RETURN;
  END IF;
  v_ids := p_ids || process_dna.movements_open(p_tenant, p_ids);
  UPDATE process_dna.process_dna_alerts a
  SET state = p_state, closed_at = now(), who = left(p_who, 255),
      why = left(p_why, 1024),
      baseline_match = CASE WHEN a.baseline_match IS NULL THEN NULL
        ELSE coalesce(p_match, a.baseline_match) END
  FROM (SELECT DISTINCT unnest(v_ids)) w (alert_id)
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id
      AND i.state = 'open'
    LIMIT 1) o
  WHERE a.ctid = o.place;
  PERFORM process_dna.outbox_add(p_tenant, v_ids, 'cleared');
  -- Hops that lead to their agents show them as long as nothing explains them.
  IF p_match THEN
    INSERT INTO process_dna.lateral_queue (tenant_id, alert_id)
    SELECT DISTINCT p_tenant, w.alert_id FROM unnest(p_ids) w (alert_id);
  END IF;
END $$;
