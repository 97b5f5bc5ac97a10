-- The path that a file has where /bin, /sbin and /lib are links into /usr, as
-- manifests name it: a host from before that merge says /bin/x.
CREATE OR REPLACE FUNCTION process_dna.identity_merge_usr(p_path text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN p_path ~ '^/(bin|sbin|lib|lib32|lib64|libx32|libo32)/'
    THEN '/usr' || p_path ELSE p_path END
$$;
