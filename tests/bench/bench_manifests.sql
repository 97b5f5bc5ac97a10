-- How long verdicts take beside a store of ten million digests: 20,000 packages
-- in ten versions of 50 files each, 1000 releases of 100 files that hold at a
-- pattern. A batch is 1000 executables of ten hosts, of packages anywhere in
-- the store. Prints "name value unit" lines, medians of the batches:
--   manifests_listed   of an update that the manifest lists
--   manifests_other    of a digest that it does not list
--   manifests_release  of a digest that a release has
--   manifests_ingest   the first of them taken in with ingest, and committed
--   manifests_cpu      CPU time of the backend for one of the first three, mean
\set QUIET on
\pset tuples_only on
\pset format unaligned
\set ON_ERROR_STOP on

CREATE SCHEMA bench;
SELECT process_dna.configure_tenant('bench', 180, 86400, 0, 'critical', '{}')
  AS tenant \gset
CREATE FUNCTION bench.digest(p_what text) RETURNS bytea LANGUAGE sql IMMUTABLE
AS $$ SELECT sha256(p_what::bytea) $$;

-- Straight into the tables, in the order of their keys.
SET session_replication_role = replica;
SELECT clock_timestamp() AS begun \gset
INSERT INTO process_dna.manifest_packages
  (tenant_id, package_id, manager, package, version, arch, content_sha256,
   provenance, origin, added_by, files)
OVERRIDING SYSTEM VALUE
SELECT :tenant, p * 10 + v, 'dpkg', 'package-' || p, '1.' || v || '-1', 'amd64',
  bench.digest(p || ' ' || v), 'signed-index', 'deb.example.org', 'bench', 50
FROM generate_series(0, 19999) p, generate_series(0, 9) v;
INSERT INTO process_dna.manifest_packages
  (tenant_id, package_id, manager, package, version, arch, content_sha256,
   provenance, origin, added_by, path_glob, files)
OVERRIDING SYSTEM VALUE
SELECT :tenant, 1000000 + r, '', '', '', '', bench.digest('release ' || r),
  'file', 'release-' || r, 'bench', '/srv/app/*/bin/*', 100
FROM generate_series(0, 999) r;
INSERT INTO process_dna.manifest_paths (tenant_id, path_id, path)
OVERRIDING SYSTEM VALUE
SELECT :tenant, p * 50 + f, '/usr/lib/package-' || p || '/program-' || f
FROM generate_series(0, 19999) p, generate_series(0, 49) f;
INSERT INTO process_dna.manifest_digests
  (tenant_id, path_id, package_id, conffile, release, digest)
SELECT :tenant, p * 50 + f, p * 10 + v, false, false,
  bench.digest(p * 500 + f * 10 + v || '')
FROM generate_series(0, 19999) p, generate_series(0, 49) f,
  generate_series(0, 9) v;
INSERT INTO process_dna.manifest_digests
  (tenant_id, path_id, package_id, conffile, release, digest)
SELECT :tenant, f, 1000000 + r, false, true,
  bench.digest('release ' || r || ' ' || f)
FROM generate_series(0, 99) f, generate_series(0, 999) r;
SET session_replication_role = DEFAULT;
VACUUM ANALYZE process_dna.manifest_packages, process_dna.manifest_paths,
  process_dna.manifest_digests;
SELECT 'manifests_load', round(extract(epoch FROM clock_timestamp()
                                       - :'begun'::timestamptz)), 's'
\g (format=unaligned fieldsep=' ')

-- Ten batches of observations of each kind, and one to begin with.
CREATE TABLE bench.batches AS
SELECT n, kind, array_agg(1 + i % 10) AS scan,
  array_agg(CASE kind WHEN 'release' THEN '/srv/app/' || n || '/bin/' || i
    ELSE '/usr/lib/package-' || p || '/program-' || f END) AS path,
  array_agg(encode(CASE kind
    WHEN 'listed' THEN bench.digest(p * 500 + f * 10 + v || '')
    WHEN 'other' THEN bench.digest('other ' || p)
    ELSE bench.digest('release ' || p % 1000 || ' ' || f) END, 'hex'))
    AS sha256,
  array_agg(CASE kind WHEN 'release' THEN '' ELSE 'dpkg' END) AS manager,
  array_agg(CASE kind WHEN 'release' THEN '' ELSE 'package-' || p END)
    AS package,
  array_agg(CASE kind WHEN 'release' THEN '' ELSE '1.' || v || '-1' END)
    AS version,
  array_agg(CASE kind WHEN 'release' THEN '' ELSE 'amd64' END) AS arch
FROM generate_series(1, 11) n,
  (VALUES ('listed'), ('other'), ('release')) k (kind),
  generate_series(0, 999) i,
  LATERAL (SELECT (i + n * 1500) * 7919 % 20000, (i + n) % 50, (i * 3 + n) % 10)
    s (p, f, v)
