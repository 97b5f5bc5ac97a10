-- What an explanation of a movement needs besides the facts of every alert: the
-- host that was logged on to, the alert that it follows from, and what its
-- logins have in common. least_trust is that of the one that is to be trusted
-- least; sources are the hosts that had one of the addresses.
CREATE OR REPLACE FUNCTION process_dna.movement_facts(
  p_tenant integer, p_movement bigint)
RETURNS TABLE (peer_host text, peer_address text, related_id bigint,
  related_key text, related_at timestamptz, users text, source_addresses text,
  sources text, least_trust text, logins bigint, logins_confirmed bigint,
  first_login timestamptz, last_login timestamptz, first_time boolean,
  ambiguous boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH l AS MATERIALIZED (
    SELECT * FROM process_dna.detection_logins(p_tenant, p_movement))
  SELECT b.name, host(b.ip), a.related_id, r.key, r.observed_at,
    (SELECT string_agg(DISTINCT l.auth_user, ', ') FROM l),
    (SELECT string_agg(DISTINCT l.src_ip, ', ') FROM l),
    (SELECT string_agg(DISTINCT s.name, ', ')
     FROM l CROSS JOIN unnest(l.sources) s (name)),
    (SELECT l.trust FROM l
     ORDER BY array_position(
       '{udp,tcp,stdin,file,tls,journal}'::text[], l.trust) LIMIT 1),
    n.logins, n.confirmed, n.first_at, n.last_at, n.first_time, n.ambiguous
  FROM process_dna.process_dna_alerts a
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.agent_id = a.peer_agent_id LIMIT 1) b
  CROSS JOIN LATERAL (
    SELECT * FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = a.related_id LIMIT 1) r
  CROSS JOIN (
    SELECT count(*) AS logins, count(l.session_at) AS confirmed,
      min(l.at) AS first_at, max(l.at) AS last_at,
      bool_or(l.first_time) AS first_time,
      bool_or(cardinality(l.sources) > 1) AS ambiguous
    FROM l) n
  WHERE a.tenant_id = p_tenant AND a.alert_id = p_movement
    AND a.kind = 'lateral-movement';
END $$;
