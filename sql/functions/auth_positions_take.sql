-- Write how far files were read, each of which the caller last saw at a version
-- (0: never); gives for each whether it still was, which is a matter of whoever
-- comes first. A file may be there several times, from one version to the next.
CREATE OR REPLACE FUNCTION process_dna.auth_positions_take(
  p_tenant integer, f_follower text[], f_path text[], f_device bigint[],
  f_inode bigint[], f_head text[], f_position bigint[], f_version bigint[])
RETURNS boolean[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_file record;
  v_taken boolean[] := array_fill(false,
    ARRAY[coalesce(cardinality(f_path), 0)]);
BEGIN
  -- In the order of the keys, as two sessions would lock each other out else.
  FOR v_file IN
    SELECT * FROM unnest(f_follower, f_path, f_device, f_inode, f_head,
                         f_position, f_version) WITH ORDINALITY
      f (follower, path, device, inode, head, "position", version, n)
    ORDER BY f.follower COLLATE "C", f.path COLLATE "C", f.n
  LOOP
    IF v_file.version = 0 THEN
      INSERT INTO process_dna.auth_positions
        (tenant_id, follower, path, device, inode, position, head, version)
      VALUES (p_tenant, v_file.follower, v_file.path, v_file.device,
        v_file.inode, v_file.position, v_file.head, 1)
      ON CONFLICT DO NOTHING;
    ELSE
      UPDATE process_dna.auth_positions p
      SET device = v_file.device, inode = v_file.inode,
          position = v_file.position, head = v_file.head,
          version = p.version + 1, updated_at = now()
      WHERE p.tenant_id = p_tenant AND p.follower = v_file.follower
        AND p.path = v_file.path AND p.version = v_file.version;
    END IF;
    v_taken[v_file.n] := FOUND;
  END LOOP;
  RETURN v_taken;
END $$;