GROUP BY n, kind;
CREATE TABLE bench.results (name text, ms double precision);

CREATE FUNCTION bench.ingest(
  p_tenant integer, b bench.batches)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM (SELECT array_agg('host-' || h) AS host,
      array_agg(NULL::text) AS id, array_agg(NULL::timestamptz) AS boot,
      array_agg('user'::text) AS signer, array_agg(false) AS relayed,
      array_agg('collectd'::text) AS source,
      array_agg(clock_timestamp()) AS arrived, array_agg(1::bigint) AS sequence,
      array_agg(60) AS interval_s, array_agg(true) AS complete
    FROM generate_series(1, 10) h) s,
  (SELECT array_agg(''::text) AS text, array_agg(1::smallint) AS state,
      array_agg(NULL::text) AS none, array_agg(1::bigint) AS long,
      array_agg(1) AS int, array_agg(NULL::timestamptz) AS never,
      array_agg(false) AS no FROM generate_series(1, 1000)) c,
  process_dna.ingest(p_tenant, host, id, boot, signer, relayed, source,
    s.arrived, s.arrived, sequence, interval_s, complete,
    b.scan, c.text, b.path, b.sha256, c.state, c.none, c.long, c.long, c.int,
    c.long, c.never, c.text, c.long, c.int, c.long, c.never, c.never,
    b.manager, b.package, b.version, b.arch, c.no, '{}', '{}')
$$;

-- CPU time of this backend so far, in ticks of 10 ms.
CREATE FUNCTION bench.cpu() RETURNS integer LANGUAGE sql AS $$
  SELECT s[14]::integer + s[15]::integer
  FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') s
$$;

CREATE PROCEDURE bench.run(p_tenant integer) LANGUAGE plpgsql AS $$
DECLARE
  v_batch bench.batches;
  v_rows process_dna.observation[];
  v_start timestamptz;
  v_cpu integer;
  v_verdicts text;
BEGIN
  FOR v_batch IN SELECT * FROM bench.batches b ORDER BY b.n, b.kind LOOP
    SELECT array_agg((g.agent_id, '', u.path, u.sha256, 'current', NULL, 'x', 1,
        0, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, u.manager, u.package,
        u.version, u.arch, false, true, now(), NULL, 0, NULL, false, now(),
        now())::process_dna.observation)
      INTO v_rows
      FROM unnest(v_batch.scan, v_batch.path, v_batch.sha256, v_batch.manager,
                  v_batch.package, v_batch.version, v_batch.arch)
        u (scan, path, sha256, manager, package, version, arch)
      JOIN process_dna.agents g
        ON g.tenant_id = p_tenant AND g.name = 'host-' || u.scan;
    COMMIT;
    v_start := clock_timestamp();
    v_cpu := bench.cpu();
    SELECT string_agg(DISTINCT (d.judged).verdict, ' ') INTO v_verdicts
      FROM process_dna.decide(p_tenant, v_rows) d;
    INSERT INTO bench.results VALUES ('manifests_' || v_batch.kind,
      1000 * extract(epoch FROM clock_timestamp() - v_start));
    INSERT INTO bench.results VALUES ('cpu', 10 * (bench.cpu() - v_cpu));
    COMMIT;
    IF v_verdicts <> (CASE v_batch.kind WHEN 'other' THEN 'not-in-manifest'
                        ELSE 'manifest' END) THEN
      RAISE 'verdicts on %: %', v_batch.kind, v_verdicts;
    END IF;
    IF v_batch.kind = 'listed' THEN
      v_start := clock_timestamp();
      PERFORM bench.ingest(p_tenant, v_batch);
      COMMIT;
      INSERT INTO bench.results VALUES ('manifests_ingest',
        1000 * extract(epoch FROM clock_timestamp() - v_start));
      COMMIT;
    END IF;
  END LOOP;
END $$;

-- The hosts, before they are asked about.
SELECT bench.ingest(:tenant, b) FROM bench.batches b
WHERE b.kind = 'listed' AND b.n = 11 \g /dev/null
DELETE FROM bench.batches WHERE n = 11;
CALL bench.run(:tenant);
SELECT name, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric,
                   1), 'ms'
FROM bench.results WHERE name <> 'cpu' GROUP BY name ORDER BY name
\g (format=unaligned fieldsep=' ')
SELECT 'manifests_cpu', round(avg(ms)::numeric, 1), 'ms'
FROM bench.results WHERE name = 'cpu'
\g (format=unaligned fieldsep=' ')
SELECT 'manifests_rows', count(*), 'rows' FROM process_dna.manifest_digests
\g (format=unaligned fieldsep=' ')
SELECT 'manifests_mib', sum(pg_total_relation_size(t::regclass)) / 1048576,
  'MiB'
FROM unnest('{process_dna.manifest_packages,process_dna.manifest_paths,
              process_dna.manifest_digests}'::text[]) t
\g (format=unaligned fieldsep=' ')
