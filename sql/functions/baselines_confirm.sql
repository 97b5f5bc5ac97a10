-- A manifest lists the digest of a baseline that was trusted for less: it is
-- graded so now, with an event.
CREATE OR REPLACE FUNCTION process_dna.baselines_confirm(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(p_judged) j WHERE j.confirms) THEN
    RETURN;
  END IF;
  WITH confirmed AS (
    UPDATE process_dna.baselines b
    SET grade = 'manifest', package_id = c.package_id
    FROM (SELECT DISTINCT ON (r.agent_id, r.container, r.path)
            r.package_id, o.place
          FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
          CROSS JOIN LATERAL (
            SELECT i.ctid AS place FROM process_dna.baselines i
            WHERE i.tenant_id = p_tenant AND i.agent_id = r.agent_id
              AND i.container = r.container AND i.path = r.path
              AND i.until IS NULL AND i.sha256 = r.sha256
              AND i.grade NOT IN ('manifest', 'accepted')
            LIMIT 1) o
          WHERE r.confirms
          ORDER BY r.agent_id, r.container, r.path) c
    WHERE b.ctid = c.place
    RETURNING b.*
  )
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, container, path, old_value, new_value, why)
  SELECT p_tenant, c.agent_id, 'confirmed', c.container, c.path, c.sha256,
         c.sha256, process_dna.manifest_title(p_tenant, c.package_id)
  FROM confirmed c;
END $$;
