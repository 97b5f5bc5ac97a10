-- Goal: of an executable on a host it is told what is trusted and was before,
-- which manifest decided, what else runs and what happened, and of no other.
BEGIN;
SELECT plan(28);
SELECT test.tenant() AS t, test.tenant('other') AS o \gset
CREATE FUNCTION pg_temp.find(p_t integer, p_host text, p_container text,
  VARIADIC p_paths text[]) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', CASE WHEN agent_id IS NULL THEN 'no host' END, path,
                   near)
  FROM process_dna.path_find(p_t, p_host, p_container, p_paths)
$$;
CREATE FUNCTION pg_temp.agent(p_t integer) RETURNS bigint LANGUAGE sql AS $$
  SELECT agent_id FROM process_dna.agents WHERE tenant_id = p_t AND name = 'h'
$$;
CREATE FUNCTION pg_temp.baselines(p_t integer, p_path text DEFAULT '/p',
  p_container text DEFAULT '') RETURNS text[] LANGUAGE sql AS $$
  SELECT ARRAY(SELECT concat_ws(' ', left(baseline_sha256, 1), baseline_grade,
    baseline_by, baseline_why, package_version, '<', manifest, '>',
    CASE WHEN baseline_until IS NULL THEN 'now' END)
  FROM process_dna.path_baselines(p_t, pg_temp.agent(p_t), p_container, p_path))
$$;
CREATE FUNCTION pg_temp.running(p_t integer, p_path text DEFAULT '/p')
RETURNS text[] LANGUAGE sql AS $$
  SELECT ARRAY(SELECT concat_ws(' ', left(observed_sha256, 1), exe_state, reason,
    verdict, severity, CASE WHEN alert_id IS NOT NULL THEN 'alert' END,
    CASE WHEN held_until IS NOT NULL THEN 'until' END)
  FROM process_dna.path_running(p_t, pg_temp.agent(p_t), '', p_path))
$$;
CREATE FUNCTION pg_temp.events(p_t integer, p_path text DEFAULT '/p')
RETURNS text[] LANGUAGE sql AS $$
  SELECT ARRAY(SELECT concat_ws(' ', event, left(old_sha256, 1),
    left(new_sha256, 1), who, why)
  FROM process_dna.path_events(p_t, pg_temp.agent(p_t), '', p_path))
$$;
CREATE FUNCTION pg_temp.run(p_t integer, p_minute integer, p_digit text,
  p_version text, p_state text DEFAULT 'current') RETURNS void
LANGUAGE sql AS $$
  SELECT test.scan(p_t, 'h', p_minute, ARRAY[
    test.exe('/p', p_digit, p_state, package => 'dpkg:n=' || p_version),
    test.exe('/p', '9', container => 'box'), test.exe('/q', '8')])
$$;

-- The same host and path in another tenant, with other digests
SELECT test.manifest(:o, 'dpkg:n=2:amd64', '/p', 'f');
SELECT pg_temp.run(:o, 1420, 'e', '1:amd64');
SELECT pg_temp.run(:o, 1421, 'f', '2:amd64');
SELECT pg_temp.run(:o, 1422, '1', '2:amd64');
SELECT pg_temp.run(:t, 1420, 'a', '1:amd64');
SELECT is(pg_temp.baselines(:t), ARRAY['a first-use 1 < > now'],
  'a first use is vouched for by nobody');
SELECT is(pg_temp.running(:t), '{}', 'what is trusted is nothing else');
SELECT is(pg_temp.events(:t), '{}', 'and nothing happened');

-- Updates with their manifests
SELECT test.manifest(:t, 'dpkg:n=2:amd64', '/p', 'b'),
  test.manifest(:t, 'dpkg:n=3:amd64', '/p', 'c');
SELECT pg_temp.run(:t, 1421, 'b', '2:amd64');
SELECT pg_temp.run(:t, 1422, 'c', '3:amd64');
SELECT is(pg_temp.baselines(:t), ARRAY[
    'c manifest 3 < manifest of n 3:amd64 (file) > now',
    'b manifest 2 < manifest of n 2:amd64 (file) >',
    'a first-use 1 < >'],
  'each update is told with its manifest, the newest first');
SELECT is((SELECT array_agg(ROW(manifest_id IS NOT NULL, manifest_package,
      manifest_version, manifest_provenance, manifest_added_by IS NOT NULL,
      manifest_added_at IS NOT NULL, baseline_since = test.at(1422))::text)
    FROM process_dna.path_baselines(:t, pg_temp.agent(:t), '', '/p')
    WHERE baseline_until IS NULL), ARRAY['(t,n,3,file,t,t,t)'],
  'which has a number, and somebody who imported it');
SELECT is(pg_temp.events(:t), ARRAY[
    'rebaselined b c manifest of n 3:amd64 (file)',
    'rebaselined a b manifest of n 2:amd64 (file)'],
  'and so is what happened');
SELECT is(pg_temp.baselines(:t, '/p', 'box'), ARRAY['9 first-use < > now'],
  'the path in a container is another');
