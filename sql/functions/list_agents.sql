-- Agents by name: all of them, or the one of that name. sources has for each way
-- who speaks there, when it was last heard, and by how many seconds it is
-- behind its cycle (negative: not yet due).
CREATE OR REPLACE FUNCTION process_dna.list_agents(
  p_tenant integer, p_name text)
RETURNS TABLE (agent_id bigint, name text, state text, address text,
  signer text, source text, sources jsonb, host_id text, boot timestamptz,
  interval_s integer, first_seen timestamptz, last_seen timestamptz,
  learning_until timestamptz, executables bigint, open_alerts bigint,
  restart_pending bigint, last_event text, last_event_at timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT g.agent_id, g.name,
    CASE WHEN g.retired_at IS NOT NULL THEN 'retired'
      WHEN g.silence IS NOT NULL THEN 'silent'
      ELSE 'active' END,
    host(g.ip), w.signer, w.source, w.sources, g.host_id, w.boot, g.interval_s,
    g.first_seen, g.last_arrived,
    g.learning_since + t.learning_s * interval '1 s',
    x.present, a.open, x.pending, e.event, e.at
  FROM process_dna.agents g
  JOIN process_dna.tenants t ON t.tenant_id = g.tenant_id
  CROSS JOIN LATERAL (
    SELECT string_agg(i.signer, ' ' ORDER BY i.source) AS signer,
      string_agg(i.source, ' ' ORDER BY i.source) AS source,
      max(i.boot) AS boot,
      coalesce(jsonb_agg(jsonb_build_object('source', i.source,
        'signer', i.signer, 'last_seen', i.last_arrived,
        'late_s', floor(extract(epoch FROM now() - i.last_arrived
                                - i.interval_s * interval '1 s')),
        'interval_s', i.interval_s) ORDER BY i.source), '[]') AS sources
    FROM process_dna.agent_sources i
    WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id) w
  CROSS JOIN LATERAL (
    SELECT count(*) AS present,
      count(*) FILTER (WHERE i.verdict = 'restart-pending') AS pending
    FROM process_dna.executables i
    WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
      AND i.last_seen IS NULL) x
  CROSS JOIN LATERAL (
    SELECT count(*) AS open FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
      AND i.state = 'open') a
  LEFT JOIN LATERAL (
    SELECT i.event, i.at FROM process_dna.agent_events i
    WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
    ORDER BY i.event_id DESC LIMIT 1) e ON true
  WHERE g.tenant_id = p_tenant AND (p_name IS NULL OR g.name = p_name)
  ORDER BY g.name
$$;
