-- An address as addresses are compared, IPv4 in IPv6 as IPv4; null for a
-- network.
CREATE OR REPLACE FUNCTION process_dna.address_plain(p_address inet)
RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN masklen(p_address) <> CASE family(p_address) WHEN 4 THEN 32 ELSE 128
           END THEN NULL
    WHEN p_address <<= inet '::ffff:0.0.0.0/96'
      THEN inet '0.0.0.0' + (p_address - inet '::ffff:0.0.0.0')
    ELSE p_address END
$$;
