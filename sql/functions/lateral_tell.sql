-- Send the traps of movements: those that are new are raised, of the others
-- those that are open updated. One whose alert was closed before its login came
-- is raised and cleared at once, and of several of one key the last, unless the
-- same thing happened again and is open: its clear would be taken for that one's.
CREATE OR REPLACE FUNCTION process_dna.lateral_tell(
  p_tenant integer, p_raised bigint[], p_updated bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_late bigint[];
  v_raised bigint[];
  v_updated bigint[];
BEGIN
  v_late := ARRAY(
    SELECT DISTINCT ON (a.key) a.alert_id
    FROM unnest(p_raised) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    WHERE a.state <> 'open'
      AND NOT EXISTS (
        SELECT FROM (
          SELECT i.state FROM process_dna.process_dna_alerts i
          WHERE i.key = a.key AND i.tenant_id + 0 = p_tenant
          OFFSET 0) o
        WHERE o.state = 'open')
    ORDER BY a.key, a.alert_id DESC);
  SELECT array_agg(a.alert_id) FILTER (WHERE a.alert_id = ANY (p_raised)),
         array_agg(a.alert_id) FILTER (WHERE a.alert_id <> ALL (p_raised))
    INTO v_raised, v_updated
    FROM unnest(p_raised || p_updated) w (alert_id)
    CROSS JOIN LATERAL (
      SELECT * FROM process_dna.process_dna_alerts i
      WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
    WHERE a.state = 'open';
  PERFORM process_dna.outbox_add(p_tenant, v_late || v_raised, 'raised');
  PERFORM process_dna.outbox_add(p_tenant, v_late, 'cleared');
  PERFORM process_dna.outbox_add(p_tenant, v_updated, 'updated');
END $$;
