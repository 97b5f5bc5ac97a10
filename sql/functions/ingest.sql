-- Take scans in: one call is one transaction. s_* have one element per scan,
-- e_* one per executable and a_* one per address of them, with the number of
-- the scan (from 1) in e_scan and a_scan; paths are identities, times of the
-- host are s_observed, s_boot, e_started, e_mtime and e_ctime. Null may be:
-- s_host_id, s_boot, s_signer (unsigned), s_interval, e_sha256 (unreadable),
-- e_reason, e_started, the file's facts and the package.
--
-- Gives for each scan its agent and the outcome:
--   judged
--   duplicate     as old as the agent's last scan: another correlator has it
--   replayed      older than that, and the host has not booted since
--   wrong-signer  the host is bound to another user or snmp-poll, or that poll
--                 to another host
--   retired
-- and whether an equal scan may be dropped unseen: nothing is held or counts
-- up, and no open alert wants to know that it is still there.
--
-- Each way by which an agent is seen has scans and a signer of its own. Unknown
-- hosts become agents, bound to the first user that signs for them unless that
-- is a relay; one that a poll names which is bound to another host becomes
-- none, and its scan has no agent. Of an incomplete scan nothing is concluded
-- from what is missing. Safe to run in several sessions at once: agents are locked in the
-- order of their numbers before anything of them is read or written.
--
-- Sequential scans are off here and below: the tables begin empty and grow
-- faster than they are analyzed, and a plan that was made for an empty table
-- would read all of a large one.
CREATE OR REPLACE FUNCTION process_dna.ingest(
  p_tenant integer,
  s_host text[], s_host_id text[], s_boot timestamptz[], s_signer text[],
  s_relayed boolean[], s_source text[], s_observed timestamptz[],
  s_arrived timestamptz[], s_sequence bigint[], s_interval integer[],
  s_complete boolean[],
  e_scan integer[], e_container text[], e_path text[], e_sha256 text[],
  e_state smallint[], e_reason text[], e_processes bigint[], e_rss bigint[],
  e_pid integer[], e_uid bigint[], e_started timestamptz[], e_name text[],
  e_size bigint[], e_mode integer[], e_owner bigint[], e_mtime timestamptz[],
  e_ctime timestamptz[], e_manager text[], e_package text[], e_version text[],
  e_arch text[], e_transaction boolean[],
  a_scan integer[], a_address text[])
