-- Texts as addresses (address_plain), null where one is none, or a network.
CREATE OR REPLACE FUNCTION process_dna.inet_array(p_texts text[])
RETURNS inet[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_text text;
  v_address inet;
  v_addresses inet[] := '{}';
BEGIN
  RETURN ARRAY(SELECT process_dna.address_plain(u.a)
               FROM unnest(p_texts::inet[]) WITH ORDINALITY u (a, n)
               ORDER BY u.n);
EXCEPTION WHEN invalid_text_representation THEN
  FOREACH v_text IN ARRAY p_texts LOOP
    BEGIN
      v_address := process_dna.address_plain(v_text::inet);
    EXCEPTION WHEN invalid_text_representation THEN
      v_address := NULL;
    END;
    v_addresses := v_addresses || v_address;
  END LOOP;
  RETURN v_addresses;
END $$;