SELECT is(pg_temp.baselines(:t, '/q'), ARRAY['8 first-use < > now'],
  'as is another path');

-- An old image that runs on, and something else
SELECT test.scan(:t, 'h', 1423, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'b', 'superseded', package => 'dpkg:n=3:amd64'),
  test.exe('/p', 'd', 'deleted', package => 'dpkg:n=3:amd64')]);
SELECT is(pg_temp.running(:t), ARRAY['b superseded restart-pending',
    'd deleted not-in-manifest critical alert'],
  'what runs besides what is trusted is told with its alert');
SELECT is(alert_id, (SELECT alert_id FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t AND state = 'open'), 'by its number')
  FROM process_dna.path_running(:t, pg_temp.agent(:t), '', '/p')
  WHERE alert_id IS NOT NULL;
SELECT test.scan(:t, 'h', 1424, ARRAY[test.exe('/q', '8')]);
SELECT is(pg_temp.running(:t), ARRAY['d not-in-manifest critical alert'],
  'an alert stays open when nothing runs any more');
SELECT process_dna.accept(:t, alert_id, 'me', 'a test')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t AND state = 'open';
SELECT is((pg_temp.baselines(:t))[1:2], ARRAY['d accepted me a test 3 < > now',
    'c manifest 3 < manifest of n 3:amd64 (file) >'],
  'what was accepted is told with who and why');
SELECT is((pg_temp.events(:t))[1], 'accepted c d me a test', 'as is that it was');
SELECT is(pg_temp.running(:t), '{}', 'and its alert is gone');

-- A manifest that is removed
SELECT process_dna.manifest_remove(:t, package_id, 'me', 'mistake')
  FROM process_dna.manifest_packages WHERE tenant_id = :t AND version = '3';
SELECT is((pg_temp.baselines(:t))[2], 'c unverified 3 < >',
  'what a removed manifest vouched for is vouched for by nobody');
SELECT is(pg_temp.events(:t), ARRAY['accepted c d me a test',
    'rebaselined b c manifest of n 3:amd64 (file)',
    'rebaselined a b manifest of n 2:amd64 (file)'],
  'and that it had been remains');

-- A verdict that is held
UPDATE process_dna.tenants SET manifest_fetch = '{dpkg}' WHERE tenant_id = :t;
SELECT pg_temp.run(:t, 1430, 'd', '3:amd64');
SELECT pg_temp.run(:t, 1431, '7', '4:amd64');
SELECT is(pg_temp.running(:t), ARRAY['7 current held until'],
  'what waits for its manifest is told');

-- A process that hides behind what is trusted and runs too
SELECT test.scan(:t, 'h', 1440, ARRAY[test.exe('/q', '8'),
  test.exe('/q', '8', 'spoofed')]);
SELECT is(pg_temp.running(:t, '/q'), ARRAY['8 spoofed spoofed critical alert'],
  'of what is trusted only the alert is told');
SELECT process_dna.accept(:t, alert_id, 'me', 'a test')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t AND state = 'open'
    AND verdict = 'spoofed';
SELECT is(pg_temp.running(:t, '/q'), ARRAY['8 spoofed spoofed'],
  'that process also where its alert was accepted');
SELECT test.scan(:t, 'h', 1441, ARRAY[test.exe('/q', '8')]);
SELECT is(pg_temp.running(:t, '/q'), '{}', 'which ends with that process');

-- Finding it
SELECT is(pg_temp.find(:t, 'h', '', '/x', '/p', '/q'), '/p',
  'the first path that is known is meant');
SELECT is(pg_temp.find(:t, 'h', '', '/usr/bin/p', '/bin/p'),
  '/p, /p in container box', 'of others, files of that name are told');
SELECT is(pg_temp.find(:t, 'h', 'box', '/q'), '/q', 'also in no container');
SELECT is(pg_temp.find(:t, 'h', '', '/x'), '', 'or none');
SELECT is(pg_temp.find(:t, 'H.example', '', '/p'), 'no host | h',
  'of hosts that are not there, the one that may be meant');
SELECT is(pg_temp.find(:t, 'x', '', '/p'), 'no host', 'or none');

-- The other tenant
SELECT is(pg_temp.baselines(:o) || pg_temp.running(:o) || pg_temp.events(:o),
  ARRAY['f manifest 2 < manifest of n 2:amd64 (file) > now',
    'e first-use 1 < >', '1 current not-in-manifest critical alert',
    'rebaselined e f manifest of n 2:amd64 (file)'],
  'another tenant has its own');
SELECT is((SELECT count(*)::integer FROM process_dna.agents g
    CROSS JOIN LATERAL (
      SELECT FROM process_dna.path_baselines(:t, g.agent_id, '', '/p')
      UNION ALL
      SELECT FROM process_dna.path_running(:t, g.agent_id, '', '/p')
      UNION ALL
      SELECT FROM process_dna.path_events(:t, g.agent_id, '', '/p')) f
    WHERE g.tenant_id = :o), 0, 'which this one does not see');
SELECT * FROM finish();
ROLLBACK;
