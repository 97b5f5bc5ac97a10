-- Does an snmp-poll speak for another host already? One that names itself
-- otherwise from one day to the next (sysName is the host's own word) could
-- speak for a host that it is not.
CREATE OR REPLACE FUNCTION process_dna.poll_is_bound(
  p_tenant integer, p_poll text, p_host text)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM process_dna.agent_sources w
    JOIN process_dna.agents g
      ON g.tenant_id = w.tenant_id AND g.agent_id = w.agent_id
    WHERE w.tenant_id = p_tenant AND w.source = 'snmp' AND w.signer = p_poll
      AND g.name <> p_host AND g.retired_at IS NULL)
$$;
