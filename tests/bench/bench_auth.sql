-- How many lines of sshd process_dna.auth_ingest takes a second, in batches of
-- 1000 from a thousand known hosts, beside a bare insert of the same rows into a
-- table with the indexes of auth_events; with 90 partitions, and 300,000
-- events in them before the first batch. Prints "name value unit" lines, medians
-- of the batches, each with its commit:
--   logins     all Accepted, over the network
--   sessions   half of them session lines of the other half
--   failures   none of them a login
--   unknown    logins on hosts that are no agents
--   file       logins from a followed file, with its position
\set QUIET on
\pset tuples_only on
\pset format unaligned
\set ON_ERROR_STOP on

CREATE SCHEMA bench_auth;
CREATE TABLE bench_auth.results (name text, seconds double precision);

SELECT process_dna.configure_tenant('bench-auth', 180, 86400, 0, 'critical',
  '{}') AS tenant \gset
INSERT INTO process_dna.agents
  (tenant_id, name, first_seen, learning_since, last_arrived)
SELECT :tenant, 'host-' || h || '.example', now(), now(), now()
FROM generate_series(1, 1000) h;
INSERT INTO process_dna.agent_addresses
  (tenant_id, agent_id, address, source, first_seen)
SELECT :tenant, agent_id, inet '10.0.0.0' + row_number() OVER (ORDER BY agent_id),
  'collectd', now() - interval '100 days'
FROM process_dna.agents WHERE tenant_id = :tenant;
SELECT process_dna.auth_partition_make(current_date - d)
FROM generate_series(-3, 86) d \g /dev/null

CREATE TABLE bench_auth.bare (LIKE process_dna.auth_events INCLUDING ALL);
INSERT INTO process_dna.auth_events
  (tenant_id, arrived_at, target_agent_id, log_host, log_peer, trust, outcome,
   method, auth_user, user_known, src_ip, src_port, key_type, key_fingerprint,
   program, pid, repeat, stamped_at, observed_at)
SELECT :tenant, a, i % 1000, format('host-%s.example', i % 1000 + 1),
  inet '10.0.0.0' + i % 1000, 'tls',
  CASE i % 2 WHEN 0 THEN 'accepted' ELSE 'failed' END, 'publickey',
  'user-' || i % 100, true, inet '10.0.0.0' + i % 997, i % 60000, 'ED25519',
  'SHA256:' || repeat('x', 43), 'sshd', i % 30000, 1, a, a
FROM generate_series(1, 300000) i,
  LATERAL (SELECT now() - i * interval '25 s') s (a);

CREATE TABLE bench_auth.batches AS
SELECT n, kind,
  array_agg(CASE kind WHEN 'file' THEN 1 END) AS file,
  array_agg(CASE kind WHEN 'unknown' THEN 'other-' || i
    ELSE format('host-%s.example', i % 1000 + 1) END) AS host,
  array_agg(CASE WHEN kind <> 'file' THEN '10.1.' || i / 250 || '.' || i % 250
    END) AS peer,
  array_agg(CASE kind WHEN 'file' THEN 'file' ELSE 'tls' END) AS trust,
  array_agg(CASE WHEN kind = 'failures' THEN 'failed'
    WHEN kind = 'sessions' AND i % 2 = 1 THEN 'session_opened'
    ELSE 'accepted' END) AS outcome,
  array_agg(1) AS repeat,
  array_agg('publickey'::text) AS method,
  array_agg('user-' || i / 2 % 100) AS auth_user,
  array_agg(true) AS flag,
  array_agg(CASE WHEN kind <> 'sessions' OR i % 2 = 0
    THEN '10.0.' || i / 250 || '.' || i % 250 + 1 END) AS address,
  array_agg(i + 1024) AS port,
  array_agg('ED25519'::text) AS key_type,
  array_agg('SHA256:' || left(md5(i::text) || md5(n::text), 43)) AS key,
  array_agg(NULL::text) AS none,
  array_agg('sshd'::text) AS program,
  array_agg((n * 1000 + i / 2)::bigint) AS pid,
  array_agg(now() + (n * 1000 + i - 1) * interval '1 ms') AS stamped,
  array_agg(now() + (n * 1000 + i) * interval '1 ms') AS arrived,
  array_agg(false) AS again
