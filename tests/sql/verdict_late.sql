-- Goal: what is told late, or is gone when it is judged, is judged by what held
-- when it ran: two updates within one hold, two ways that tell one after the
-- other, and hosts that are silent in the middle of an update.
BEGIN;
SELECT plan(22);

-- Two updates within one hold: the executable of the first is gone.
SELECT test.tenant('back') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
CREATE FUNCTION pg_temp.run(p_t integer, p_minute numeric, p_digit text,
                            p_package text)
RETURNS text LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', p_digit, package => p_package)]);
  SELECT array_to_string(test.open(p_t), ', ')
$$;
SELECT pg_temp.run(:t, 1430, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1431, 'b', 'dpkg:n=2:amd64'), '',
  'an update waits for its manifest');
SELECT is(pg_temp.run(:t, 1432, 'a', 'dpkg:n=1:amd64'), '',
  'and is taken back meanwhile');
SELECT process_dna.manifest_requests_take(:t, '{dpkg}', 10, 60, 'me');
UPDATE process_dna.manifest_requests SET due_at = now() WHERE tenant_id = :t;
SELECT is((SELECT count(*)::integer FROM process_dna.manifest_requests_take(
    :t, '{dpkg}', 10, 60, 'me')), 1, 'its manifest is wanted all the same');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', 'a');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t)::text, '{}',
  'the manifest of the other version says nothing of it');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.later(:t, 31);
SELECT test.heard(:t);
SELECT is(test.work(:t) || test.open(:t)::text, '0 0 1{}',
  'what is gone was an update to the version that it ran with');
SELECT is(test.verdict(:t, '/p', 'b') || ' ' || test.baseline(:t, '/p'),
  'manifest a manifest', 'but becomes no baseline');
SELECT pg_temp.run(:t, 1433, 'c', 'dpkg:n=3:amd64');
SELECT pg_temp.run(:t, 1434, 'a', 'dpkg:n=1:amd64');
SELECT process_dna.manifest_request_done(:t, 'dpkg', 'n', '3', 'amd64', 'none',
  NULL);
SELECT test.later(:t, 31);
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t), ARRAY['h /p c unverified-update critical'],
  'without a manifest it is told though it is gone');

-- Two ways, both of which tell of packages, the second from before the update.
SELECT test.tenant('ways') AS t \gset
CREATE FUNCTION pg_temp.way(p_minute numeric, p_source text, p_digit text,
                            p_version text, p_arrived numeric)
RETURNS text LANGUAGE sql AS $$
  SELECT test.scan(process_dna.tenant_id('ways'), 'h', p_minute, ARRAY[
      test.exe('/p', p_digit, package => 'dpkg:n=' || p_version || ':amd64')],
    source => p_source, signer => p_source, arrived => p_arrived);
  SELECT concat_ws(' ', nullif(array_to_string(test.open(
      process_dna.tenant_id('ways')), ', '), ''), test.baseline(process_dna.tenant_id('ways'), '/p'), (
    SELECT string_agg(version, ',' ORDER BY since)
    FROM process_dna.package_inventory
    WHERE tenant_id = process_dna.tenant_id('ways')))
$$;
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT pg_temp.way(0, 'collectd', 'a', '1', 0);
SELECT pg_temp.way(0.5, 'snmp', 'a', '1', 0.6);
SELECT is(pg_temp.way(2, 'collectd', 'b', '2', 2), 'b manifest 1,2',
  'one way tells of an update');
SELECT is(pg_temp.way(1.5, 'snmp', 'a', '1', 2.4), 'b manifest 1,2',
  'the other of the time before it: nothing is taken back');
SELECT is(pg_temp.way(3, 'collectd', 'b', '2', 3), 'b manifest 1,2',
  'as the next scan says');
SELECT is(pg_temp.way(2.5, 'snmp', 'b', '2', 3.4), 'b manifest 1,2',
  'and that of the other');
SELECT is(pg_temp.way(4, 'snmp', 'a', '2', 4),
  'h /p a not-in-manifest critical b manifest 1,2',
  'the old file put back is seen by either');
SELECT is(pg_temp.way(3.9, 'collectd', 'c', '2', 4.1),
  'h /p a not-in-manifest critical, h /p c not-in-manifest critical'
  || ' b manifest 1,2', 'and what was never trusted at any time');

SELECT test.tenant('release') AS t \gset
SELECT test.manifest(:t, NULL, '/r', 'b');
CREATE FUNCTION pg_temp.release(p_t integer, p_minute numeric, p_source text,
                                p_digit text)
RETURNS text[] LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[test.exe('/r', p_digit)],
    source => p_source, signer => p_source);
  SELECT test.open(p_t)
$$;
SELECT pg_temp.release(:t, 0, 'collectd', 'a');
SELECT pg_temp.release(:t, 1, 'snmp', 'a');
SELECT pg_temp.release(:t, 2, 'collectd', 'b');
SELECT is(pg_temp.release(:t, 1.5, 'snmp', 'a'), '{}',
  'what had no package is late as well');
SELECT is(pg_temp.release(:t, 2.5, 'snmp', 'a'),
  ARRAY['h /r a no-known-update critical'],
  'and is looked at again, though it looks the same');

-- Silent in the middle of an update
CREATE FUNCTION pg_temp.silent(p_t integer, p_minutes numeric) RETURNS text
LANGUAGE sql AS $$
  SELECT test.later(p_t, p_minutes);
  UPDATE process_dna.agents
  SET last_arrived = last_arrived - p_minutes * interval '1 min'
  WHERE tenant_id = p_t;
  SELECT test.work(p_t)
$$;
SELECT test.tenant('reboot') AS t \gset
SELECT pg_temp.run(:t, 1430, 'a', 'dpkg:n=1:amd64');
SELECT is(pg_temp.run(:t, 1431, 'b', 'dpkg:n=1:amd64+'), '',
  'a host is lost in a transaction');
SELECT is(pg_temp.silent(:t, 20), '0 1 0', 'which is all that is told');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT is(pg_temp.run(:t, 1439, 'b', 'dpkg:n=2:amd64'),
  'h   warning', 'and it ends in silence when it is back');
SELECT is(pg_temp.run(:t, 1439.5, 'c', 'dpkg:n=2:amd64+'),
  'h   warning', 'held again');
SELECT test.scan(:t, 'h', 1439.6, '{}');
SELECT pg_temp.silent(:t, 30);
SELECT is(test.verdict(:t, '/p', 'c'), 'held', 'and lost again');
SELECT pg_temp.silent(:t, 60);
SELECT is(test.verdict(:t, '/p', 'c'), 'not-in-manifest',
  'it does not wait for ever');
SELECT ok('h /p c not-in-manifest critical' = ANY (test.open(:t)),
  'for a host that comes back');

SELECT * FROM finish();
ROLLBACK;
