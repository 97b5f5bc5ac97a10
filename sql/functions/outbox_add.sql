-- Write the traps of alerts, one for each sink that a live correlator names:
-- p_state is raised, updated or cleared. Null ids are none. Whoever listens on
-- process_dna_outbox is told the tenant when this transaction commits.
CREATE OR REPLACE FUNCTION process_dna.outbox_add(
  p_tenant integer, p_ids bigint[], p_state text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  IF p_ids IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO process_dna.trap_outbox
    (tenant_id, sink, agent_id, alert_id, key, payload)
  SELECT p_tenant, s.sink, a.agent_id, a.alert_id, a.key, jsonb_build_object(
      'trap', CASE
        WHEN p_state = 'cleared' THEN 'pdnaAlertCleared'
        WHEN a.kind = 'lateral-movement' THEN 'pdnaLateralMovement'
        WHEN a.kind = 'agent-silent' THEN 'pdnaAgentSilent'
        WHEN a.kind = 'fleet-silent' THEN 'pdnaFleetSilent'
        ELSE 'pdnaBinaryChanged' END,
      'agent_address', coalesce(CASE family(g.ip) WHEN 4 THEN host(g.ip) END,
                                '0.0.0.0'),
      'kind', a.kind,
      'state', p_state,
      'severity', CASE p_state WHEN 'cleared' THEN 'cleared'
                    ELSE a.severity END,
      'host', coalesce(g.name, ''),
      'address', coalesce(host(g.ip), ''),
      'container', a.container,
      'exe_path', a.exe_path,
      'baseline_sha256', coalesce(a.baseline_sha256, ''),
      'observed_sha256', a.exe_sha256,
      'pid', coalesce(a.pid, 0)::text,
      'package', process_dna.printable(concat_ws(' ', nullif(a.package, ''),
                                                 nullif(a.version, ''))),
      'verdict', a.verdict,
      'mitre', process_dna.alert_mitre(a.kind),
      'peer_host', coalesce(p.name, ''),
      'peer_address', coalesce(host(p.ip), ''),
      'auth_user', coalesce(process_dna.printable(l.auth_user), ''),
      'related_key', coalesce(r.key, ''),
      'at', to_char(CASE p_state WHEN 'raised' THEN a.observed_at ELSE now() END
                    AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'line', CASE p_state
        WHEN 'cleared' THEN process_dna.line_of(
          concat_ws(': ', g.name, nullif(a.exe_path, ''),
                    'movement to ' || p.name, 'cleared')
          || coalesce(', ' || a.why, '') || coalesce(' (' || a.who || ')', '')
          || '; it was ' || coalesce(nullif(a.verdict, ''), a.kind) || ' since '
          || to_char(a.observed_at AT TIME ZONE 'UTC',
                     'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        ELSE a.line END)
  FROM (SELECT DISTINCT unnest(p_ids)) w (alert_id)
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = w.alert_id LIMIT 1) a
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.agent_id LIMIT 1) g ON true
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.peer_agent_id
    LIMIT 1) p ON true
  LEFT JOIN LATERAL (
    SELECT i.key FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = a.related_id
    LIMIT 1) r ON true
  LEFT JOIN LATERAL process_dna.lateral_login(
    p_tenant, CASE WHEN a.related_id IS NOT NULL THEN a.alert_id END) l ON true
  CROSS JOIN (SELECT DISTINCT t.sink FROM process_dna.trap_sinks t
              WHERE t.tenant_id = p_tenant) s
  ORDER BY a.alert_id, s.sink;
  IF FOUND THEN
    PERFORM pg_notify('process_dna_outbox', p_tenant::text);
  END IF;
END $$;
