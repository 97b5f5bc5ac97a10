-- Goal: manifests are kept once, whole, with what vouches for them; a release
-- holds where and as long as it says; a request lives from its lease to its
-- answer, and no longer than somebody waits.
BEGIN;
SELECT plan(56);
SELECT test.tenant() AS t \gset

-- A package with these files: PATH=DIGIT, with a ! for a conffile.
CREATE FUNCTION pg_temp.add(
  p_t integer, p_package text, p_content text, p_files text[],
  provenance text DEFAULT 'file', glob text DEFAULT NULL,
  expires timestamptz DEFAULT NULL, origin text DEFAULT 'n.deb')
RETURNS text LANGUAGE sql AS $$
  SELECT process_dna.manifest_add(p_t,
    CASE p_package WHEN '' THEN '' ELSE 'dpkg' END,
    split_part(p_package, '=', 1), split_part(p_package, '=', 2),
    CASE p_package WHEN '' THEN '' ELSE 'amd64' END, test.digest(p_content),
    provenance, origin, 'me@host', glob, expires,
    array_agg(split_part(f, '=', 1)),
    array_agg(test.digest(left(split_part(f, '=', 2), 1))),
    array_agg(right(f, 1) = '!'))
  FROM unnest(p_files) f
$$;

SELECT is(process_dna.manifest_known(:t, test.digest('1'), 'file'), false,
  'a package is not known');
SELECT is(pg_temp.add(:t, 'n=1', '1', '{/bin/p=a,/etc/q=b!,/etc/q=b}'), 'added',
  'it is added');
SELECT results_eq(format($$SELECT path COLLATE "default", left(sha256, 1),
      conffile, provenance COLLATE "default", origin, added_by
    FROM process_dna.manifests WHERE tenant_id = %s ORDER BY path$$, :t),
  $$VALUES ('/etc/q', 'b', true, 'file', 'n.deb', 'me@host'),
      ('/usr/bin/p', 'a', false, 'file', 'n.deb', 'me@host')$$,
  'with its files, of which one is a conffile');
SELECT is(pg_temp.add(:t, 'n=1', '1', '{/bin/p=a,/etc/q=b!}'), 'known',
  'once only');
SELECT is((SELECT count(*)::integer FROM process_dna.manifests
    WHERE tenant_id = :t), 2, 'so that nothing is there twice');
SELECT is((SELECT max(package_id) FROM process_dna.manifest_packages)::bigint,
  pg_sequence_last_value(pg_get_serial_sequence(
    'process_dna.manifest_packages', 'package_id')::regclass),
  'and no number is spent');
SELECT is(ARRAY[process_dna.manifest_known(:t, test.digest('1'), 'file'),
    process_dna.manifest_known(:t, test.digest('1'), 'signed-index'),
    process_dna.manifest_known(:t + 1, test.digest('1'), 'file')],
  ARRAY[true, false, false], 'it is known now, to its tenant, as what it is');
SELECT is(pg_temp.add(:t, 'n=1', '1', '{/bin/p=a,/etc/q=b!}', 'signed-index',
    origin => 'deb.example.org'), 'raised', 'a better provenance counts');
SELECT is(pg_temp.add(:t, 'n=1', '1', '{/bin/p=a,/etc/q=b!}',
    'signed-package'), 'known', 'a worse one does not');
SELECT results_eq(format($$SELECT manager, package, version, arch, provenance,
      origin, added_by, path_glob, expires_at, files
    FROM process_dna.list_manifests(%s, 'n')$$, :t),
  $$VALUES ('dpkg', 'n', '1', 'amd64', 'signed-index', 'deb.example.org',
      'me@host', NULL::text, NULL::timestamptz, 2)$$, 'and is listed');
SELECT is(pg_temp.add(:t, 'n=1', '2', '{/bin/p=c}'), 'added',
  'another file of the same version is another manifest');
SELECT is((SELECT count(*)::integer FROM process_dna.list_manifests(:t, NULL)),
  2, 'of which both are listed');
