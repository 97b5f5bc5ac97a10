-- Goal: a manifest that should not have been imported can be taken back: it
-- decides nothing any more, and what was trusted by it is told.
BEGIN;
SELECT plan(15);
SELECT test.tenant() AS t \gset
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', 'a');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/q', '0');
SELECT test.manifest(:t, NULL, '/r', 'c');
CREATE FUNCTION pg_temp.scan(p_t integer, p_minute integer) RETURNS text[]
LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', 'a', package => 'dpkg:n=1:amd64'),
    test.exe('/q', 'b', package => 'dpkg:n=1:amd64'),
    test.exe('/r', 'c')]);
  SELECT test.open(p_t)
$$;
CREATE FUNCTION pg_temp.remove(p_t integer, p_package text) RETURNS text
LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', r.manifest, r.host, r.path,
                              left(r.sha256, 1)), ', ')
  FROM process_dna.manifest_packages m
  CROSS JOIN LATERAL process_dna.manifest_remove(p_t, m.package_id, 'me',
                                                 'mistake') r
  WHERE m.tenant_id = p_t AND m.package = p_package
$$;
SELECT is(pg_temp.scan(:t, 1430), ARRAY['h /q b not-in-manifest critical'],
  'a wrong manifest makes an alert');
SELECT process_dna.manifests_request(:t,
  ARRAY[('dpkg', 'n', '1', 'amd64')]::process_dna.package_key[]);
UPDATE process_dna.manifest_requests SET state = 'found' WHERE tenant_id = :t;
SELECT is(pg_temp.remove(:t, 'n'), 'manifest of n 1:amd64 (file) h /p a',
  'it is removed, with what was trusted by it');
SELECT is((SELECT count(*)::integer FROM process_dna.manifests
    WHERE tenant_id = :t), 1, 'with its digests, and no others');
SELECT is((SELECT count(*)::integer FROM process_dna.manifest_requests
    WHERE tenant_id = :t), 0, 'its version may be asked for again');
SELECT is(test.baseline(:t, '/p'), 'a unverified',
  'what was trusted stays so, on trust');
SELECT is((SELECT concat_ws(' ', event, path, left(new_value, 1), who, why)
    FROM process_dna.agent_events WHERE tenant_id = :t AND path = '/p'),
  'disowned /p a me mistake: manifest of n 1:amd64 (file)', 'with an event');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t), '{}', 'what it contradicted is in order');
SELECT is(pg_temp.scan(:t, 1431), '{}', 'and stays so');
SELECT test.manifest(:t, 'dpkg:n=1:amd64', '/p', '1');
SELECT test.work(:t);
SELECT is(test.open(:t), ARRAY['h /p a not-in-manifest critical'],
  'the right one contradicts what was trusted by the wrong one');
SELECT is(pg_temp.remove(:t, 'n'), 'manifest of n 1:amd64 (file)',
  'one by which nothing is trusted');
SELECT test.heard(:t);
SELECT test.work(:t);
SELECT is(test.open(:t), '{}', 'is removed like others');
SELECT is(pg_temp.remove(:t, ''), 'release (file) h /r c', 'a release');
SELECT is(test.baseline(:t, '/r'), 'c unverified', 'is as well');
SELECT is_empty(format('SELECT process_dna.manifest_remove(%s, 1000000, $$$$,
    $$$$)', :t), 'one that is not there is not');
SELECT test.tenant('other') AS o \gset
SELECT test.manifest(:o, 'dpkg:n=1:amd64', '/p', 'a');
SELECT is_empty(format('SELECT process_dna.manifest_remove(%s, package_id,
    $$$$, $$$$) FROM process_dna.manifest_packages WHERE tenant_id = %s',
    :t, :o), 'nor is one of another tenant');
SELECT * FROM finish();
ROLLBACK;
