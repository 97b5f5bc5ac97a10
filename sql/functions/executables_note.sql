-- Compare scans with what their agents ran so far. Gives the executables that
-- have to be judged: new ones, those that changed, and those whose last verdict
-- is not settled. What a complete scan no longer has was last seen in the scan
-- before, unless another way by which its agent is seen has it; what a way does
-- not tell (the file's facts, a name, packages) is kept from another. changed
-- are the agents where something came or went. A package that no longer owns
-- what it owned, and nothing else that runs, becomes a former one.
CREATE OR REPLACE FUNCTION process_dna.executables_note(
  p_tenant integer, p_scans process_dna.scan[],
  p_rows process_dna.observation[],
  OUT rows process_dna.observation[], OUT changed bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_agents bigint[];
  v_gone tid[];
  v_mute bigint[];
  v_lost process_dna.inventory_key[];
BEGIN
  SELECT array_agg(s.agent_id) INTO v_agents FROM unnest(p_scans) s;
  v_mute := process_dna.packages_mute(p_tenant, p_scans, p_rows)
    || process_dna.late_scans(p_tenant, p_scans);
  WITH came AS MATERIALIZED (
    SELECT DISTINCT ON (r.agent_id, r.container, r.path, r.sha256, r.state) r.*,
      r.whole AND r.agent_id <> ALL (v_mute) AS owned
    FROM unnest(p_rows) r
    ORDER BY r.agent_id, r.container, r.path, r.sha256, r.state,
      coalesce(r.reason, '') = 'pending', r.pid
  ), known AS MATERIALIZED (
    SELECT x.* FROM unnest(v_agents) a (agent_id)
    CROSS JOIN LATERAL (
      SELECT *, i.ctid AS place FROM process_dna.executables i
      WHERE i.tenant_id = p_tenant AND i.agent_id = a.agent_id
      OFFSET 0) x
  ), delta AS (
    SELECT k.place, k.agent_id AS known, c.agent_id AS came,
      coalesce(c.agent_id, k.agent_id) AS agent_id,
      k.last_seen IS NULL AS was_there,
      CASE WHEN k.package <> '' THEN (k.agent_id, k.container, k.manager,
        k.package, k.arch, k.path)::process_dna.inventory_key END AS owner,
      (c.agent_id, c.container, c.path, c.sha256, c.state, c.reason,
       coalesce(nullif(c.name, ''), k.name, ''),
       c.pid, c.uid, c.started_at, c.processes, c.rss,
       coalesce(c.file_size, k.file_size), coalesce(c.file_mode, k.file_mode),
       coalesce(c.file_owner, k.file_owner),
       coalesce(c.file_mtime, k.file_mtime),
       coalesce(c.file_ctime, k.file_ctime),
       coalesce(c.manager, p.manager, ''), coalesce(c.package, p.package, ''),
       coalesce(c.version, p.version, ''), coalesce(c.arch, p.arch, ''),
       coalesce(c.in_transaction, false),
       c.owned OR c.package IS NOT NULL
         OR c.whole AND coalesce(k.whole, false),
       coalesce(k.first_seen, c.first_seen),
       NULL,
       CASE WHEN c.state <> 'unreadable' THEN 0
         ELSE coalesce(k.unreadable_scans, 0)
              + (c.reason <> 'pending')::integer END,
       k.held_since, coalesce(k.acknowledged, false),
       c.observed_at, c.arrived_at)::process_dna.observation AS observed
    FROM came c
    FULL JOIN known k
      ON k.agent_id = c.agent_id AND k.container = c.container
      AND k.path = c.path AND k.sha256 = c.sha256 AND k.state = c.state
    -- An incomplete scan does not take an executable's package away, nor does
    -- one that never tells of any.
    LEFT JOIN LATERAL (SELECT k.manager, k.package, k.version, k.arch
                       WHERE NOT c.owned AND c.package IS NULL) p ON true
    WHERE k.agent_id IS NULL
      OR c.agent_id IS NULL AND k.last_seen IS NULL
      OR c.agent_id IS NOT NULL AND (
        NOT k.settled OR k.last_seen IS NOT NULL
        OR c.pid <> k.pid OR c.uid <> k.uid
        OR c.name <> k.name AND c.name <> ''
        -- The start is computed from the time of boot, which trembles.
        OR abs(extract(epoch FROM c.started_at - k.started_at)) > 2
        OR c.reason IS DISTINCT FROM k.reason
        OR (c.package IS NOT NULL OR c.owned)
           AND (coalesce(c.manager, ''), coalesce(c.package, ''),
                coalesce(c.version, ''), coalesce(c.arch, ''))
               <> (k.manager, k.package, k.version, k.arch)
        OR c.owned AND NOT k.whole
        OR c.file_size IS NOT NULL
           AND (c.file_size, c.file_mode, c.file_owner, c.file_mtime,
                c.file_ctime)
               IS DISTINCT FROM (k.file_size, k.file_mode, k.file_owner,
                                 k.file_mtime, k.file_ctime))
  )
  SELECT array_agg(d.observed) FILTER (WHERE d.came IS NOT NULL),
         array_agg(d.place) FILTER (WHERE d.came IS NULL AND s.complete),
         coalesce(array_agg(DISTINCT d.agent_id)
           FILTER (WHERE d.known IS NULL OR NOT d.was_there
                   OR d.came IS NULL AND s.complete), '{}'),
         array_agg(DISTINCT d.owner)
           FILTER (WHERE d.owner IS NOT NULL AND s.complete
                     AND s.agent_id <> ALL (v_mute))
    INTO rows, v_gone, changed, v_lost
    FROM delta d JOIN unnest(p_scans) s ON s.agent_id = d.agent_id
    WHERE d.came IS NOT NULL
      OR NOT process_dna.seen_otherwise(p_tenant, s.source,
                                        s.arrived_at, d.place);

  PERFORM process_dna.packages_lost(p_tenant, v_lost, p_rows);
  -- By place, which nobody else can change while the agent is locked. A held
  -- verdict still has to come, even if what it is about is gone.
  UPDATE process_dna.executables x
  SET last_seen = (
        SELECT greatest(x.first_seen, coalesce(s.previous, s.observed_at))
        FROM unnest(p_scans) s WHERE s.agent_id = x.agent_id),
      unreadable_scans = 0, acknowledged = false,
      settled = coalesce(x.verdict, '') <> 'held'
  WHERE x.ctid = ANY (v_gone);
END $$;
