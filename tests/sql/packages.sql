-- Goal: the versions of a host's packages have a history, and a way of seeing
-- the host that tells of no packages takes nothing away.
BEGIN;
SELECT plan(29);
SELECT test.tenant() AS t \gset
CREATE FUNCTION pg_temp.inventory(p_t integer) RETURNS text[] LANGUAGE sql
AS $$
  SELECT ARRAY(
    SELECT concat_ws(' ', nullif(container, ''), package, version,
      CASE WHEN in_transaction THEN '+' END,
      extract(epoch FROM since - test.at(0))::integer / 60,
      extract(epoch FROM until - test.at(0))::integer / 60)
    FROM process_dna.package_inventory WHERE tenant_id = p_t
    ORDER BY package, container, since)
$$;

SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64+'),
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT is(pg_temp.inventory(:t), ARRAY['m 1 0', 'n 1 + 0'],
  'a transaction is no other version');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64+'),
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT is((SELECT count(DISTINCT transaction_at)::integer
    FROM process_dna.package_inventory
    WHERE tenant_id = :t AND package = 'n'), 1,
  'and goes on when the version changes in it');
SELECT test.scan(:t, 'h', 3, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT is(pg_temp.inventory(:t), ARRAY['m 1 0', 'n 1 + 0 2', 'n 2 2'],
  'a version in the place of another makes that a former one');
SELECT is((SELECT packages_changed FROM process_dna.agents
    WHERE tenant_id = :t), test.at(3), 'the last change is known');
SELECT test.scan(:t, 'h', 4, ARRAY[
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT is(pg_temp.inventory(:t), ARRAY['m 1 0', 'n 1 + 0 2', 'n 2 2'],
  'a package of which nothing runs any more stays');
SELECT test.scan(:t, 'h', 5, ARRAY[test.exe('/q', 'a')], complete => false);
SELECT is((pg_temp.inventory(:t))[1], 'm 1 0',
  'so does one that an incomplete scan does not tell');
SELECT test.scan(:t, 'h', 6, ARRAY[test.exe('/q', 'a'),
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is((pg_temp.inventory(:t))[1], 'm 1 0 6',
  'one that owns its file no longer does not');
SELECT test.scan(:t, 'h', 7, ARRAY[
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64'),
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is((pg_temp.inventory(:t))[1:2], ARRAY['m 1 0 6', 'm 1 7'],
  'until it comes back');
SELECT test.scan(:t, 'h', 8, ARRAY[
  test.exe('/q', 'a', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'a', 'deleted', container => 'img',
           package => 'dpkg:m=1:amd64'),
  test.exe('/p', 'a', package => 'dpkg:m=1:amd64')]);
SELECT is((pg_temp.inventory(:t))[1:3],
  ARRAY['m 1 0 6', 'm 1 7', 'img m 1 8'],
  'what owns something else still is there, and a container has its own');
SELECT test.scan(:t, 'h', 8.001, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:m=2:amd64')], boot => -2);
SELECT test.scan(:t, 'h', 5, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:m=3:amd64')], boot => 4);
SELECT is((SELECT count(*)::integer FROM process_dna.package_inventory
    WHERE tenant_id = :t AND package = 'm' AND container = ''
      AND until IS NULL), 1, 'a clock that went back does no harm');

-- A host whose version never stays
SELECT test.tenant('flip') AS t \gset
SELECT test.scan(:t, 'h', n, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=' || n || ':amd64'),
    test.exe('/q', 'a', package => 'dpkg:m=' || n / 100 || ':amd64')])
  FROM generate_series(1, 120) n;
SELECT is((SELECT count(*) || ' ' || max(version::integer) || ' '
      || min(version::integer) FROM process_dna.package_inventory
    WHERE tenant_id = :t AND package = 'n'), '102 120 19',
  'a hundred former versions are kept, or one more');
SELECT is((SELECT string_agg(version, ' ' ORDER BY since)
    FROM process_dna.package_inventory
    WHERE tenant_id = :t AND package = 'm'), '0 1', 'of each package');

-- Two ways: collectd tells of packages, SNMP does not.
SELECT test.tenant('two') AS t \gset
CREATE FUNCTION pg_temp.collectd(p_minute numeric, p_digit text,
                                 p_package text DEFAULT 'dpkg:n=1:amd64')
RETURNS boolean LANGUAGE sql AS $$
  SELECT settled FROM test.scan(process_dna.tenant_id('two'), 'h', p_minute,
    ARRAY[test.exe('/p', p_digit, package => p_package)])
$$;
CREATE FUNCTION pg_temp.snmp(p_minute numeric, p_digit text,
                             p_package text DEFAULT NULL)
RETURNS boolean LANGUAGE sql AS $$
  SELECT settled FROM test.scan(process_dna.tenant_id('two'), 'h', p_minute,
    ARRAY[test.exe('/p', p_digit, package => p_package)],
    source => 'snmp', signer => 'poll')
$$;
SELECT pg_temp.collectd(0, 'a');
SELECT is((SELECT packages FROM process_dna.agent_sources
    WHERE tenant_id = :t), true, 'a way tells of packages');
SELECT is(pg_temp.snmp(0.5, 'a'), true, 'the other does not');
SELECT is((SELECT string_agg(source || ' ' || packages, ', ' ORDER BY source)
    FROM process_dna.agent_sources WHERE tenant_id = :t),
  'collectd true, snmp false', 'which is known of each');
SELECT is((SELECT concat_ws(' ', package, version, whole)
    FROM process_dna.executables WHERE tenant_id = :t), 'n 1 t',
  'its silence takes no package away');
SELECT pg_temp.collectd(1, 'a');
SELECT pg_temp.snmp(1.5, 'a');
SELECT is(pg_temp.inventory(:t), ARRAY['n 1 0'], 'nor from the inventory');
SELECT is((SELECT concat_ws(' ', package, version) FROM process_dna.baselines
    WHERE tenant_id = :t), 'n 1', 'nor from the baseline');
-- an update, which SNMP sees first
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT is(pg_temp.snmp(2.5, 'b'), false,
  'what it sees of an update is not judged yet');
SELECT is(test.verdict(:t, '/p', 'b'), 'held', 'but held');
SELECT pg_temp.collectd(3, 'b', 'dpkg:n=2:amd64');
SELECT is(test.open(:t)::text || test.traps(:t)::text
    || test.baseline(:t, '/p'), '{}{}b manifest',
  'until the other way tells the version');
-- an attack, which it sees as well
SELECT pg_temp.snmp(3.5, 'c');
SELECT pg_temp.collectd(4, 'c', 'dpkg:n=2:amd64');
SELECT is(test.open(:t), ARRAY['h /p c not-in-manifest critical'],
  'and so an attack is one alert');
SELECT pg_temp.collectd(5, 'b', 'dpkg:n=2:amd64');
SELECT pg_temp.snmp(5.5, 'b');
SELECT pg_temp.snmp(6.5, 'd');
SELECT is(pg_temp.snmp(8, 'd'), false, 'it does not wait for ever');
SELECT pg_temp.snmp(8.6, 'd');
SELECT is(test.open(:t), ARRAY['h /p d no-known-update critical'],
  'if the other way says nothing more');
SELECT pg_temp.collectd(9, 'b', 'dpkg:n=2:amd64');
SELECT pg_temp.snmp(9.5, 'b');
SELECT is(test.open(:t), '{}', 'it is back');
-- the way that tells ends, or stops telling
SELECT pg_temp.snmp(13, 'b');
SELECT is((SELECT package FROM process_dna.executables
    WHERE tenant_id = :t AND sha256 = test.digest('b')), '',
  'what a way told that ended does not hold for ever');
SELECT pg_temp.collectd(14, 'b', 'dpkg:n=2:amd64');
SELECT pg_temp.snmp(14.5, 'b', 'dpkg:n=2:amd64');
SELECT pg_temp.collectd(15, 'b', NULL);
SELECT is((SELECT string_agg(source || ' ' || packages, ', ' ORDER BY source)
    FROM process_dna.agent_sources WHERE tenant_id = :t),
  'collectd false, snmp true', 'they may change roles');
SELECT is((SELECT package FROM process_dna.executables
    WHERE tenant_id = :t AND sha256 = test.digest('b')), 'n',
  'and either keeps the other''s');
SELECT pg_temp.snmp(15.5, 'b', NULL);
SELECT is((SELECT package FROM process_dna.executables
    WHERE tenant_id = :t AND sha256 = test.digest('b')), '',
  'when neither tells, there is none');

SELECT * FROM finish();
ROLLBACK;
