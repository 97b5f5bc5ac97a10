-- An fnmatch(3) pattern with FNM_PATHNAME, in the C locale, as a regular
-- expression for identities, in which a byte is a character or %XX: * and ? and
-- brackets match no slash, \x is x, and an unclosed bracket is a [. A pattern
-- that can match nothing (it ends in a backslash) or whose bracket is none of
-- ours (an unknown class, collating symbols) gives null.
CREATE OR REPLACE FUNCTION process_dna.glob_regex(p_glob text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_byte CONSTANT text := '(?:%[0-9A-F]{2}|[^/%])';
  v_bytes bytea := convert_to(p_glob, 'UTF8');
  v_len integer := octet_length(v_bytes);
  v_regex text := '^';
  v_at integer := 0;
  v_end integer;
  v_code integer;
BEGIN
  WHILE v_at < v_len LOOP
    v_code := get_byte(v_bytes, v_at);
    v_at := v_at + 1;
    CASE chr(v_code)
    WHEN '*' THEN
      IF right(v_regex, 5) <> '[^/]*' THEN
        v_regex := v_regex || '[^/]*';
      END IF;
    WHEN '?' THEN
      v_regex := v_regex || v_byte;
    WHEN '[' THEN
      v_end := process_dna.glob_bracket_end(v_bytes, v_at);
      IF v_end < 0 THEN
        v_regex := v_regex || '\[';
      ELSE
        v_regex := v_regex
          || process_dna.glob_bracket(substring(v_bytes FROM v_at + 1
                                                FOR v_end - v_at))
          || v_byte;
        v_at := v_end + 1;
      END IF;
    ELSE
      IF v_code = ascii('\') THEN
        IF v_at = v_len THEN
          RETURN NULL;
        END IF;
        v_code := get_byte(v_bytes, v_at);
        v_at := v_at + 1;
      END IF;
      v_regex := v_regex || process_dna.glob_byte(v_code);
    END CASE;
  END LOOP;
  RETURN v_regex || '$';
END $$;
