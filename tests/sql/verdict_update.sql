-- Goal: what package managers really do is silent, and what only looks like it
-- is not: rollbacks, removals, moves between packages, made-up versions, and
-- transactions without an end.
BEGIN;
SELECT plan(49);

CREATE FUNCTION pg_temp.run(p_t integer, p_minute numeric, p_digit text,
                            p_package text, p_state text DEFAULT 'current')
RETURNS text LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', p_digit, p_state, package => p_package)]);
  SELECT array_to_string(test.open(p_t), ', ')
$$;

-- Rollback
SELECT test.tenant('rollback') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', 'a');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1, 'b', 'dpkg:n=2:amd64'), '', 'an update is silent');
SELECT is(pg_temp.run(:t, 2, 'a', 'dpkg:n=2:amd64'),
  'h /p a not-in-manifest critical', 'the old file put back is not');
SELECT is(pg_temp.run(:t, 3, 'b', 'dpkg:n=2:amd64'), '', 'until it is gone');
SELECT is(pg_temp.run(:t, 4, 'a', 'dpkg:n=1:amd64'), '',
  'a downgrade by the package manager is silent');
SELECT is(test.baseline(:t, '/p'), 'a manifest', 'and moves the baseline');
SELECT is((SELECT string_agg(why, ', ' ORDER BY event_id)
    FROM process_dna.agent_events
    WHERE tenant_id = :t AND event = 'rebaselined'),
  'manifest of n 2:amd64 (file), manifest of n 1:amd64 (file)',
  'events name the manifest');
SELECT is((SELECT array_agg(m.version::text ORDER BY b.since)
    FROM process_dna.baselines b
    JOIN process_dna.manifest_packages m USING (tenant_id, package_id)
    WHERE b.tenant_id = :t), ARRAY['1', '2', '1'], 'and so do baselines');

SELECT test.tenant('unknown') AS t \gset
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT pg_temp.run(:t, 1, 'b', 'dpkg:n=2:amd64');
SELECT process_dna.accept(:t, alert_id, 'me', 'update')
  FROM process_dna.list_alerts(:t, false, false);
SELECT is(pg_temp.run(:t, 2, 'a', 'dpkg:n=2:amd64'),
  'h /p a no-known-update critical',
  'without manifests a rollback is one as well');
SELECT is(pg_temp.run(:t, 3, 'a', 'dpkg:n=1:amd64'),
  'h /p a unverified-update critical', 'a downgrade is an update like others');

-- Removal, and a file that moves to another package
SELECT test.tenant('removed') AS t \gset
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1, 'a', NULL, 'deleted'), '',
  'what runs on from a removed package is silent');
SELECT is(test.verdict(:t, '/p', 'a'), 'match', 'since it still matches');
SELECT is((SELECT until FROM process_dna.package_inventory
    WHERE tenant_id = :t), test.at(1), 'and the package is a former one');
SELECT test.tenant('moved') AS t \gset
SELECT test.manifest(:t, 'dpkg:m=1:amd64', '/p', 'b');
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1, 'b', 'dpkg:m=1:amd64'), '',
  'a file that another package brings is silent');
SELECT is(test.baseline(:t, '/p'), 'b manifest', 'and trusted');
SELECT is(ARRAY(SELECT concat_ws(' ', package, version, since, until)
    FROM process_dna.package_inventory WHERE tenant_id = :t ORDER BY package),
  ARRAY['m 1 ' || test.at(1), 'n 1 ' || test.at(0) || ' ' || test.at(1)],
  'as is told by the inventory');
SELECT test.tenant('same') AS t \gset
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1, 'a', 'dpkg:m=1:amd64'), '',
  'the same file in another package of the same version is silent');
SELECT is(pg_temp.run(:t, 20, 'b', 'dpkg:m=1:amd64'),
  'h /p b no-known-update critical', 'and later no update');

-- Versions that are made up
SELECT test.tenant('made-up') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT pg_temp.run(:t, 1430, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1431, 'b', 'dpkg:n=6.6.6:amd64'), '',
  'a version that nobody knows is held');
SELECT results_eq(format($$SELECT package COLLATE "default", version
      COLLATE "default" FROM process_dna.manifest_requests_take(%s, '{dpkg}',
      10, 60, 'me')$$, :t), $$VALUES ('n', '6.6.6')$$, 'and asked for');
