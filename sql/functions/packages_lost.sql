-- Packages of executables that changed or are gone: those that the scans, with
-- these executables, do not report while a path of theirs has another owner or
-- none become former ones. One of which merely nothing runs any more stays.
CREATE OR REPLACE FUNCTION process_dna.packages_lost(
  p_tenant integer, p_lost process_dna.inventory_key[],
  p_rows process_dna.observation[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  IF p_lost IS NULL THEN
    RETURN;
  END IF;
  UPDATE process_dna.package_inventory i
  SET until = greatest(g.last_observed, i.since + interval '1 microsecond')
  FROM unnest(p_lost) l
  CROSS JOIN LATERAL (
    SELECT o.ctid AS place FROM process_dna.package_inventory o
    WHERE o.tenant_id = p_tenant AND o.agent_id = l.agent_id
      AND o.container = l.container AND o.manager = l.manager
      AND o.package = l.package AND o.arch = l.arch AND o.until IS NULL
    LIMIT 1) p
  CROSS JOIN LATERAL (
    SELECT o.last_observed FROM process_dna.agents o
    WHERE o.tenant_id = p_tenant AND o.agent_id = l.agent_id LIMIT 1) g
  WHERE i.ctid = p.place
    AND EXISTS (
      SELECT FROM unnest(p_rows) r
      WHERE r.agent_id = l.agent_id AND r.container = l.container
        AND r.path = l.path)
    AND NOT EXISTS (
      SELECT FROM unnest(p_rows) r
      WHERE r.agent_id = l.agent_id AND r.container = l.container
        AND r.manager = l.manager AND r.package = l.package
        AND r.arch = l.arch);
END $$;
