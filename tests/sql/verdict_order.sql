-- Goal: the same things in another order come to the same end: a file before
-- its package's new version, a manifest before and after the update, a
-- transaction that ends or never does, an incomplete scan.
BEGIN;
SELECT plan(48);

-- 4: the file first, within the transaction
SELECT test.tenant('transaction') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT is((SELECT settled FROM test.scan(:t, 'h', 1, ARRAY[
    test.exe('/p', 'b', package => 'dpkg:n=1:amd64+')])), false,
  'a change within a transaction is not settled');
SELECT is(test.verdict(:t, '/p', 'b'), 'held', 'but held');
SELECT is(test.open(:t), '{}', 'without an alert');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64+')]);
SELECT is(test.verdict(:t, '/p', 'b'), 'held',
  'held before any manifest counts');
SELECT test.scan(:t, 'h', 3, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.baseline(:t, '/p'), 'b manifest',
  'settled, the manifest of the new version covers it');
SELECT is(test.traps(:t), '{}', 'and no trap was sent');

-- 4: settled without an explanation
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'i', 1, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+')]);
SELECT test.scan(:t, 'i', 2, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64')]);
SELECT is(test.open(:t), ARRAY['i /p c no-known-update critical'],
  'settled at the old version, it is an alert');

-- 4: never settled
SELECT test.scan(:t, 'j', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'), test.exe('/q', '0')]);
SELECT test.scan(:t, 'j', 1, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+'), test.exe('/q', '0')]);
SELECT test.scan(:t, 'j', 10, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+'), test.exe('/q', '0')]);
SELECT is(test.open(:t), ARRAY['i /p c no-known-update critical'],
  'nine minutes after the last change it is still held');
SELECT test.scan(:t, 'j', 12, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+'), test.exe('/q', '0')]);
SELECT is(test.open(:t), ARRAY['i /p c no-known-update critical',
  'j /p c no-known-update critical'], 'after ten it is believed no longer');
SELECT test.scan(:t, 'k', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'k', 1, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+')]);
SELECT test.scan(:t, 'k', 10, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+'),
  test.exe('/r', 'd', package => 'dpkg:m=1:amd64+')]);
SELECT test.scan(:t, 'k', 12, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+'),
  test.exe('/r', 'd', package => 'dpkg:m=1:amd64+')]);
SELECT is(test.verdict(:t, '/r', 'd'), 'held',
  'a change of another package keeps it believable, also for a first use');

-- 4: what was held is gone before its time: the worker decides
SELECT test.tenant('worker') AS t \gset
SELECT test.scan(:t, 'h', 1437, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1438, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=1:amd64+')]);
SELECT test.scan(:t, 'h', 1439, ARRAY[test.exe('/x', 'd')]);
SELECT test.later(:t, 7);
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'the worker waits for a hold');
SELECT test.later(:t, 2);
SELECT is(test.work(:t), '0 0 1', 'and releases it when it has ended');
SELECT is(test.open(:t), ARRAY['h /p c no-known-update critical'],
  'also when the executable is gone by then');
SELECT is(test.work(:t), '0 0 0', 'once');
SELECT is((SELECT seen::integer FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t), 1, 'the worker is no scan');

-- 5, 6: the manifest before the update, and after it
SELECT test.tenant('manifest') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=1:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b no-known-update critical'],
  'a listed digest, before its version is reported, is not covered');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t) || test.baseline(:t, '/p'), ARRAY['b manifest'],
  'it is when the version follows, and the alert is closed');
SELECT is(test.traps(:t), ARRAY['pdnaBinaryChanged raised critical',
  'pdnaAlertCleared cleared cleared'], 'with its clear');
SELECT is((SELECT baseline_match FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t), true, 'and it counts as explained');

SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/q', 'a', package => 'dpkg:m=1:amd64')]);
SELECT test.scan(:t, 'i', 1, ARRAY[
  test.exe('/q', 'b', package => 'dpkg:m=2:amd64')]);
SELECT is(test.open(:t), ARRAY['i /q b unverified-update critical'],
  'an update before its manifest is an alert');
SELECT test.manifest(:t, 'dpkg:m=2:amd64', '/q', 'b');
SELECT test.heard(:t);
SELECT is(test.work(:t), '1 0 0', 'that the worker closes when it comes');
SELECT is(test.open(:t) || test.baseline(:t, '/q'), ARRAY['b manifest'],
  'and moves the baseline');
SELECT is((SELECT settled FROM test.scan(:t, 'i', 2, ARRAY[
    test.exe('/q', 'b', package => 'dpkg:m=2:amd64')])), true,
  'after which all is quiet');

SELECT test.scan(:t, 'j', 0, ARRAY[
  test.exe('/r', 'a', package => 'dpkg:o=1:amd64')]);
SELECT test.scan(:t, 'j', 1, ARRAY[
  test.exe('/r', 'b', package => 'dpkg:o=2:amd64')]);
SELECT test.manifest(:t, 'dpkg:o=2:amd64', '/r', 'c');
SELECT test.scan(:t, 'j', 2, ARRAY[
  test.exe('/r', 'b', package => 'dpkg:o=2:amd64')]);
SELECT is(test.open(:t), ARRAY['j /r b not-in-manifest critical'],
  'a manifest that lists others makes it not-in-manifest');
SELECT is((test.traps(:t))[6], 'pdnaBinaryChanged updated critical',
  'which is an update of the same alert');

SELECT test.scan(:t, 'k', 0, ARRAY[test.exe('/s', 'a')]);
SELECT test.scan(:t, 'k', 1, ARRAY[test.exe('/s', 'b')]);
SELECT test.scan(:t, 'k', 2, ARRAY[test.exe('/s', 'c')]);
SELECT test.manifest(:t, NULL, '/s', 'b');
SELECT test.heard(:t);
SELECT is(test.work(:t), '1 0 0',
  'a release that comes late closes the alert about a file that is gone');
SELECT is(test.baseline(:t, '/s'), 'a first-use', 'but moves no baseline');

-- 8: while a manifest is being fetched
SELECT test.tenant('fetch') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT test.scan(:t, 'h', 1438, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1439, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.verdict(:t, '/p', 'b'), 'held', 'it is held');
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'the fetch is queued');
SELECT process_dna.manifest_requests_take(:t, '{dpkg}', 10, 60, 'me');
SELECT is(test.work(:t), '0 0 0', 'or running');
SELECT process_dna.manifest_request_done(:t, 'dpkg', 'n', '2', 'amd64',
  'failed', 'no route to the mirror');
