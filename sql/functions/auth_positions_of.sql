-- How far each file was read that this host follows.
CREATE OR REPLACE FUNCTION process_dna.auth_positions_of(
  p_tenant integer, p_follower text)
RETURNS TABLE (path text, device bigint, inode bigint, "position" bigint,
  head text, version bigint)
LANGUAGE sql STABLE AS $$
  SELECT p.path, p.device, p.inode, p.position, p.head, p.version
  FROM process_dna.auth_positions p
  WHERE p.tenant_id = p_tenant AND p.follower = p_follower
  ORDER BY p.path
$$;
