-- The agents that a login on p_target at p_at from p_address may have come
-- from; none where the target itself has that address. p_target is null for
-- one that is not known.
CREATE OR REPLACE FUNCTION process_dna.lateral_sources(
  p_tenant integer, p_address inet, p_target bigint, p_at timestamptz)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_agents bigint[] :=
    process_dna.agents_of_address(p_tenant, p_address, p_at);
BEGIN
  RETURN CASE WHEN p_target = ANY (v_agents) THEN '{}' ELSE v_agents END;
END $$;
