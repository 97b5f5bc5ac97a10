-- The hops of a movement, at most p_limit: its first one, and the logins that
-- lead on from each host that was reached, within the window after it was first
-- reached. Each host is there once, as it was first reached. What was found
-- before (p_known) is kept; all else follows from the logins, in whatever order
-- they came.
CREATE OR REPLACE FUNCTION process_dna.lateral_hops(
  p_tenant integer, p_first process_dna.lateral_hop, p_known jsonb,
  p_limit integer)
RETURNS process_dna.lateral_hop[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_depth_limit CONSTANT integer := 8;
  v_window interval := process_dna.lateral_window(p_tenant);
  v_hops process_dna.lateral_hop[] := '{}';
  v_open process_dna.lateral_hop[] := ARRAY[p_first];
  v_next process_dna.lateral_hop;
  v_hosts text[] := ARRAY[p_first.from_host];
  v_agents bigint[] := ARRAY[p_first.from_agent];
BEGIN
  LOOP
    SELECT o.* INTO v_next FROM unnest(v_open) o
      WHERE o.to_host <> ALL (v_hosts)
      ORDER BY o.at, o.arrived_at, o.event_id LIMIT 1;
    EXIT WHEN NOT FOUND;
    v_hops := v_hops || v_next;
    EXIT WHEN cardinality(v_hops) = p_limit;
    v_hosts := v_hosts || v_next.to_host;
    v_agents := v_agents || coalesce(v_next.to_agent, 0);
    v_open := ARRAY(
      SELECT o FROM unnest(v_open) o
      WHERE o.to_host <> ALL (v_hosts)
      ORDER BY o.at, o.arrived_at, o.event_id LIMIT p_limit);
    IF v_next.to_agent IS NOT NULL AND v_next.depth < v_depth_limit THEN
      v_open := v_open || ARRAY(
        SELECT s FROM process_dna.lateral_steps(p_tenant, v_next,
          v_next.at + v_window, v_agents) s
        UNION ALL
        SELECT k FROM process_dna.lateral_known(p_tenant, p_known,
          v_next, v_next.at + v_window) k);
    END IF;
  END LOOP;
  RETURN v_hops;
END $$;
