-- How far a login and an unexplained change may lie apart to belong together.
CREATE OR REPLACE FUNCTION process_dna.lateral_window(p_tenant integer)
RETURNS interval LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT t.lateral_window_s * interval '1 s'
          FROM process_dna.tenants t WHERE t.tenant_id = p_tenant);
END $$;
