-- Goal: digest, version and manifest of an update may come in any order, and
-- what was taken on trust before its manifest came is confirmed or contradicted.
BEGIN;
SELECT plan(45);

-- An update in an order of its three parts: d(igest), v(ersion), m(anifest).
-- dpkg holds its transaction open as long as the file has changed and the
-- version has not. Gives what is open, what is trusted, and the traps.
CREATE FUNCTION pg_temp.update(
  p_order text, p_digit text, p_fetch text[] DEFAULT '{dpkg}')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := test.tenant(p_order || p_digit || p_fetch::text);
  v_digest boolean := false;
  v_version boolean := false;
  v_minute integer := 1430;
BEGIN
  UPDATE process_dna.tenants SET manifest_fetch = p_fetch
  WHERE tenant_id = v_tenant;
  PERFORM test.scan(v_tenant, 'h', v_minute, ARRAY[
    test.exe('/bin/p', 'a', package => 'dpkg:n=1:amd64')]);
  FOR v_at IN 1 .. 3 LOOP
    IF substr(p_order, v_at, 1) = 'm' THEN
      PERFORM test.manifest(v_tenant, 'dpkg:n=2:amd64', '/usr/bin/p', 'b');
      PERFORM test.heard(v_tenant);
      PERFORM test.work(v_tenant);
    ELSE
      v_digest := v_digest OR substr(p_order, v_at, 1) = 'd';
      v_version := v_version OR substr(p_order, v_at, 1) = 'v';
      v_minute := v_minute + 1;
      PERFORM test.scan(v_tenant, 'h', v_minute, ARRAY[test.exe('/bin/p',
        CASE WHEN v_digest THEN p_digit ELSE 'a' END,
        package => CASE WHEN v_version THEN 'dpkg:n=2:amd64'
          WHEN v_digest THEN 'dpkg:n=1:amd64+' ELSE 'dpkg:n=1:amd64' END)]);
    END IF;
  END LOOP;
  RETURN concat_ws(', ', array_to_string(test.open(v_tenant), ' '),
    test.baseline(v_tenant, '/bin/p'), array_to_string(ARRAY(
      SELECT payload->>'state' || ' ' || (payload->>'verdict')
      FROM process_dna.trap_outbox WHERE tenant_id = v_tenant
      ORDER BY outbox_id), ' '));
END $$;
CREATE TEMP TABLE orders AS
SELECT unnest(ARRAY['dvm', 'dmv', 'vdm', 'vmd', 'mdv', 'mvd']) AS o;

-- 5
SELECT is(pg_temp.update(o, 'b'), ', b manifest, ',
  'a listed digest is silent in the order ' || o) FROM orders;
-- 6
SELECT is(pg_temp.update(o, 'c'), 'h /bin/p c not-in-manifest critical,'
  || ' a first-use, raised not-in-manifest',
  'another is one alert in the order ' || o) FROM orders;
-- 8
SELECT is(pg_temp.update(o, 'b', '{}'), CASE
    WHEN o IN ('dvm', 'vdm') THEN ', b manifest,'
      || ' raised unverified-update cleared unverified-update'
    ELSE ', b manifest, ' END,
  'where nothing is fetched, only a late manifest is waited for with an alert: '
    || o) FROM orders;

-- Taken on trust first: a manifest that comes later confirms or contradicts it.
SELECT test.tenant('trust') AS t \gset
SELECT test.scan(:t, 'h', 1430, ARRAY[
  test.exe('/usr/bin/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/usr/bin/q', 'b', package => 'dpkg:n=1:amd64'),
  test.exe('/usr/bin/r', 'c', package => 'dpkg:n=1:amd64'),
  test.exe('/usr/bin/s', 'd', package => 'dpkg:n=1:amd64')]);
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/p', 'a');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/q', '0');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/r', '0', conffile => true);
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'a manifest comes after the first use');
SELECT is(test.baseline(:t, '/usr/bin/p'), 'a manifest',
  'what it lists is graded so');
SELECT is((SELECT concat_ws(' ', event, left(old_value, 1), left(new_value, 1),
      why) FROM process_dna.agent_events
    WHERE tenant_id = :t AND path = '/usr/bin/p'),
  'confirmed a a manifest of n 1:amd64 (file)', 'which is an event');
