-- Note what scans say of their agents, which are locked and have one scan
-- each; the first signer that is no relay, and a host id that changed, are
-- events.
CREATE OR REPLACE FUNCTION process_dna.agents_heard(
  p_tenant integer, p_scans process_dna.scan[])
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET jit = off
AS $$
  WITH heard AS (
    UPDATE process_dna.agents g
    SET last_observed = s.observed_at,
        last_arrived = greatest(g.last_arrived, s.arrived_at),
        last_sequence = s.sequence,
        interval_s = coalesce(s.interval_s, g.interval_s),
        source = s.source,
        -- It never goes back, or a scan from before the last boot would pass.
        boot = greatest(g.boot, s.boot),
        signer = CASE WHEN s.relayed THEN g.signer
          ELSE coalesce(g.signer, s.signer) END,
        host_id = coalesce(s.host_id, g.host_id)
    FROM unnest(p_scans) s
    CROSS JOIN LATERAL (
      SELECT i.ctid AS place, i.signer, i.host_id FROM process_dna.agents i
      WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id
      LIMIT 1) o
    WHERE g.ctid = o.place
    RETURNING g.agent_id, o.signer AS old_signer, g.signer,
      o.host_id AS old_host_id, g.host_id
  )
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, new_value)
  SELECT p_tenant, h.agent_id, 'bound', NULL, h.signer
  FROM heard h WHERE h.old_signer IS NULL AND h.signer IS NOT NULL
  UNION ALL
  SELECT p_tenant, h.agent_id, 're-enrolled', h.old_host_id, h.host_id
  FROM heard h WHERE h.old_host_id <> h.host_id
$$;
