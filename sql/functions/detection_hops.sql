-- The hops of a movement in the order of time, one a row, with what is known of
-- the change of the host that each leads to (changed_id null: none).
CREATE OR REPLACE FUNCTION process_dna.detection_hops(
  p_tenant integer, p_movement bigint)
RETURNS TABLE (hop bigint, source text, target text, auth_user text,
  method text, key_fingerprint text, src_ip text, src_port text,
  at timestamptz, trust text, ambiguous boolean, changed_id bigint, changed_key text,
  changed_container text, changed_path text, changed_sha256 text,
  changed_verdict text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT h.hop, h.e ->> 'from', h.e ->> 'to', h.e ->> 'user',
    h.e ->> 'method', h.e ->> 'key', h.e ->> 'address', h.e ->> 'port',
    (h.e ->> 'at')::timestamptz, h.e ->> 'trust',
    coalesce((h.e ->> 'ambiguous')::boolean, false),
    (h.e #>> '{changed,alert_id}')::bigint, h.e #>> '{changed,key}',
    c.container, h.e #>> '{changed,path}', h.e #>> '{changed,sha256}',
    c.verdict
  FROM process_dna.process_dna_alerts a
  CROSS JOIN LATERAL jsonb_array_elements(a.hops) WITH ORDINALITY h (e, hop)
  LEFT JOIN LATERAL (
    SELECT i.container, i.verdict FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant
      AND i.alert_id = (h.e #>> '{changed,alert_id}')::bigint LIMIT 1) c
    ON true
  WHERE a.tenant_id = p_tenant AND a.alert_id = p_movement
    AND a.kind = 'lateral-movement'
  ORDER BY h.hop;
END $$;
