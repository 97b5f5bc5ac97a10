-- A digest that still is the baseline when its package has another version
-- takes that version over, so that only a change of both counts as an update.
-- When it did is kept: of a file that changes a little later than its version
-- both changed all the same.
CREATE OR REPLACE FUNCTION process_dna.baselines_version(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(p_judged) j WHERE j.takes_version) THEN
    RETURN;
  END IF;
  UPDATE process_dna.baselines b
  SET manager = n.manager, package = n.package, version = n.version,
      arch = n.arch, version_at = n.arrived_at
  FROM (SELECT r.manager, r.package, r.version, r.arch, r.arrived_at, o.place
        FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
        CROSS JOIN LATERAL (
          SELECT j.ctid AS place FROM process_dna.baselines j
          WHERE j.tenant_id = p_tenant AND j.agent_id = r.agent_id
            AND j.container = r.container AND j.path = r.path
            AND j.until IS NULL AND j.sha256 = r.sha256
          LIMIT 1) o
        WHERE r.takes_version) n
  WHERE b.ctid = n.place;
END $$;
