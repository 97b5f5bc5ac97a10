-- Take lines of sshd in: one call is one transaction. a_* have one element per
-- line: a_file is the number (from 1) of its file in f_*, null for a line from
-- the network or standard input; a_address the address that a login came from,
-- null if a_source, what was logged, is none; a_stamped the line's own stamp and
-- a_zoned whether that told its zone; a_again that the line may have been
-- written before, with the same a_arrived. f_* have one per run of lines of a
-- file: how far it is read then, and the version of what the caller saw there
-- last (auth_positions_of).
--
-- Gives for each file whether it was taken. One that was not is further by now,
-- or somewhere else, since another correlator follows it too: nothing of its
-- lines was written.
--
-- Texts that are too long are cut. What is not kept (a session that closed) is
-- left out; a session that began is noted with the login that it belongs to.
--
-- The stamp of a line is believed up to its arrival and lateral.max-skew before
-- that. What is older was written before it was read, if it comes from a file of
-- this host. Of the network it may be either that or a clock that is wrong, and
-- is the former if the stamp tells its zone and the host's scans are heard, which
-- are refused of a wrong clock.
--
-- Whoever writes a line again waits for all that write, since its own earlier
-- call may still be running on a connection that broke.
CREATE OR REPLACE FUNCTION process_dna.auth_ingest(
  p_tenant integer,
  a_file integer[], a_host text[], a_peer text[], a_trust text[],
  a_outcome text[], a_repeat integer[], a_method text[], a_user text[],
  a_user_known boolean[], a_address text[], a_source text[], a_port integer[],
  a_key_type text[], a_key text[], a_cert_id text[], a_extra text[],
  a_program text[], a_pid bigint[], a_stamped timestamptz[],
  a_zoned boolean[], a_arrived timestamptz[], a_again boolean[],
  f_follower text[], f_path text[], f_device bigint[], f_inode bigint[],
  f_head text[], f_position bigint[], f_version bigint[])
RETURNS TABLE (file integer, taken boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
SET plan_cache_mode = force_generic_plan -- planning takes longer than looking up
AS $$
#variable_conflict use_column
DECLARE
  v_tenant process_dna.tenants;
  v_taken boolean[];
  v_peers inet[];
  v_hosts record;
  v_sessions record;
  v_lines process_dna.auth_line[];
BEGIN
  IF true = ANY (a_again) THEN
    PERFORM pg_advisory_xact_lock(hashtext('process_dna.auth_ingest'),
                                  p_tenant);
  ELSE
    PERFORM pg_advisory_xact_lock_shared(hashtext('process_dna.auth_ingest'),
                                         p_tenant);
  END IF;
  v_taken := process_dna.auth_positions_take(p_tenant, f_follower, f_path,
    f_device, f_inode, f_head, f_position, f_version);

  SELECT * INTO v_tenant FROM process_dna.tenants t
    WHERE t.tenant_id = p_tenant;
  v_peers := process_dna.inet_array(a_peer);
  SELECT * INTO v_hosts FROM process_dna.auth_hosts(p_tenant,
    v_tenant.silent_s * interval '1 s', a_host, v_peers, a_trust, a_arrived);
  SELECT array_agg((coalesce(left(l.host, 255), ''), l.peer, t.trust,
           l.outcome, greatest(l.repeat, 1), nullif(left(l.method, 64), ''),
           coalesce(left(l.auth_user, 512), ''), coalesce(l.user_known, true),
           l.address,
           CASE WHEN l.address IS NULL OR l.source ~ '%'
             THEN nullif(left(l.source, 255), '') END,
           CASE WHEN l.port BETWEEN 0 AND 65535 THEN l.port END,
           nullif(left(l.key_type, 64), ''), nullif(left(l.key, 128), ''),
           nullif(left(l.cert_id, 1024), ''), nullif(left(l.extra, 1024), ''),
           nullif(left(l.program, 64), ''), CASE WHEN l.pid >= 0 THEN l.pid END,
           t.stamped, t.arrived, l.again, nullif(v_hosts.agents[l.h], 0),
           CASE
             WHEN t.stamped IS NULL OR t.stamped > t.arrived THEN t.arrived
             WHEN t.stamped >= t.arrived
                    - v_tenant.lateral_max_skew_s * interval '1 s'
               OR t.trust IN ('journal', 'file', 'stdin')
               OR l.zoned AND t.arrived <= v_hosts.heard[l.h] THEN t.stamped
             ELSE t.arrived END)::process_dna.auth_line ORDER BY l.n)
    INTO v_lines
    FROM unnest(v_hosts.hosts, a_file, a_host, v_peers, a_trust, a_outcome,
                a_repeat, a_method, a_user, a_user_known,
                process_dna.inet_array(a_address), a_source, a_port,
                a_key_type, a_key, a_cert_id, a_extra, a_program, a_pid,
                a_stamped, a_zoned, a_arrived, a_again) WITH ORDINALITY
      l (h, file, host, peer, trust, outcome, repeat, method, auth_user,
         user_known, address, source, port, key_type, key, cert_id, extra,
         program, pid, stamped, zoned, arrived, again, n)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN l.trust IN ('journal', 'tls', 'file', 'stdin', 'tcp')
               THEN l.trust ELSE 'udp' END,
             CASE WHEN isfinite(l.stamped) THEN l.stamped END,
             coalesce(l.arrived, now())) t (trust, stamped, arrived)
    WHERE (l.file IS NULL OR v_taken[l.file])
      AND l.outcome IN ('accepted', 'failed', 'partial', 'invalid_user',
        'not_allowed', 'max_attempts', 'root_refused', 'pam_failure',
        'session_opened', 'starting_session');
  v_lines := process_dna.auth_unwritten(p_tenant, v_lines);
  SELECT * INTO v_sessions FROM process_dna.auth_sessions_within(v_lines);
  PERFORM process_dna.auth_write(p_tenant,
    v_tenant.lateral_window_s * interval '1 s', v_lines, v_sessions.began);
  PERFORM process_dna.auth_sessions(p_tenant, v_sessions.others);
  RETURN QUERY SELECT n::integer, t
    FROM unnest(v_taken) WITH ORDINALITY u (t, n) ORDER BY n;
END $$;