SELECT is(test.open(:t), ARRAY['h /usr/bin/q b not-in-manifest critical'],
  'what it lists with other digests is an alert, but for a conffile');
SELECT is(test.baseline(:t, '/usr/bin/q') || ', '
    || test.baseline(:t, '/usr/bin/s'), 'b first-use, d first-use',
  'what it does not list stays as it was');
SELECT is((SELECT m.package FROM process_dna.process_dna_alerts a
    JOIN process_dna.manifest_packages m USING (tenant_id, package_id)
    WHERE a.tenant_id = :t), 'n', 'the alert keeps which one contradicts');
CREATE FUNCTION pg_temp.again(p_t integer, p_minute integer, p_digit text)
RETURNS boolean LANGUAGE sql AS $$
  SELECT settled FROM test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/usr/bin/p', 'a', package => 'dpkg:n=1:amd64'),
    test.exe('/usr/bin/q', p_digit, package => 'dpkg:n=1:amd64'),
    test.exe('/usr/bin/r', 'c', package => 'dpkg:n=1:amd64'),
    test.exe('/usr/bin/s', 'd', package => 'dpkg:n=1:amd64')])
$$;
SELECT is(pg_temp.again(:t, 1431, 'b'), false, 'it goes on while it runs');
SELECT is(test.open(:t), ARRAY['h /usr/bin/q b not-in-manifest critical'],
  'though its digest was the baseline all along');
SELECT is(pg_temp.again(:t, 1432, '0'), true, 'the true file is silent');
SELECT is(test.open(:t)::text || test.baseline(:t, '/usr/bin/q'),
  '{}0 manifest', 'and ends it');

-- A stricter grade is not taken back, a weaker one is.
SELECT test.tenant('grades') AS t \gset
SELECT test.scan(:t, h, 1430, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64')])
  FROM unnest('{h,i}'::text[]) h;
SELECT test.scan(:t, 'j', 1430, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'j', 1431, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64')]);
SELECT process_dna.accept(:t, alert_id, 'me', 'mine')
  FROM process_dna.list_alerts(:t, false, false);
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', '0');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t), ARRAY['h /p a not-in-manifest critical',
  'i /p a not-in-manifest critical'],
  'first-use and fleet are contradicted, accepted is not');
SELECT test.scan(:t, 'j', 1432, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64', pid => 7)]);
SELECT is(cardinality(test.open(:t)), 2, 'also when it is started anew');
SELECT process_dna.configure_tenant('lax', 180, 3600, 1800, 'accept', '{}')
  AS t \gset
SELECT test.scan(:t, 'h', 1430, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1431, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t)::text || test.baseline(:t, '/p'), '{}b unverified',
  'an update without a manifest is accepted where policy says so');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/q', 'c');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t)::text || test.baseline(:t, '/p'),
  '{"h /q b not-in-manifest critical"}b manifest',
  'until the manifest comes');

