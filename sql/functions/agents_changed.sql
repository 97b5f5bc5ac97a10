-- Tell all correlators that what they remember of these agents no longer
-- holds, when this transaction commits: process_dna_baselines, with the
-- numbers of tenant and agent. The sender's own connection hears it as well.
CREATE OR REPLACE FUNCTION process_dna.agents_changed(
  p_tenant integer, p_agents bigint[])
RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('process_dna_baselines', p_tenant || ' ' || u.agent_id)
  FROM (SELECT DISTINCT unnest(p_agents)) u (agent_id)
$$;
