-- The inside of a bracket as a condition that a regular expression puts before
-- the byte: ahead is one of these, or none of them after ! or ^. Null if it has
-- what is not supported.
CREATE OR REPLACE FUNCTION process_dna.glob_bracket(p_inside bytea)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_len integer := octet_length(p_inside);
  v_not boolean := chr(get_byte(p_inside, 0)) IN ('!', '^');
  v_at integer := v_not::integer;
  v_from integer;
  v_to integer;
  v_class text;
  v_codes integer[] := '{}';
BEGIN
  WHILE v_at < v_len LOOP
    v_class := substring(encode(substring(p_inside FROM v_at + 1), 'escape')
                         FROM '^\[:([a-z]+):\]');
    IF v_class IN ('alnum', 'alpha', 'blank', 'cntrl', 'digit', 'graph',
                   'lower', 'print', 'punct', 'space', 'upper', 'xdigit') THEN
      v_codes := v_codes || ARRAY(
        SELECT c FROM generate_series(1, 127) c
        WHERE chr(c) COLLATE "C" ~ ('[[:' || v_class || ':]]'));
      v_at := v_at + length(v_class) + 4;
      CONTINUE;
    END IF;
    IF encode(substring(p_inside FROM v_at + 1 FOR 2), 'escape')
       IN ('[:', '[.', '[=') THEN
      RETURN NULL;
    ELSIF get_byte(p_inside, v_at) = ascii('\') AND v_at + 1 < v_len THEN
      v_at := v_at + 1;
    END IF;
    v_from := get_byte(p_inside, v_at);
    v_to := v_from;
    v_at := v_at + 1;
    IF v_at + 1 < v_len AND get_byte(p_inside, v_at) = ascii('-') THEN
      v_at := v_at + 1;
      IF get_byte(p_inside, v_at) = ascii('\') AND v_at + 1 < v_len THEN
        v_at := v_at + 1;
      END IF;
      v_to := get_byte(p_inside, v_at);
      v_at := v_at + 1;
    END IF;
    v_codes := v_codes || ARRAY(SELECT generate_series(v_from, v_to));
  END LOOP;
  RETURN CASE WHEN v_not THEN '(?!' ELSE '(?=' END
    || coalesce((SELECT string_agg(process_dna.glob_byte(c), '|' ORDER BY c)
                 FROM (SELECT DISTINCT unnest(v_codes)) u (c)
                 WHERE c <> 0),
                '/') -- none: no byte that may follow is a slash
    || ')';
END $$;
