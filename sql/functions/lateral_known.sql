-- As lateral_steps, of the hops of a movement that were found before: their
-- logins may be gone from auth_events.
CREATE OR REPLACE FUNCTION process_dna.lateral_known(
  p_tenant integer, p_hops jsonb, p_from process_dna.lateral_hop,
  p_until timestamptz)
RETURNS SETOF process_dna.lateral_hop LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT p_from.to_agent, h."from", t.agent_id, h."to", p_from.depth + 1,
    h.at, h.at, NULL::bigint, h."user", h.method, h.key, h.address, h.port,
    h.trust, h.ambiguous
  FROM jsonb_to_recordset(p_hops) h ("from" text, "to" text, at timestamptz,
    "user" text, method text, key text, address inet, port integer,
    trust text, ambiguous boolean)
  LEFT JOIN LATERAL (
    SELECT i.agent_id FROM process_dna.agents i
    WHERE i.tenant_id = p_tenant AND i.name = h."to" LIMIT 1) t ON true
  WHERE h."from" = p_from.to_host
    AND h.at BETWEEN p_from.at AND p_until;
END $$;