SELECT is(test.work(:t), '0 0 0', 'or failed, and is tried again');
SELECT process_dna.manifest_request_done(:t, 'dpkg', 'n', '2', 'amd64',
  'none', NULL);
SELECT is(test.work(:t), '0 0 1', 'no such version ends the hold');
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical'],
  'with an alert');
SELECT test.scan(:t, 'i', 1438, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2.9:amd64')]);
SELECT test.scan(:t, 'i', 1439, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=3:amd64')]);
SELECT test.later(:t, 28);
SELECT test.heard(:t);
SELECT is(test.work(:t), '0 0 0', 'it waits for 30 minutes');
SELECT test.later(:t, 2);
SELECT is(test.work(:t), '0 0 1', 'and no longer');
SELECT test.manifest(:t, 'dpkg:n=3:amd64', '/p', 'b');
SELECT test.scan(:t, 'i', 1440, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=3:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical'],
  'a manifest that comes later still covers it');

-- 8: by policy
SELECT process_dna.configure_tenant('policy', 180, 3600, 0, 'warning', '{}') AS t \gset
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update warning'],
  'policy gives the severity, and no wait ends the hold at once');
SELECT process_dna.configure_tenant('policy', 180, 3600, 0, 'accept', '{}');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t) || test.baseline(:t, '/p'), ARRAY['b unverified'],
  'or accepts the update');

-- Of an incomplete scan
SELECT test.tenant('incomplete') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'b')], complete => false);
SELECT is(test.verdict(:t, '/p', 'b'), 'held',
  'a changed file whose package may have been lost is held');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical'],
  'and judged with the next complete scan');
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'i', 1, ARRAY[test.exe('/p', 'b')], complete => false);
SELECT test.scan(:t, 'i', 4, ARRAY[test.exe('/p', 'b')], complete => false);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical',
  'i /p b no-known-update critical'], 'or after two minutes without one');
SELECT test.scan(:t, 'j', 0, ARRAY[
  test.exe('/o', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'j', 90, ARRAY[test.exe('/n', 'c')], complete => false);
SELECT is(test.verdict(:t, '/n', 'c'), 'held',
  'a new file of a host that has packages is held as well');
SELECT test.scan(:t, 'j', 91, ARRAY[test.exe('/n', 'c')]);
SELECT is(test.verdict(:t, '/n', 'c'), 'new-binary', 'and warned of when whole');
SELECT test.scan(:t, 'k', 0, ARRAY[test.exe('/k', 'a')]);
SELECT test.scan(:t, 'k', 1, ARRAY[test.exe('/k', 'b')], complete => false);
SELECT is(test.verdict(:t, '/k', 'b'), 'no-known-update',
  'a file that no package owned is judged at once');
SELECT test.scan(:t, 'k', 2, ARRAY[test.exe('/k', 'a')], complete => false);
SELECT ok('k /k b no-known-update critical' = ANY (test.open(:t)),
  'an incomplete scan resolves nothing');

-- 3: what ran on is told once the baseline has moved, without a scan of its own
SELECT test.tenant('late') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
CREATE FUNCTION pg_temp.updated(p_t integer, p_minute integer) RETURNS boolean
LANGUAGE sql AS $$
  SELECT settled FROM test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', 'b', 'replaced', package => 'dpkg:n=2:amd64'),
    test.exe('/p', 'a', 'superseded', package => 'dpkg:n=2:amd64')])
$$;
SELECT pg_temp.updated(:t, 1);
SELECT is(test.verdict(:t, '/p', 'a'), 'match',
  'the old image matches as long as its update is not known');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT pg_temp.updated(:t, 2);
SELECT is(test.verdict(:t, '/p', 'a'), 'restart-pending',
  'with the manifest it waits for a restart');
SELECT is(pg_temp.updated(:t, 3), true, 'and all is settled');

SELECT * FROM finish();
ROLLBACK;
