-- Can an address tell one host from others? Those of loopback, of a link, of
-- many hosts and of none can't.
CREATE OR REPLACE FUNCTION process_dna.address_distinctive(p_address inet)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE family(p_address)
    WHEN 4 THEN NOT (p_address <<= inet '127.0.0.0/8'
      OR p_address <<= inet '0.0.0.0/8' OR p_address <<= inet '169.254.0.0/16'
      OR p_address <<= inet '224.0.0.0/4' OR p_address <<= inet '240.0.0.0/4')
    ELSE NOT (p_address <<= inet '::/127' OR p_address <<= inet 'fe80::/10'
      OR p_address <<= inet 'ff00::/8') END
$$;
