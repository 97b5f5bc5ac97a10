-- Is the executable at a place, which a scan by p_source does not have, there
-- by what another way saw in its last scan? A way that had been silent, when the
-- scan arrived, for as long as makes an agent silent counts no more.
CREATE OR REPLACE FUNCTION process_dna.seen_otherwise(
  p_tenant integer, p_source text, p_arrived timestamptz, p_place tid)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM process_dna.executables x
    JOIN process_dna.executable_sources e
      ON e.tenant_id = p_tenant AND e.agent_id = x.agent_id
      AND e.source <> p_source AND e.container = x.container
      AND e.path = x.path AND e.sha256 = x.sha256 AND e.state = x.state
    JOIN process_dna.agent_sources w
      ON w.tenant_id = p_tenant AND w.agent_id = x.agent_id
      AND w.source = e.source
    JOIN process_dna.tenants t ON t.tenant_id = p_tenant
    WHERE x.ctid = p_place AND x.tenant_id = p_tenant
      AND w.last_arrived > p_arrived
          - greatest(3 * w.interval_s, t.silent_s) * interval '1 s')
$$;
