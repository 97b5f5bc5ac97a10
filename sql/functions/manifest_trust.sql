-- How much a provenance is worth: the greater the better.
CREATE OR REPLACE FUNCTION process_dna.manifest_trust(p_provenance text)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_position(ARRAY['file', 'signed-package', 'signed-index'],
                        p_provenance)
$$;