-- The scan saw the new version before the new file: the old digest is not
-- contradicted for ten minutes.
SELECT test.tenant('early') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT is((SELECT settled FROM test.scan(:t, 'h', 1, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=2:amd64')])), false,
  'a version before its file is looked at again');
SELECT test.scan(:t, 'h', 10, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), '{}', 'without an alert');
SELECT test.scan(:t, 'h', 12, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p a not-in-manifest critical'],
  'for ten minutes');

-- 8: the version first, its digest a little later
SELECT test.tenant('later') AS t \gset
SELECT test.scan(:t, h, 0, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64')])
  FROM unnest('{h,i}'::text[]) h;
SELECT test.scan(:t, h, 1, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=2:amd64')])
  FROM unnest('{h,i}'::text[]) h;
SELECT test.scan(:t, 'h', 10, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT test.scan(:t, 'i', 12, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical',
  'i /p b no-known-update critical'],
  'a digest within ten minutes of its version is an update, not later');

-- merged /usr
SELECT test.tenant('merged') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/bin/p', 'a');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/lib/q', 'b');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/opt/r', 'c');
SELECT test.scan(:t, 'h', 0, ARRAY(
  SELECT test.exe(path, digit, package => 'dpkg:n=1:amd64')
  FROM (VALUES ('/bin/p', 'a'), ('/usr/bin/p', 'a'), ('/lib/q', 'b'),
               ('/opt/r', 'c'), ('/library/q', 'b')) v (path, digit)));
SELECT set_eq(format($$SELECT path COLLATE "default", grade
    FROM process_dna.baselines WHERE tenant_id = %s$$, :t),
  $$VALUES ('/bin/p', 'manifest'), ('/usr/bin/p', 'manifest'),
      ('/lib/q', 'manifest'), ('/opt/r', 'first-use'),
      ('/library/q', 'first-use')$$, '/bin and /usr/bin are one');

-- diversions
SELECT test.tenant('diverted') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/p', 'a');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/q', 'a');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/q.real', 'b');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/q.r.e', 'c');
SELECT test.scan(:t, 'h', 0, ARRAY(
  SELECT test.exe(path, digit, package => 'dpkg:n=1:amd64')
  FROM (VALUES ('/bin/p.distrib', 'a'), ('/usr/bin/p.other', 'f'),
               ('/usr/bin/q.real', 'a'), ('/usr/bin/p.a.b', 'a'),
               ('/usr/bin/p.a b', 'a'), ('/usr/bin/.p', 'a')) v (path, digit)));
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/usr/bin/p.distrib', 'a', package => 'dpkg:m=1:amd64')]);
SELECT set_eq(format($$SELECT path COLLATE "default", grade
    FROM process_dna.baselines WHERE tenant_id = %s$$, :t),
  $$VALUES ('/bin/p.distrib', 'manifest'), ('/usr/bin/p.a.b', 'first-use'),
      ('/usr/bin/p.a b', 'first-use'), ('/usr/bin/.p', 'first-use'),
      ('/usr/bin/p.distrib', 'first-use')$$,
  'a file that its package had diverted is listed without its suffix');
SELECT is(test.open(:t), ARRAY['h /usr/bin/p.other f not-in-manifest critical',
  'h /usr/bin/q.real a not-in-manifest critical'],
  'and contradicted so, unless its path is listed itself');

-- conffiles
SELECT test.tenant('conffile') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/etc/init.d/p', 'a', true);
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/etc/init.d/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/etc/init.d/p', 'b', package => 'dpkg:n=1:amd64')]);
SELECT is(ARRAY(SELECT grade FROM process_dna.baselines
    WHERE tenant_id = :t ORDER BY agent_id), ARRAY['manifest', 'first-use'],
  'a conffile is listed, but not contradicted');
SELECT is(test.open(:t), '{}', 'if the administrator changed it');
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/etc/init.d/p', 'c', package => 'dpkg:n=1:amd64')]);
SELECT is(test.open(:t), ARRAY['h /etc/init.d/p c no-known-update critical'],
  'a change of it is judged as without a manifest');

-- 7: what claims a package that does not have it
SELECT test.tenant('claims') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/usr/bin/p', 'a');
SELECT test.scan(:t, 'h', 0, '{}');
SELECT test.scan(:t, 'h', 61, ARRAY[
  test.exe('/usr/bin/x', 'b', package => 'dpkg:n=1:amd64'),
  test.exe('/usr/bin/y', 'c', package => 'dpkg:m=1:amd64'),
  test.exe('/usr/bin/p.old', 'a', package => 'dpkg:n=1:amd64')]);
SELECT is(test.open(:t), ARRAY['h /usr/bin/x b new-binary warning'],
  'a file that its package is known not to have is nobody''s');
SELECT test.scan(:t, 'h', 62, ARRAY[
  test.exe('/usr/bin/x', 'd', package => 'dpkg:n=1:amd64')]);
SELECT ok('h /usr/bin/x d no-known-update critical' = ANY (test.open(:t)),
  'nor does the package explain a change of it');
SELECT test.scan(:t, 'h', 63, ARRAY[
  test.exe('/usr/bin/x', 'e', package => 'dpkg:n=2:amd64')]);
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/usr/bin/p', 'f');
SELECT test.scan(:t, 'h', 64, ARRAY[
  test.exe('/usr/bin/x', 'e', package => 'dpkg:n=2:amd64')]);
SELECT ok('h /usr/bin/x e no-known-update critical' = ANY (test.open(:t)),
  'also with a version whose manifest does not list it');

SELECT * FROM finish();
ROLLBACK;
