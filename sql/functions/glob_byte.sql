-- The regular expression for one byte of a path in an identity, which writes
-- some as %XX.
CREATE OR REPLACE FUNCTION process_dna.glob_byte(p_code integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN p_code <= 32 OR p_code > 126 OR chr(p_code) IN (':', '%', '"', '\')
      THEN '%' || upper(lpad(to_hex(p_code), 2, '0'))
    WHEN chr(p_code) ~ '[A-Za-z0-9/_-]' THEN chr(p_code)
    ELSE '\' || chr(p_code) END
$$;