FROM generate_series(1, 40) n, generate_series(0, 999) i,
  unnest('{logins,sessions,failures,unknown,file}'::text[]) kind
GROUP BY n, kind
ORDER BY n, kind;
-- A session is logged by the host and process of its login.
UPDATE bench_auth.batches SET host = ARRAY(
  SELECT host[i - (i - 1) % 2] FROM generate_series(1, 1000) i)
WHERE kind = 'sessions';

CREATE FUNCTION bench_auth.ingest(p_tenant integer, b bench_auth.batches)
RETURNS SETOF boolean LANGUAGE sql AS $$
  SELECT i.taken
  FROM (SELECT array_agg('/var/log/auth.log'::text) AS name,
          array_agg(1::bigint) AS number, array_agg(b.n - 1::bigint) AS version
        WHERE b.kind = 'file') f,
  process_dna.auth_ingest(p_tenant, b.file, b.host, b.peer, b.trust, b.outcome,
    b.repeat, b.method, b.auth_user, b.flag, b.address, b.none, b.port,
    b.key_type, b.key, b.none, b.none, b.program, b.pid, b.stamped, b.flag,
    b.arrived, b.again, f.name, f.name, f.number, f.number, f.name, f.number,
    f.version) i
$$;

CREATE FUNCTION bench_auth.insert_bare(p_tenant integer, b bench_auth.batches)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO bench_auth.bare
    (tenant_id, arrived_at, target_agent_id, log_host, log_peer, trust, outcome,
     method, auth_user, user_known, src_ip, src_port, src_agents, key_type,
     key_fingerprint, program, pid, repeat, stamped_at, observed_at)
  SELECT p_tenant, l.arrived, 1, l.host, l.peer::inet, l.trust, l.outcome,
    l.method, l.auth_user, true, l.address::inet, l.port, '{1}', l.key_type,
    l.key, l.program, l.pid, l.repeat, l.stamped, l.stamped
  FROM unnest(b.host, b.peer, b.trust, b.outcome, b.repeat, b.method,
              b.auth_user, b.address, b.port, b.key_type, b.key, b.program,
              b.pid, b.stamped, b.arrived)
    l (host, peer, trust, outcome, repeat, method, auth_user, address, port,
       key_type, key, program, pid, stamped, arrived)
$$;

CREATE PROCEDURE bench_auth.run(p_tenant integer) LANGUAGE plpgsql AS $$
DECLARE
  v_batch bench_auth.batches;
  v_start timestamptz;
BEGIN
  FOR v_batch IN SELECT * FROM bench_auth.batches b ORDER BY b.n, b.kind LOOP
    v_start := clock_timestamp();
    PERFORM bench_auth.ingest(p_tenant, v_batch);
    COMMIT;
    INSERT INTO bench_auth.results VALUES ('auth_' || v_batch.kind,
      extract(epoch FROM clock_timestamp() - v_start));
    COMMIT;
    CONTINUE WHEN v_batch.kind <> 'logins';
    v_start := clock_timestamp();
    PERFORM bench_auth.insert_bare(p_tenant, v_batch);
    COMMIT;
    INSERT INTO bench_auth.results VALUES ('auth_bare_insert',
      extract(epoch FROM clock_timestamp() - v_start));
    COMMIT;
  END LOOP;
END $$;

CALL bench_auth.run(:tenant);
SELECT name, round((1000 / percentile_cont(0.5) WITHIN GROUP
                      (ORDER BY seconds))::numeric), 'lines/s'
FROM bench_auth.results GROUP BY name ORDER BY name
\g (format=unaligned fieldsep=' ')
