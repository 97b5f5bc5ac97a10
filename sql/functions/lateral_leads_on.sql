-- Whether hops tell of more than a login on a host that is in order.
CREATE OR REPLACE FUNCTION process_dna.lateral_leads_on(p_hops jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_array_length(p_hops) > 1
         OR coalesce(jsonb_typeof(p_hops->0->'changed') = 'object', false)
$$;
