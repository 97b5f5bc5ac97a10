-- A text as part of a line for people: control characters, and those that
-- reorder a line, are written \xNN or \uNNNN. (In SQL it would be parsed and
-- planned in each statement that calls it.)
CREATE OR REPLACE FUNCTION process_dna.printable(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF p_text !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]'
  THEN
    RETURN p_text;
  END IF;
  RETURN (
    SELECT string_agg(CASE
        WHEN ascii(c) < 32 OR ascii(c) BETWEEN 127 AND 159
          THEN '\x' || lpad(to_hex(ascii(c)), 2, '0')
        WHEN c ~ '[\u200e\u200f\u2028-\u202e\u2066-\u2069]'
          THEN '\u' || lpad(to_hex(ascii(c)), 4, '0')
        ELSE c END, '' ORDER BY i)
    FROM regexp_split_to_table(p_text, '') WITH ORDINALITY u (c, i));
END $$;