SELECT process_dna.manifest_request_done(:t, 'dpkg', 'n', '6.6.6', 'amd64',
  'none', NULL);
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 1', 'the answer ends the hold');
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical'],
  'critically');
SELECT is(pg_temp.run(:t, 1432, 'b', 'dpkg:n=6.6.6:amd64'),
  'h /p b unverified-update critical', 'and for good');
SELECT is(pg_temp.run(:t, 1433, 'c', 'rpm:n=7:amd64'),
  'h /p b unverified-update critical, h /p c unverified-update critical',
  'what nobody fetches is not held');

-- A hold outlives its executable, and its worker
SELECT test.tenant('hold') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT pg_temp.run(:t, 1430, 'a', 'dpkg:n=1:amd64');
SELECT pg_temp.run(:t, 1431, 'b', 'dpkg:n=2:amd64');
SELECT test.scan(:t, 'h', 1432, '{}');
SELECT test.later(:t, 31);
SELECT test.heard(:t);
SELECT is(test.work(:t) || test.open(:t)::text,
  '0 0 1{"h /p b unverified-update critical"}',
  'what was held is judged though it is gone');

-- A hold ends where nobody fetches any more
SELECT test.tenant('given-up') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT pg_temp.run(:t, 1430, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1431, 'b', 'dpkg:n=2:amd64'), '', 'held');
SELECT process_dna.configure_tenant('given-up', 180, 86400, 1800, 'critical',
                                    '{dpkg}');
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'a restart is no end of that');
SELECT process_dna.configure_tenant('given-up', 180, 86400, 1800, 'critical',
                                    '{rpm}');
SELECT is(test.work(:t) || test.open(:t)::text,
  '0 0 1{"h /p b unverified-update critical"}',
  'when nobody fetches for its manager any more');

-- 4: a transaction that an attacker leaves open, and keeps changing
SELECT test.tenant('endless') AS t \gset
CREATE FUNCTION pg_temp.flip(p_t integer, p_minute integer) RETURNS text
LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', CASE WHEN p_minute = 0 THEN 'a' ELSE 'b' END,
             package => 'dpkg:n=1:amd64' || CASE WHEN p_minute > 0 THEN '+'
                                              ELSE '' END),
    test.exe('/q', 'c', package => 'dpkg:m=' || p_minute || ':amd64')]);
  SELECT array_to_string(test.open(p_t), ', ')
$$;
SELECT is(max(pg_temp.flip(:t, n)), '', 'facts that keep changing are believed')
  FROM generate_series(0, 60, 5) n;
SELECT is(pg_temp.flip(:t, 65), 'h /p b no-known-update critical',
  'for an hour');
SELECT is(test.verdict(:t, '/p', 'b'), 'no-known-update', 'with its verdict');
-- The claim passes from package to package in place of that.
SELECT test.tenant('passing') AS t \gset
CREATE FUNCTION pg_temp.pass(p_t integer, p_minute integer) RETURNS text
LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', CASE WHEN p_minute = 0 THEN 'a' ELSE 'b' END,
             package => 'dpkg:n' || p_minute || '=1:amd64'
               || CASE WHEN p_minute > 0 THEN '+' ELSE '' END)]);
  SELECT array_to_string(test.open(p_t), ', ')
$$;
SELECT is(max(pg_temp.pass(:t, n)), '', 'one package after the other is in one')
  FROM generate_series(0, 60, 5) n;
SELECT is(pg_temp.pass(:t, 66), 'h /p b unverified-update critical',
  'for an hour in all');

-- 4 before 7
SELECT test.tenant('firstuse') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', 'a');
SELECT pg_temp.run(:t, 0, 'b', 'dpkg:n=1:amd64+');
SELECT is(test.verdict(:t, '/p', 'b') || coalesce(test.baseline(:t, '/p'), ''),
  'held', 'in a transaction there is no first use');
SELECT is(pg_temp.run(:t, 1, 'b', 'dpkg:n=1:amd64'),
  'h /p b not-in-manifest critical', 'but when it has ended');

-- 3: what ran on through updates
SELECT test.tenant('between') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=' || v || ':amd64', '/p', d)
  FROM (VALUES ('1', 'a'), ('2', 'b'), ('3', 'c')) v (v, d);
SELECT pg_temp.run(:t, 0, 'a', 'dpkg:n=1:amd64');
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'c', 'replaced', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'b', 'superseded', package => 'dpkg:n=3:amd64',
           started => 0.5)]);
