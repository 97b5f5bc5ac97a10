-- Write executables with their verdicts.
CREATE OR REPLACE FUNCTION process_dna.executables_write(
  p_tenant integer, p_rows process_dna.observation[],
  p_judged process_dna.judgement[])
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.executables AS x
    (tenant_id, agent_id, container, path, sha256, state, reason, name, pid,
     uid, started_at, processes, rss, file_size, file_mode, file_owner,
     file_mtime, file_ctime, manager, package, version, arch, whole,
     first_seen, last_seen, unreadable_scans, verdict, held_since,
     held_until, acknowledged, settled)
  SELECT p_tenant, r.agent_id, r.container, r.path, r.sha256, r.state,
         r.reason, r.name, r.pid, r.uid, r.started_at, r.processes, r.rss,
         r.file_size, r.file_mode, r.file_owner, r.file_mtime, r.file_ctime,
         r.manager, r.package, r.version, r.arch, r.whole,
         r.first_seen, r.last_seen, r.unreadable_scans, r.verdict,
         CASE WHEN r.verdict = 'held'
           THEN coalesce(r.held_since, r.arrived_at) END,
         r.held_until,
         r.acknowledged,
         -- A new binary is its path's baseline already. When a transaction
         -- ends, the baseline takes the package's version over.
         coalesce(r.verdict, '') <> 'held' AND NOT r.again
           AND r.in_transaction IS NOT true
           AND (r.severity IS NULL OR r.verdict = 'new-binary')
           AND NOT (r.state = 'unreadable' AND r.reason <> 'pending'
                    AND r.unreadable_scans < 3)
  FROM ROWS FROM (unnest(p_rows), unnest(p_judged)) AS r
  ORDER BY r.agent_id, r.container, r.path, r.sha256, r.state
  ON CONFLICT (tenant_id, agent_id, container, path, sha256, state) DO UPDATE
  SET reason = excluded.reason, name = excluded.name, pid = excluded.pid,
      uid = excluded.uid, started_at = excluded.started_at,
      processes = excluded.processes, rss = excluded.rss,
      file_size = excluded.file_size, file_mode = excluded.file_mode,
      file_owner = excluded.file_owner, file_mtime = excluded.file_mtime,
      file_ctime = excluded.file_ctime, manager = excluded.manager,
      package = excluded.package, version = excluded.version,
      arch = excluded.arch, whole = excluded.whole,
      last_seen = excluded.last_seen,
      unreadable_scans = excluded.unreadable_scans,
      verdict = excluded.verdict, held_since = excluded.held_since,
      held_until = excluded.held_until,
      acknowledged = excluded.acknowledged, settled = excluded.settled
$$;
