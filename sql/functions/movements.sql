-- Movements, the oldest first: the open ones, or all with p_all. Their logins
-- are not read.
CREATE OR REPLACE FUNCTION process_dna.movements(
  p_tenant integer, p_all boolean)
RETURNS TABLE (alert_id bigint, source text, target text, severity text,
  state text, related_id bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT a.alert_id, g.name, b.name, a.severity, a.state, a.related_id
  FROM process_dna.process_dna_alerts a
  CROSS JOIN LATERAL (
    SELECT i.name FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.agent_id LIMIT 1) g
  CROSS JOIN LATERAL (
    SELECT i.name FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.peer_agent_id LIMIT 1) b
  WHERE a.tenant_id = p_tenant AND a.kind = 'lateral-movement'
    AND (p_all OR a.state = 'open')
  ORDER BY a.alert_id;
END $$;
