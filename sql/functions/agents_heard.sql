-- Note what scans say of their agents, which are locked and have one scan
-- each; the first signer of a way that is no relay, and a host id that changed,
-- are events.
CREATE OR REPLACE FUNCTION process_dna.agents_heard(
  p_tenant integer, p_scans process_dna.scan[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, old_value, new_value)
  SELECT p_tenant, s.agent_id, 'bound', NULL, s.signer
  FROM unnest(p_scans) s
  WHERE NOT s.relayed AND s.signer IS NOT NULL
    AND (SELECT w.signer FROM process_dna.agent_sources w
         WHERE w.tenant_id = p_tenant AND w.agent_id = s.agent_id
           AND w.source = s.source) IS NULL
  UNION ALL
  SELECT p_tenant, s.agent_id, 're-enrolled', g.host_id, s.host_id
  FROM unnest(p_scans) s
  CROSS JOIN LATERAL (
    SELECT i.host_id FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id
    LIMIT 1) g
  WHERE g.host_id <> s.host_id;

  INSERT INTO process_dna.agent_sources AS w
    (tenant_id, agent_id, source, signer, boot, interval_s, last_observed,
     last_arrived, last_sequence)
  SELECT p_tenant, s.agent_id, s.source,
         CASE WHEN NOT s.relayed THEN s.signer END, s.boot, s.interval_s,
         s.observed_at, s.arrived_at, s.sequence
  FROM unnest(p_scans) s
  ORDER BY s.agent_id
  ON CONFLICT (tenant_id, agent_id, source) DO UPDATE
  SET signer = coalesce(w.signer, excluded.signer),
      -- It never goes back, or a scan from before the last boot would pass.
      boot = greatest(w.boot, excluded.boot),
      interval_s = coalesce(excluded.interval_s, w.interval_s),
      last_observed = excluded.last_observed,
      last_arrived = greatest(w.last_arrived, excluded.last_arrived),
      last_sequence = excluded.last_sequence;

  UPDATE process_dna.agents g
  SET last_observed = greatest(g.last_observed, s.observed_at),
      last_arrived = greatest(g.last_arrived, s.arrived_at),
      interval_s = process_dna.agents_cycle(p_tenant, s.agent_id,
                                            ARRAY[s.source],
                                            s.arrived_at),
      host_id = coalesce(s.host_id, g.host_id)
  FROM unnest(p_scans) s
  CROSS JOIN LATERAL (
    SELECT i.ctid AS place FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id
    LIMIT 1) o
  WHERE g.ctid = o.place;
END $$;
