-- Take up to p_limit package versions whose manifests these managers' fetchers
-- have to fetch, for p_lease_s seconds: nobody else gets them before that or
-- manifest_request_done. What nobody waits for any more is forgotten: it is
-- asked for once in the day after the request, and not again.
--
-- Agents take turns, so that one that makes up thousands of versions does not
-- keep the others waiting: first what is the first in the queue of any agent
-- that has it, then what is the second, and so on. Of an update of the whole
-- fleet some agents are enough to know.
--
-- waited_us is for how long it has been due: indexes that are newer have it, or
-- nobody has.
CREATE OR REPLACE FUNCTION process_dna.manifest_requests_take(
  p_tenant integer, p_managers text[], p_limit integer, p_lease_s integer,
  p_by text)
RETURNS TABLE (manager text, package text, version text, arch text,
  waited_us bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_agent_limit constant integer := 16;
BEGIN
  -- Imported while it was being asked for.
  UPDATE process_dna.manifest_requests q
  SET state = 'found', answered_at = coalesce(q.answered_at, now())
  WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
    AND q.state <> 'found' AND q.due_at <= now()
    AND (SELECT true FROM process_dna.manifest_packages m
         WHERE m.tenant_id = p_tenant
           AND (m.manager, m.package, m.version, m.arch)
               = (q.manager, q.package, q.version, q.arch)
         LIMIT 1);
  DELETE FROM process_dna.manifest_requests q
  WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
    AND q.state <> 'found' AND q.due_at <= now()
    AND (q.attempts > 0 OR q.requested_at < now() - interval '1 day')
    AND NOT process_dna.manifest_wanted(p_tenant, q.manager, q.package,
                                        q.version, q.arch);
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT q.ctid AS place, q.attempts, q.due_at, a.agent_id
    FROM process_dna.manifest_requests q
    LEFT JOIN LATERAL (
      SELECT i.agent_id FROM process_dna.package_inventory i
      WHERE i.package || ' ' || i.version = q.package || ' ' || q.version
        AND i.tenant_id = p_tenant AND i.until IS NULL
        AND i.manager = q.manager AND i.arch = q.arch
      LIMIT v_agent_limit) a ON true
    WHERE q.tenant_id = p_tenant AND q.manager = ANY (p_managers)
      AND q.state <> 'found' AND q.due_at <= now()
  ), turns AS MATERIALIZED (
    SELECT u.place, min(u.turn) AS turn
    FROM (SELECT place, row_number() OVER (PARTITION BY agent_id
                                           ORDER BY attempts, due_at, place)
          FROM asked) u (place, turn)
    GROUP BY u.place
  ), due AS MATERIALIZED (
    SELECT q.ctid AS place, q.due_at
    FROM turns t
    JOIN process_dna.manifest_requests q ON q.ctid = t.place
    WHERE q.state <> 'found' AND q.due_at <= now()
    ORDER BY t.turn, q.attempts, q.due_at
    LIMIT p_limit
    FOR NO KEY UPDATE OF q SKIP LOCKED
  )
  UPDATE process_dna.manifest_requests q
  SET state = 'running', due_at = now() + p_lease_s * interval '1 s',
      leased_by = left(p_by, 255), attempts = q.attempts + 1
  FROM due d
  WHERE q.ctid = d.place
  RETURNING q.manager, q.package, q.version, q.arch,
    (1000000 * extract(epoch FROM clock_timestamp() - d.due_at))::bigint;
END $$;