SELECT is((SELECT max(path_id) FROM process_dna.manifest_paths)::bigint,
  pg_sequence_last_value(pg_get_serial_sequence(
    'process_dna.manifest_paths', 'path_id')::regclass),
  'their paths are there once');
SELECT is((SELECT count(*)::integer FROM process_dna.list_manifests(:t, 'm')),
  0, 'by name');
SELECT test.scan(:t, h, 0, ARRAY[
    test.exe('/bin/p', d, package => 'dpkg:n=1:amd64')])
  FROM (VALUES ('h', 'a'), ('i', 'c'), ('j', 'd')) v (h, d);
SELECT is(test.open(:t), ARRAY['j /bin/p d not-in-manifest critical'],
  'and either explains its files');
SELECT throws_ok(format($$SELECT pg_temp.add(%s, 'n=1', '3', '{/p=a}',
    'hearsay')$$, :t), '23514', NULL, 'an unknown provenance is refused');
SELECT throws_ok(format($$SELECT pg_temp.add(%s, 'n=1', '3', '{/p=x}')$$, :t),
  NULL, NULL, 'and what is no digest');
SELECT throws_ok(format($$SELECT pg_temp.add(%s, 'n=1', '3', '{/p=a}',
    glob => '/*')$$, :t), '23514', NULL, 'a package has no pattern');
SELECT is((SELECT count(*)::integer FROM process_dna.list_manifests(:t, NULL)),
  2, 'nothing is left of those');

-- Releases
SELECT test.tenant('releases') AS t \gset
SELECT pg_temp.add(:t, '', '1', '{/opt/app=b}');
SELECT pg_temp.add(:t, '', '1', '{/opt/app=c}', glob => '/bin/v*/app');
SELECT pg_temp.add(:t, '', '2', '{/opt/app=d}',
  expires => now() + interval '1 hour');
SELECT test.scan(:t, 'h', 1430, ARRAY(
  SELECT test.exe(path, 'a') FROM unnest('{/opt/app,/usr/bin/v1/app,
    /bin/v2/app,/usr/bin/v3/x/app,/opt/other,/opt/late,/opt/past}'::text[])
  path));
CREATE FUNCTION pg_temp.deploy(p_t integer, p_minute integer, p_files text[])
RETURNS text[] LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY(
    SELECT test.exe(split_part(f, '=', 1), split_part(f, '=', 2))
    FROM unnest(p_files) f));
  SELECT test.open(p_t)
$$;
SELECT is(pg_temp.deploy(:t, 1431, '{/opt/app=b}'), '{}',
  'a release is silent at its path');
SELECT is(pg_temp.deploy(:t, 1432, '{/opt/app=d}'), '{}',
  'the next one as well');
SELECT is(test.baseline(:t, '/opt/app'), 'd manifest',
  'which takes the place of the first');
SELECT is(pg_temp.deploy(:t, 1433, '{/usr/bin/v1/app=c,/bin/v2/app=c}'), '{}',
  'one with a pattern at all paths that match');
SELECT is(pg_temp.deploy(:t, 1434, '{/opt/other=b,/usr/bin/v3/x/app=c}'),
  ARRAY['h /opt/other b no-known-update critical',
        'h /usr/bin/v3/x/app c no-known-update critical'], 'and at no others');
SELECT process_dna.accept(:t, alert_id, 'me', 'x')
  FROM process_dna.list_alerts(:t, false, false);
SELECT pg_temp.add(:t, '', '3', '{/opt/past=e}',
  expires => now() - interval '1 min');
SELECT is(pg_temp.deploy(:t, 1440, '{/opt/past=e,/opt/app=d}'),
  ARRAY['h /opt/past e no-known-update critical'],
  'an expired one explains nothing new');
SELECT is(pg_temp.add(:t, '', '3', '{/opt/past=e}'), 'raised',
  'until it comes again without an end');
