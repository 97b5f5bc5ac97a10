-- Note the addresses that agents have now: new ones are added, and what a
-- complete scan no longer has was last seen in the scan before. Addresses that
-- another way found, or that somebody added by hand, stay.
CREATE OR REPLACE FUNCTION process_dna.addresses_note(
  p_tenant integer, p_scans process_dna.scan[], a_scan integer[],
  a_address text[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_changed bigint[];
  v_found bigint[];
BEGIN
  WITH has AS MATERIALIZED (
    SELECT DISTINCT s.agent_id,
      process_dna.address_plain(u.address::inet) AS address, s.source,
      s.observed_at
    FROM unnest(a_scan, a_address) u (scan, address)
    JOIN unnest(p_scans) s ON s.n = u.scan
  ), lost AS (
    UPDATE process_dna.agent_addresses d
    SET last_seen = greatest(d.first_seen, coalesce(s.previous, s.observed_at))
    FROM unnest(p_scans) s
    CROSS JOIN LATERAL (
      SELECT i.ctid AS place, i.address FROM process_dna.agent_addresses i
      WHERE i.tenant_id = p_tenant AND i.agent_id = s.agent_id
        AND i.last_seen IS NULL AND i.source = s.source
      OFFSET 0) o
    WHERE s.complete AND d.ctid = o.place
      AND NOT EXISTS (SELECT FROM has h WHERE h.agent_id = s.agent_id
                        AND h.address = o.address)
    RETURNING d.agent_id
  ), found AS (
    INSERT INTO process_dna.agent_addresses
      (tenant_id, agent_id, address, source, first_seen)
    SELECT p_tenant, h.agent_id, h.address, h.source, h.observed_at
    FROM has h
    WHERE (SELECT true FROM process_dna.agent_addresses d
           WHERE d.tenant_id = p_tenant AND d.agent_id = h.agent_id
             AND d.address = h.address AND d.last_seen IS NULL
           LIMIT 1) IS NULL
    ORDER BY h.agent_id, h.address
    ON CONFLICT DO NOTHING
    RETURNING agent_id
  )
  SELECT array_agg(u.agent_id), array_agg(u.agent_id) FILTER (WHERE u.has)
    INTO v_changed, v_found
  FROM (SELECT c.agent_id, bool_or(c.has) AS has
        FROM (SELECT agent_id, false AS has FROM lost
              UNION ALL SELECT agent_id, true FROM found) c
        GROUP BY c.agent_id) u;
  PERFORM process_dna.agents_known_as(p_tenant, v_found);
  IF v_changed IS NOT NULL THEN
    PERFORM process_dna.agents_choose_ip(p_tenant, v_changed);
    -- What one way lost another may still have, whose scans are dropped as
    -- long as they equal the last one.
    PERFORM process_dna.agents_changed(p_tenant, (
      SELECT array_agg(w.agent_id) FROM process_dna.agent_sources w
      JOIN unnest(p_scans) s
        ON s.agent_id = w.agent_id AND s.source <> w.source
      WHERE w.tenant_id = p_tenant AND w.agent_id = ANY (v_changed)));
  END IF;
END $$;
