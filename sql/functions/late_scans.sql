-- Agents whose scan tells of a time before the last one of another way since the
-- same boot (clocks differ a little): what it says of packages is not news.
CREATE OR REPLACE FUNCTION process_dna.late_scans(
  p_tenant integer, p_scans process_dna.scan[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT s.agent_id FROM unnest(p_scans) s
    WHERE (SELECT true FROM process_dna.agent_sources w
           WHERE w.tenant_id = p_tenant AND w.agent_id = s.agent_id
             AND w.source <> s.source AND w.last_observed > s.observed_at
             AND coalesce(abs(extract(epoch FROM w.boot - s.boot)) < 60, true)
           LIMIT 1));
END $$;