SELECT test.heard(:t);
SELECT is(test.work(:t) || test.open(:t)::text, '1 0 0{}',
  'which closes the alert');
SELECT is(pg_temp.add(:t, '', '3', '{/opt/past=e}', expires => now()), 'known',
  'an earlier end is none');
UPDATE process_dna.manifest_packages SET expires_at = now() - interval '1 day'
WHERE tenant_id = :t AND content_sha256 = decode(test.digest('2'), 'hex');
SELECT is(pg_temp.deploy(:t, 1441, '{/opt/app=d}'), '{}',
  'what became the baseline stays when its release expires');
SELECT is((SELECT string_agg(why, ', ' ORDER BY event_id)
    FROM process_dna.agent_events WHERE tenant_id = :t
      AND event = 'rebaselined' AND path = '/opt/app'),
  'release (file, n.deb), release (file, n.deb)', 'events name the release');
SELECT test.tenant('confirmed') AS t \gset
SELECT test.scan(:t, h, 1430, ARRAY[test.exe('/opt/app', 'a')])
  FROM unnest('{h,i}'::text[]) h;
SELECT pg_temp.add(:t, '', '1', '{/x=a}', glob => '/opt/*');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(ARRAY(SELECT grade FROM process_dna.baselines WHERE tenant_id = :t),
  ARRAY['manifest', 'manifest'],
  'a release that comes after the first use confirms it');

-- Requests
SELECT test.tenant('requests') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg,rpm}'
WHERE tenant_id = :t;
SELECT test.scan(:t, 'h', 1430, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'a', package => 'rpm:m=1:noarch')]);
SELECT test.scan(:t, 'h', 1431, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'b', package => 'rpm:m=2:noarch')]);
CREATE FUNCTION pg_temp.take(p_t integer, p_managers text[] DEFAULT '{dpkg}')
RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', manager, package, version, arch), ', ')
  FROM process_dna.manifest_requests_take(p_t, p_managers, 10, 60, 'me')
$$;
CREATE FUNCTION pg_temp.done(p_t integer, p_outcome text) RETURNS text
LANGUAGE sql AS $$
  SELECT process_dna.manifest_request_done(p_t, 'dpkg', 'n', '2', 'amd64',
    p_outcome, CASE p_outcome WHEN 'failed' THEN 'no route' END);
  SELECT concat_ws(' ', state, error,
    extract(epoch FROM due_at - now())::integer)
  FROM process_dna.list_manifest_requests(p_t) WHERE package = 'n'
$$;
SELECT is(pg_temp.take(:t), 'dpkg n 2 amd64',
  'what is waited for is taken by who fetches for its manager');
SELECT is((SELECT concat_ws(' ', state, leased_by, attempts)
    FROM process_dna.list_manifest_requests(:t) WHERE package = 'n'),
  'running me 1', 'and leased');
SELECT is(pg_temp.take(:t), NULL, 'nobody else gets it');
SELECT test.later(:t, 2);
SELECT is(pg_temp.take(:t), 'dpkg n 2 amd64', 'until the lease has ended');
SELECT is(pg_temp.done(:t, 'failed'), 'failed no route 60',
  'no answer is a pause');
SELECT is(pg_temp.take(:t), NULL, 'before it is asked again');
SELECT is(test.verdict(:t, '/p', 'b'), 'held', 'the verdict waits on');
SELECT test.later(:t, 1);
SELECT is(pg_temp.take(:t, '{dpkg,rpm}'), 'rpm m 2 noarch, dpkg n 2 amd64',
  'new requests come before old ones');
SELECT is(pg_temp.done(:t, 'failed'), 'failed no route 120', 'pauses grow');
UPDATE process_dna.manifest_requests SET attempts = 1000 WHERE tenant_id = :t;
SELECT is(pg_temp.done(:t, 'failed'), 'failed no route 3600', 'up to an hour');
SELECT is(pg_temp.done(:t, 'none'), 'none 86400',
  'there is none: asked again a day later at the latest');
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 1', 'which ends the hold');
SELECT test.later(:t, 1441);
SELECT is(pg_temp.take(:t), 'dpkg n 2 amd64',
  'it is asked again while an alert wants it');
