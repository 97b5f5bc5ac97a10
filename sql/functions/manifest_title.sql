-- A manifest in words, for events: what it is of, what vouches for it, and
-- where it came from. Null for none.
CREATE OR REPLACE FUNCTION process_dna.manifest_title(
  p_tenant integer, p_id integer)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT left(CASE m.package WHEN '' THEN 'release'
      ELSE 'manifest of ' || m.package || ' ' || m.version
           || coalesce(':' || nullif(m.arch, ''), '') END
    || ' (' || m.provenance || coalesce(', ' || nullif(m.origin, ''), '')
    || ')',
    1024)
  FROM process_dna.manifest_packages m
  WHERE m.tenant_id = p_tenant AND m.package_id = p_id
$$;