RETURNS TABLE (scan integer, agent_id bigint, outcome text, settled boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_turns integer[];
  v_strays boolean[];
  v_all process_dna.scan[] := '{}';
  v_scans process_dna.scan[];
  v_rows process_dna.observation[];
  v_agents bigint[];
  v_changed bigint[] := '{}';
  v_requests process_dna.package_key[] := '{}';
  v_judged record;
BEGIN
  -- Does a poll name another host than in its first scan here?
  SELECT array_agg(u.host <> u.first AND u.source = 'snmp' ORDER BY u.n)
    INTO v_strays
    FROM (SELECT *, first_value(host) OVER (PARTITION BY source, signer
                                            ORDER BY n)
          FROM unnest(s_host, s_source, s_signer) WITH ORDINALITY
            s (host, source, signer, n)) u (host, source, signer, n, first);
  PERFORM process_dna.agents_enrol(p_tenant, array_agg(s.host),
                                   array_agg(s.arrived))
    FROM unnest(s_host, s_arrived, s_source, s_signer, v_strays)
      s (host, arrived, source, signer, stray)
    WHERE NOT (s.source = 'snmp'
               AND (s.stray
                    OR process_dna.poll_is_bound(p_tenant, s.signer, s.host)));
  PERFORM FROM process_dna.agents a
    WHERE a.tenant_id = p_tenant AND a.name = ANY (s_host)
    ORDER BY a.agent_id
    FOR NO KEY UPDATE;

  -- Scans of one host that come together are judged one after the other.
  SELECT array_agg(u.turn ORDER BY u.n) INTO v_turns
    FROM (SELECT n, row_number() OVER (PARTITION BY host ORDER BY n)
          FROM unnest(s_host) WITH ORDINALITY s (host, n)) u (n, turn);
  FOR v_turn IN 1 .. coalesce((SELECT max(t) FROM unnest(v_turns) t), 0) LOOP
    SELECT array_agg((s.n, g.agent_id, CASE
               WHEN g.agent_id IS NULL THEN 'wrong-signer' -- not enrolled
               WHEN g.retired_at IS NOT NULL THEN 'retired'
               WHEN NOT s.relayed AND w.signer IS NOT NULL
                 AND s.signer IS DISTINCT FROM w.signer THEN 'wrong-signer'
               WHEN s.source = 'snmp' AND w.signer IS NULL AND (s.stray
                 OR process_dna.poll_is_bound(p_tenant, s.signer, s.host))
                 THEN 'wrong-signer'
               WHEN w.last_observed IS NULL OR s.observed > w.last_observed
                 -- The time of boot is a difference of clocks and trembles.
                 OR s.boot > w.boot + interval '5 s' THEN 'judged'
               WHEN s.observed = w.last_observed THEN 'duplicate'
               ELSE 'replayed' END,
             s.host_id, s.boot, s.signer, s.relayed, s.source, s.observed,
             s.arrived, s.sequence, s.interval_s, s.complete,
             g.last_observed)::process_dna.scan)
      INTO v_scans
      FROM unnest(s_host, s_host_id, s_boot, s_signer, s_relayed, s_source,
                  s_observed, s_arrived, s_sequence, s_interval, s_complete,
                  v_turns, v_strays) WITH ORDINALITY
        AS s (host, host_id, boot, signer, relayed, source, observed, arrived,
              sequence, interval_s, complete, turn, stray, n)
      LEFT JOIN LATERAL (
        SELECT * FROM process_dna.agents i
        WHERE i.tenant_id = p_tenant AND i.name = s.host LIMIT 1) g ON true
      LEFT JOIN LATERAL (
        SELECT * FROM process_dna.agent_sources i
        WHERE i.tenant_id = p_tenant AND i.agent_id = g.agent_id
          AND i.source = s.source LIMIT 1) w ON true
      WHERE s.turn = v_turn;
    v_all := v_all || v_scans;
    SELECT array_agg(s), array_agg(s.agent_id) INTO v_scans, v_agents
      FROM unnest(v_scans) s WHERE s.outcome = 'judged';
    CONTINUE WHEN v_scans IS NULL;

    PERFORM process_dna.agents_heard(p_tenant, v_scans);
    PERFORM process_dna.addresses_note(p_tenant, v_scans, a_scan, a_address);
    SELECT array_agg((s.agent_id, e.container, e.path, coalesce(e.sha256, ''),
             (ARRAY['current', 'replaced', 'deleted', 'anonymous', 'spoofed',
                    'unreadable', 'superseded'])[e.state],
             e.reason, e.name, e.pid, e.uid, e.started, e.processes, e.rss,
             e.size, e.mode, e.owner, e.mtime, e.ctime,
             e.manager, e.package, e.version, e.arch, e.transaction,
             s.complete, s.observed_at, NULL, 0, NULL, false,
             s.observed_at, s.arrived_at)::process_dna.observation)
      INTO v_rows
      FROM unnest(e_scan, e_container, e_path, e_sha256, e_state, e_reason,
                  e_processes, e_rss, e_pid, e_uid, e_started, e_name, e_size,
                  e_mode, e_owner, e_mtime, e_ctime, e_manager, e_package,
                  e_version, e_arch, e_transaction)
        AS e (scan, container, path, sha256, state, reason, processes, rss,
              pid, uid, started, name, size, mode, owner, mtime, ctime,
              manager, package, version, arch, transaction)
      JOIN unnest(v_scans) s ON s.n = e.scan;
    PERFORM process_dna.packages_note(p_tenant, v_scans, v_rows);

    PERFORM process_dna.executables_seen(p_tenant, v_scans, v_rows);
    SELECT * INTO v_judged
      FROM process_dna.executables_note(p_tenant, v_scans, v_rows);
    v_changed := v_changed || v_judged.changed;
    SELECT * INTO v_judged
      FROM process_dna.judge(p_tenant, v_judged.rows, true);
    v_changed := v_changed || v_judged.changed
      || process_dna.alerts_resolve(p_tenant,
           (SELECT array_agg(s.agent_id) FROM unnest(v_scans) s
            WHERE s.complete));
    v_requests := v_requests || v_judged.requests;
  END LOOP;

  PERFORM process_dna.manifests_request(p_tenant, v_requests);
  PERFORM process_dna.agents_changed(p_tenant, v_changed);
  RETURN QUERY
  SELECT s.n, s.agent_id, s.outcome,
         s.outcome IN ('judged', 'duplicate') AND s.complete AND NOT EXISTS (
           SELECT FROM process_dna.executables x
           WHERE x.tenant_id = p_tenant AND x.agent_id = s.agent_id
             AND NOT x.settled AND x.last_seen IS NULL)
  FROM unnest(v_all) s
  ORDER BY s.n;
END $$;
