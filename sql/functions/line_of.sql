-- A line of at most 1024 octets, printable; three dots where it was cut.
CREATE OR REPLACE FUNCTION process_dna.line_of(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_line text := process_dna.printable(p_text);
BEGIN
  RETURN CASE
    WHEN octet_length(v_line) <= 1024 THEN v_line
    WHEN octet_length(left(v_line, 1021)) <= 1021
      THEN left(v_line, 1021) || '...'
    -- A character has at most 4 octets.
    ELSE left(v_line, 255) || '...' END;
END $$;
