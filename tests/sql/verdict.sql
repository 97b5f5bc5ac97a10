-- Goal: each rule of the verdict gives what it promises, and the first that
-- fits counts.
BEGIN;
SELECT plan(54);

-- 1: spoofed
SELECT test.tenant('spoofed') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'a'),
  test.exe('/p', 'a', 'spoofed')]);
SELECT is(test.open(:t), ARRAY['h /p a spoofed critical'],
  'spoofed is critical even with the trusted digest');
SELECT test.scan(:t, 'h', 2, ARRAY[test.exe('/p', 'a'),
  test.exe('/p', 'a', 'spoofed')]);
SELECT is(test.traps(:t), ARRAY['pdnaBinaryChanged raised critical'],
  'and raises one trap only, though the digest matches otherwise');
SELECT test.scan(:t, 'h', 3, ARRAY[test.exe('/p', 'a')]);
SELECT is(test.open(:t), '{}', 'it resolves when the state is gone');
SELECT test.scan(:t, 'h', 4, ARRAY[test.exe('/q', 'b', 'spoofed')]);
SELECT is(test.baseline(:t, '/q'), NULL, 'spoofed is never a first use');

-- 1: anonymous
SELECT test.tenant('anonymous') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/memfd:runc', 'a', 'anonymous'),
  test.exe('/usr/bin/runc', 'a'), test.exe('/memfd:x', 'b', 'anonymous')]);
SELECT is(test.verdict(:t, '/memfd:runc', 'a'), 'match',
  'anonymous with the digest of a trusted executable of this agent matches');
SELECT is(test.open(:t), ARRAY['h /memfd:x b never-on-disk critical'],
  'any other never lay on disk');
SELECT test.scan(:t, 'i', 0, ARRAY[test.exe('/memfd:runc', 'a', 'anonymous')]);
SELECT is(test.open(:t), ARRAY['h /memfd:x b never-on-disk critical',
  'i /memfd:runc a never-on-disk critical'],
  'what another agent trusts does not count');

-- 1: unreadable
SELECT test.tenant('unreadable') AS t \gset
CREATE FUNCTION pg_temp.blind(p_t integer, p_minute integer, p_reason text)
RETURNS text LANGUAGE sql AS $$
  SELECT settled || ' ' || array_to_string(test.open(p_t), ',')
  FROM test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', '', 'unreadable', reason => p_reason),
    test.exe('/p', '', 'unreadable', reason => 'pending')])
$$;
SELECT is(pg_temp.blind(:t, 0, 'denied'), 'false ', 'once is no alert yet');
SELECT is(pg_temp.blind(:t, 1, 'denied'), 'false ', 'nor twice');
SELECT is(pg_temp.blind(:t, 2, 'pending'), 'true ',
  'pending does not count');
SELECT is(pg_temp.blind(:t, 3, 'io'), 'false h /p unreadable warning',
  'three times running is a warning');
SELECT test.scan(:t, 'h', 4, ARRAY[test.exe('/p', 'a')]);
SELECT is(test.open(:t), '{}', 'it resolves when the file can be read');
SELECT is(test.baseline(:t, '/p'), 'a first-use', 'which is its first use');
SELECT pg_temp.blind(:t, 5, 'denied');
SELECT pg_temp.blind(:t, 6, 'denied');
SELECT is(pg_temp.blind(:t, 7, 'denied'), 'false h /p unreadable critical',
  'of a trusted path it is critical');
SELECT test.scan(:t, 'i', 0, ARRAY[test.exe('/p', '', 'unreadable',
  reason => 'io')]);
SELECT test.scan(:t, 'i', 1, ARRAY[test.exe('/q', 'b')]);
SELECT test.scan(:t, 'i', 2, ARRAY[test.exe('/p', '', 'unreadable',
  reason => 'io')]);
SELECT test.scan(:t, 'i', 3, ARRAY[test.exe('/p', '', 'unreadable',
  reason => 'io')]);
SELECT is(test.open(:t), ARRAY['h /p unreadable critical'],
  'a scan without it breaks the run');

-- 2 and 9
SELECT test.tenant('changed') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'a', 'deleted'),
  test.exe('/q', 'c')]);
SELECT is(test.verdict(:t, '/p', 'a'), 'match',
  'the baseline''s digest matches, deleted or not');
SELECT is(test.open(:t), ARRAY['h /q c no-known-update critical'],
  'another digest has no known update');
SELECT test.scan(:t, 'h', 2, ARRAY[test.exe('/p', 'b', container => 'img1')]);
SELECT is(test.baseline(:t, '/p', 'img1'), 'b first-use',
  'a container is judged by itself');
