-- Techniques of ATT&CK, Enterprise, that an alert of this kind speaks of, with a
-- space between.
CREATE OR REPLACE FUNCTION process_dna.alert_mitre(p_kind text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE p_kind WHEN 'binary-changed' THEN 'T1036 T1554'
    WHEN 'lateral-movement' THEN 'T1078 T1036' ELSE '' END
$$;