SELECT is(test.open(:t)::text || test.verdict(:t, '/p', 'b'),
  '{}restart-pending', 'a version between two scans may run on');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'c', 'replaced', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'b', 'superseded', package => 'dpkg:n=3:amd64',
           started => 1.5)]);
SELECT is(test.open(:t), ARRAY['h /p b not-in-manifest critical'],
  'but not be started anew');
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/p', 'c', 'replaced', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'f', 'superseded', package => 'dpkg:n=3:amd64')]);
SELECT is((SELECT verdict FROM process_dna.executables
    WHERE tenant_id = :t AND sha256 = test.digest('f')), 'restart-pending',
  'what ran on when the host was first seen no manifest contradicts');
SELECT is(test.open(:t), ARRAY['h /p b not-in-manifest critical'],
  'so that it raises nothing');

SELECT test.scan(:t, 'i', 61, ARRAY[
  test.exe('/p', 'c', 'replaced', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'f', 'superseded', package => 'dpkg:n=3:amd64'),
  test.exe('/q', 'd', 'replaced'),
  test.exe('/q', 'e', 'superseded')]);
SELECT is(test.open(:t), ARRAY['h /p b not-in-manifest critical',
    'i /q d new-binary warning', 'i /q e no-known-update critical'],
  'nor may a path that is new later be put there for a moment');

-- 8: by policy, with what the host reports
SELECT test.tenant('p' || u) FROM unnest('{warning,info,accept}'::text[]) u;
SELECT process_dna.configure_tenant('p' || u, 180, 3600, 1800, u, '{}')
  FROM unnest('{warning,info,accept}'::text[]) u;
SELECT pg_temp.run(tenant_id, 0, 'a', 'dpkg:n=1:amd64'),
    pg_temp.run(tenant_id, 1, 'b', 'dpkg:n=2:amd64')
  FROM process_dna.tenants WHERE name IN ('pwarning', 'pinfo', 'paccept');
SELECT is(test.open(process_dna.tenant_id('p' || u)),
    ARRAY['h /p b unverified-update ' || u], 'an unverified update is a ' || u)
  FROM unnest('{warning,info}'::text[]) u;
SELECT is(test.open(process_dna.tenant_id('paccept')), '{}', 'or accepted');
SELECT is(pg_temp.run(process_dna.tenant_id('paccept'), 2, 'a',
    'dpkg:n=2:amd64'), 'h /p a no-known-update critical',
  'a rollback after it is not');

-- An alert about what is gone follows its package all the same
SELECT test.tenant('gone') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b no-known-update critical'],
  'a file is gone before its version is told');
SELECT test.scan(:t, 'h', 3, ARRAY[
  test.exe('/q', 'c', package => 'dpkg:n=2:amd64')]);
SELECT test.heard(:t);
SELECT is(test.work(:t), '1 0 0', 'its alert ends when another file tells it');

-- Held in a transaction, gone, and settled by what else is of the package
SELECT test.tenant('settled') AS t \gset
SELECT test.scan(:t, 'h', 1430, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1436, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=1:amd64+'),
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64+')]);
SELECT test.scan(:t, 'h', 1437, ARRAY[
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64+')]);
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'what is gone is still held');
SELECT test.scan(:t, 'h', 1438, ARRAY[
  test.exe('/q', 'c', package => 'dpkg:n=1:amd64')]);
SELECT test.heard(:t);
SELECT is(test.work(:t) || test.open(:t)::text,
  '0 0 1{"h /p b no-known-update critical"}',
  'and judged when the transaction has ended');

-- A thousand holds that end together are not judged at once
SELECT test.tenant('many') AS t \gset
SELECT test.scan(:t, 'h', 1430, ARRAY(
  SELECT test.exe('/' || n, 'a', package => 'dpkg:n=1:amd64+')
  FROM generate_series(1, 1200) n));
SELECT test.later(:t, 11);
SELECT test.heard(:t);
SELECT results_eq(format($$SELECT released, more FROM process_dna.work(%s,
    now())$$, :t), $$VALUES (1000::bigint, true)$$, 'a thousand at a time');
SELECT results_eq(format($$SELECT released, more FROM process_dna.work(%s,
    now())$$, :t), $$VALUES (200::bigint, false)$$, 'until all are');

SELECT * FROM finish();
ROLLBACK;
