-- The number of a tenant, or null if there is none of that name.
CREATE OR REPLACE FUNCTION process_dna.tenant_id(p_name text) RETURNS integer
LANGUAGE sql STABLE AS $$
  SELECT t.tenant_id FROM process_dna.tenants t WHERE t.name = p_name
$$;