SELECT test.scan(:t, 'h', 3, ARRAY[test.exe('/p', 'a'),
  test.exe('/p', 'b', container => 'img1'),
  test.exe('/p', 'd', container => 'img1')]);
SELECT is(test.open(:t), ARRAY['h /q c no-known-update critical',
  'h img1 /p d no-known-update critical'], 'and has alerts of its own');

-- 3
SELECT test.tenant('restart') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a')]);
SELECT test.manifest(:t, NULL, '/p', 'b');
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'b', 'replaced'),
  test.exe('/p', 'a', 'superseded')]);
SELECT is(test.baseline(:t, '/p'), 'b manifest', 'an update moves the baseline');
SELECT is(test.verdict(:t, '/p', 'a'), 'restart-pending',
  'the old image runs on from before the update');
SELECT is((SELECT settled FROM test.scan(:t, 'h', 2, ARRAY[
    test.exe('/p', 'b', 'replaced'), test.exe('/p', 'a', 'superseded')])),
  true, 'which is settled');
SELECT is(ARRAY(SELECT host || path || exe_state
    FROM process_dna.list_alerts(:t, false, true)), ARRAY['h/psuperseded'],
  'listed, ');
SELECT is(test.open(:t), '{}', 'and no alert');
SELECT test.scan(:t, 'h', 3, ARRAY[test.exe('/p', 'b'),
  test.exe('/p', 'a', 'deleted')]);
SELECT is(test.open(:t), '{}', 'nor if its file is deleted');
SELECT test.scan(:t, 'h', 4, ARRAY[test.exe('/p', 'b'),
  test.exe('/p', 'a', 'deleted', started => 3.5)]);
SELECT is(test.open(:t), ARRAY['h /p a no-known-update critical'],
  'the old binary started anew is an alert');
SELECT test.scan(:t, 'i', 0, ARRAY[test.exe('/p', 'a')]);
SELECT test.scan(:t, 'i', 1, ARRAY[test.exe('/p', 'b')]);
SELECT test.scan(:t, 'i', 2, ARRAY[test.exe('/p', 'a')]);
SELECT is(test.open(:t), ARRAY['h /p a no-known-update critical',
  'i /p a no-known-update critical'],
  'so is the old binary put back, whenever it started');

-- 3, at the first use of a path whose file was replaced before
SELECT test.tenant('first') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'b', 'replaced'),
  test.exe('/p', 'a', 'superseded')]);
SELECT is(test.baseline(:t, '/p'), 'b first-use',
  'first use is of the file on disk');
SELECT is(test.verdict(:t, '/p', 'a') || array_to_string(test.open(:t), ''),
  'restart-pending', 'what runs beside it waits for its restart');
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/p', '', 'unreadable', reason => 'pending'),
  test.exe('/p', 'c', 'superseded')]);
SELECT is(test.verdict(:t, '/p', 'c') || ' ' || coalesce(test.baseline(
    process_dna.tenant_id('first'), '/x'), 'none'), 'held none',
  'while the digest on disk is on its way, what runs is held');
SELECT test.scan(:t, 'i', 1, ARRAY[test.exe('/p', 'd', 'replaced'),
  test.exe('/p', 'c', 'superseded')]);
SELECT is(test.verdict(:t, '/p', 'c'), 'restart-pending',
  'and judged when that is there');
SELECT test.scan(:t, 'i', 2, ARRAY[test.exe('/p', 'd', 'replaced'),
  test.exe('/p', 'c', 'superseded'), test.exe('/p', 'e', 'superseded')]);
SELECT is(test.open(:t), ARRAY['i /p e no-known-update critical'],
  'what appears later has no such excuse');
SELECT test.scan(:t, 'j', 0, ARRAY[test.exe('/q', 'a', processes => 1),
  test.exe('/q', 'b', processes => 2)]);
SELECT is(test.baseline(:t, '/q') || array_to_string(test.open(:t), ','),
  'b first-usei /p e no-known-update critical,j /q a no-known-update critical',
  'of two digests at a path at first use, the commoner becomes the baseline');

-- 5
SELECT test.tenant('manifest') AS t \gset
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b');
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'c');
SELECT test.manifest(:t, NULL, '/site', 'e');
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'), test.exe('/site', 'd')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'), test.exe('/site', 'e')]);
SELECT is(test.baseline(:t, '/p') || ', ' || test.baseline(:t, '/site'),
  'b manifest, e manifest', 'a listed digest becomes the baseline');