SELECT test.scan(:t, 'h', 1432, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'b', package => 'rpm:m=2:noarch')]);
SELECT is(test.verdict(:t, '/p', 'b'), 'unverified-update',
  'without holding anything again');
SELECT is(pg_temp.add(:t, 'n=2', '2', '{/p=b}', 'signed-index'), 'added',
  'when it is there after all');
SELECT is(pg_temp.done(:t, 'none'), 'found 60',
  'no later answer takes that back');
SELECT test.heard(:t);
SELECT is(test.work(:t), '1 0 0', 'and the alert is closed');
SELECT test.later(:t, 2880);
SELECT is(pg_temp.take(:t), NULL, 'what was found is not asked for');

-- Many versions that one host makes up keep no other waiting.
SELECT test.tenant('crowd') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
CREATE FUNCTION pg_temp.update_all(p_t integer, p_host text, p_name text,
                                   p_number integer)
RETURNS void LANGUAGE sql AS $$
  SELECT test.scan(p_t, p_host, m, (SELECT array_agg(
    test.exe('/' || n, CASE m WHEN 1430 THEN 'a' ELSE 'b' END,
             package => 'dpkg:' || p_name || n || '=' || m || ':amd64'))
    FROM generate_series(1, p_number) n))
  FROM generate_series(1430, 1431) m
$$;
SELECT pg_temp.update_all(:t, 'crowd', 'made-up', 100);
SELECT test.later(:t, 1);
SELECT pg_temp.update_all(:t, 'one', 'true', 1);
SELECT pg_temp.update_all(:t, 'two', 'true', 2);
SELECT is(ARRAY(SELECT package FROM process_dna.manifest_requests_take(:t,
    '{dpkg}', 4, 60, 'me') WHERE package LIKE 'true%' ORDER BY package),
  '{true1,true2}', 'hosts take turns');
UPDATE process_dna.manifest_requests SET due_at = now()
WHERE tenant_id = :t AND package LIKE 'true%';
SELECT is(ARRAY(SELECT package FROM process_dna.manifest_requests_take(:t,
    '{dpkg}', 4, 60, 'me') WHERE package LIKE 'true%' ORDER BY package),
  '{true1,true2}', 'also where they were asked for before');
SELECT cmp_ok((SELECT min(waited_us) FROM
    process_dna.manifest_requests_take(:t, '{dpkg}', 3, 60, 'me')),
  '>=', 60000000::bigint, 'and how long it waits is told');
-- What nobody waits for
SELECT process_dna.accept(:t, alert_id, 'me', 'x')
  FROM process_dna.list_alerts(:t, false, false);
SELECT test.scan(:t, 'h', 1433, ARRAY[
  test.exe('/q', 'a', package => 'rpm:m=2:noarch')]);
SELECT test.work(:t);
SELECT process_dna.accept(:t, alert_id, 'me', 'x')
  FROM process_dna.list_alerts(:t, false, false);
UPDATE process_dna.manifest_requests SET requested_at = now()
WHERE tenant_id = :t;
SELECT is(pg_temp.take(:t, '{rpm}'), NULL,
  'a version whose executables are gone or trusted is not asked for again');
SELECT is((SELECT count(*)::integer
    FROM process_dna.list_manifest_requests(:t) WHERE manager = 'rpm'), 0,
  'but forgotten');
SELECT process_dna.manifest_request_done(:t, 'rpm', 'm', '2', 'noarch', 'none',
  NULL);
SELECT is((SELECT count(*)::integer
    FROM process_dna.list_manifest_requests(:t) WHERE manager = 'rpm'), 0,
  'also if an answer comes then');
SELECT throws_ok(format($$SELECT pg_temp.done(%s, 'maybe')$$, :t), NULL, NULL,
  'an answer is one of three');

SELECT * FROM finish();
ROLLBACK;
