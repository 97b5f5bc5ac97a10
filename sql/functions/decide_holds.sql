-- Until when the verdict on an executable may be held, for each reason for
-- which it may be; null where there is none.
--
-- transaction: while its package is being changed, as long as what the agent
--   reports of its packages goes on changing (10 min), but not for more than an
--   hour, since whoever keeps changing that may keep the file as well;
-- part: until the package's value list comes, which a scan lost or one of the
--   ways by which the agent is seen does not tell;
-- file: until the path's own file is judged;
-- manifest: while the manifest of its version is being fetched, counted from
--   when that was asked for or from when the hold began. Nothing is waited for
--   once there was an answer.
CREATE OR REPLACE FUNCTION process_dna.decide_holds(
  r process_dna.observation, a process_dna.agents,
  i process_dna.package_inventory, y process_dna.manifest_requests,
  t process_dna.tenants)
RETURNS TABLE (transaction timestamptz, part timestamptz, file timestamptz,
  manifest timestamptz)
LANGUAGE sql IMMUTABLE AS $$
  SELECT least(a.packages_changed + interval '10 min',
               i.transaction_at + interval '1 hour',
               s.since + interval '1 hour'),
    s.since + greatest(interval '2 min',
                       least(2 * a.interval_s * interval '1 s',
                             interval '10 min')),
    s.since + interval '10 min',
    CASE WHEN r.manager = ANY (t.manifest_fetch) AND t.manifest_wait_s > 0
           AND y.answered_at IS NULL
      THEN least(greatest(y.requested_at, s.since), s.since + interval '1 hour')
           + least(t.manifest_wait_s, 1800) * interval '1 s' END
  FROM (SELECT coalesce(r.held_since, r.arrived_at) AS since) s
$$;