SELECT is(test.open(:t) || test.traps(:t), '{}', 'silently');
SELECT results_eq(format($$SELECT path COLLATE "default", left(old_value, 1),
      left(new_value, 1)
    FROM process_dna.agent_events WHERE tenant_id = %s
      AND event = 'rebaselined' ORDER BY path$$, :t),
  $$VALUES ('/p', 'a', 'b'), ('/site', 'd', 'e')$$, 'kept as events');
SELECT is((SELECT count(*)::integer FROM process_dna.baselines
    WHERE tenant_id = :t AND until = test.at(1)), 2,
  'and the former baselines are kept');
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/p', 'c', package => 'dpkg:n=2:amd64'), test.exe('/site', 'e')]);
SELECT is(test.baseline(:t, '/p') || ' ' || test.verdict(:t, '/p', 'c'),
  'b manifest manifest', 'of two digests in a manifest the first stays');
SELECT test.scan(:t, 'i', 0, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=2:amd64')]);
SELECT is((SELECT grade FROM process_dna.baselines b JOIN process_dna.agents g
    USING (tenant_id, agent_id) WHERE tenant_id = :t AND g.name = 'i'),
  'manifest', 'a listed first use is graded so');

-- 6
SELECT test.scan(:t, 'j', 0, ARRAY[
  test.exe('/p', 'f', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['j /p f not-in-manifest critical'],
  'a digest that the manifest does not list is critical at first use');
SELECT is((SELECT count(*)::integer FROM process_dna.baselines b
    JOIN process_dna.agents g USING (tenant_id, agent_id)
    WHERE tenant_id = :t AND g.name = 'j'), 0, 'and no baseline');
SELECT test.scan(:t, 'k', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:arm64')]);
SELECT test.scan(:t, 'k', 1, ARRAY[
  test.exe('/other', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['j /p f not-in-manifest critical'],
  'another architecture, and a path that it does not name, are not in it');

-- 7
SELECT test.tenant('firstuse') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a')]);
SELECT test.scan(:t, 'i', 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'a')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'a'),
  test.exe('/q', 'c'), test.exe('/q', 'c', container => 'img')]);
SELECT set_eq(format($$SELECT concat(g.name, b.container, b.path), b.grade
    FROM process_dna.baselines b JOIN process_dna.agents g
    USING (tenant_id, agent_id) WHERE tenant_id = %s$$, :t),
  $$VALUES ('h/p', 'first-use'), ('i/p', 'fleet'), ('i/q', 'first-use'),
      ('h/q', 'first-use'), ('himg/q', 'first-use')$$,
  'fleet: another agent has the digest at that path');
SELECT test.scan(:t, 'h', 2, ARRAY[test.exe('/q', 'c', container => 'img2')]);
SELECT is(test.baseline(:t, '/q', 'img2'), 'c fleet', 'or another container');
SELECT is(test.open(:t), '{}', 'nothing warns in the learning period');
SELECT test.scan(:t, 'h', 61, ARRAY[test.exe('/new', 'd'),
  test.exe('/owned', 'd', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'c', container => 'img3')]);
SELECT is(test.open(:t), ARRAY['h /new d new-binary warning'],
  'after it, a file that no package owns does');
SELECT is(test.baseline(:t, '/new'), 'd first-use', 'and is the baseline');
SELECT is((SELECT settled FROM test.scan(:t, 'h', 62,
    ARRAY[test.exe('/new', 'd')])), true, 'so that it is settled');
SELECT is((SELECT seen::integer FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t), 1, 'and the warning counts no scans');
SELECT process_dna.agents_reset(:t, 'h', 'me');
UPDATE process_dna.agents SET learning_since = test.at(-1000)
WHERE tenant_id = :t AND name = 'h';
SELECT test.scan(:t, 'h', 63, ARRAY[test.exe('/new', 'd')]);
SELECT is(test.open(:t), '{}', 'it is raised once per agent, path and digest');

-- 8
SELECT test.tenant('update') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
  test.exe('/q', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'a', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical'],
  'an update whose manifest is not known is critical by default');
SELECT is((SELECT string_agg(concat_ws(' ', package, version, state), ',')
    FROM process_dna.manifest_requests WHERE tenant_id = :t), 'n 2 queued',
  'and its manifest is asked for');
SELECT test.scan(:t, 'h', 12, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64'),
  test.exe('/q', 'c', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b unverified-update critical',
  'h /q c no-known-update critical'],
  'a digest that stayed through the update is not excused by it much later');

SELECT process_dna.configure_tenant('lenient', 180, 3600, 1800, 'accept', '{}')
  AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64+')]);
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=2:amd64')]);
SELECT test.scan(:t, 'h', 30, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is(test.open(:t), ARRAY['h /p b no-known-update critical'],
  'also if it was seen in the middle of the update''s transaction');

SELECT * FROM finish();
ROLLBACK;
