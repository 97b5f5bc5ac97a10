-- Where the bracket whose inside begins at p_at is closed (bytes count from 0);
-- -1 if it is not. A ] that stands first, after a backslash or in [:class:]
-- closes nothing.
CREATE OR REPLACE FUNCTION process_dna.glob_bracket_end(
  p_bytes bytea, p_at integer)
RETURNS integer LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_len integer := octet_length(p_bytes);
  v_at integer := p_at;
  v_first integer;
  v_close integer;
BEGIN
  IF v_at < v_len AND chr(get_byte(p_bytes, v_at)) IN ('!', '^') THEN
    v_at := v_at + 1;
  END IF;
  v_first := v_at;
  WHILE v_at < v_len LOOP
    CASE chr(get_byte(p_bytes, v_at))
    WHEN ']' THEN
      IF v_at > v_first THEN
        RETURN v_at;
      END IF;
    WHEN '\' THEN
      v_at := v_at + 1;
    WHEN '[' THEN
      IF substring(p_bytes FROM v_at + 2 FOR 1) = '\x3a'::bytea THEN
        v_close := position('\x3a5d'::bytea IN substring(p_bytes
                                                         FROM v_at + 3));
        IF v_close > 0 THEN
          v_at := v_at + 2 + v_close;
        END IF;
      END IF;
    ELSE NULL;
    END CASE;
    v_at := v_at + 1;
  END LOOP;
  RETURN -1;
END $$;
