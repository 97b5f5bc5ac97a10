-- Goal: one open alert for each executable and digest, which ends when it
-- should and not before, by itself or by somebody's word.
BEGIN;
SELECT plan(51);
SELECT test.tenant() AS t \gset

SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'c'), test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 2, ARRAY[test.exe('/p', 'c', pid => 7),
  test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 3, ARRAY[test.exe('/p', 'c', pid => 7),
  test.exe('/q', 'b')]);
SELECT row_eq(format($$SELECT count(*), max(seen), max(pid), max(observed_at),
      max(last_seen) FROM process_dna.process_dna_alerts
      WHERE tenant_id = %s$$, :t),
  ROW(1::bigint, 3::bigint, 7, test.at(1), test.at(3)),
  'seen again, an alert only counts, and follows its process');
SELECT is(test.traps(:t), ARRAY['pdnaBinaryChanged raised critical'],
  'it sends one trap');

SELECT test.scan(:t, 'h', 4, ARRAY[test.exe('/q', 'b')]);
SELECT is(test.open(:t), ARRAY['h /p c no-known-update critical'],
  'it stays while nothing runs at the path');
SELECT test.scan(:t, 'h', 5, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b'),
  test.exe('/tmp/hidden', 'c')]);
SELECT is(test.open(:t), ARRAY['h /p c no-known-update critical'],
  'it stays while its digest runs elsewhere, trusted there since');
SELECT test.scan(:t, 'h', 6, ARRAY[test.exe('/p', 'a', 'superseded'),
  test.exe('/p', 'd', 'replaced'), test.exe('/q', 'b')]);
SELECT is(test.open(:t), ARRAY['h /p c no-known-update critical',
  'h /p d no-known-update critical'],
  'a trusted image over another file does not resolve it');
SELECT test.scan(:t, 'h', 7, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT is(test.open(:t), '{}',
  'with the trusted digest back and its own nowhere it resolves');
SELECT is(test.traps(:t), ARRAY['pdnaBinaryChanged raised critical',
  'pdnaBinaryChanged raised critical', 'pdnaAlertCleared cleared cleared',
  'pdnaAlertCleared cleared cleared'], 'and clears');
SELECT is((SELECT array_agg(DISTINCT baseline_match)
    FROM process_dna.process_dna_alerts WHERE tenant_id = :t), ARRAY[false],
  'which does not explain it');
SELECT is((SELECT settled FROM test.scan(:t, 'h', 8, ARRAY[
    test.exe('/p', 'a'), test.exe('/q', 'b')])), true, 'then all is settled');
SELECT test.scan(:t, 'h', 9, ARRAY[test.exe('/p', 'b'), test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 10, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT is(test.open(:t), '{}',
  'a digest that was trusted elsewhere before does not keep it open');
SELECT test.scan(:t, 'h', 11, ARRAY[test.exe('/p', 'c'), test.exe('/q', 'b')]);
SELECT is((SELECT count(DISTINCT key) || ' ' || count(*)
    FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t AND exe_sha256 = test.digest('c')), '1 2',
  'the same once more is a new alert of the same key');

-- accept
SELECT alert_id AS id FROM process_dna.process_dna_alerts
  WHERE tenant_id = :t AND state = 'open' \gset
SELECT test.scan(:t, 'h', 12, ARRAY[test.exe('/p', 'c', 'replaced'),
  test.exe('/p', 'a', 'superseded'), test.exe('/q', 'b')]);
SELECT is(process_dna.accept(:t, :id, 'me@host', 'our release'), 'accepted',
  'an open alert is accepted');
SELECT row_eq(format($$SELECT state, who, why, baseline_match
    FROM process_dna.process_dna_alerts WHERE alert_id = %s$$, :id),
  ROW('accepted'::text COLLATE "C", 'me@host'::text, 'our release'::text, true),
  'by whom and why, and it counts as explained');
SELECT row_eq(format($$SELECT grade, made_by, why, since
    FROM process_dna.baselines WHERE tenant_id = %s AND path = '/p'
      AND until IS NULL$$, :t),
  ROW('accepted'::text, 'me@host'::text, 'our release'::text, test.at(12)),
  'its digest is the baseline, by the host''s clock');
SELECT is((test.traps(:t))[array_upper(test.traps(:t), 1)],
  'pdnaAlertCleared cleared cleared', 'the clear goes out');
SELECT is((SELECT settled FROM test.scan(:t, 'h', 13, ARRAY[
    test.exe('/p', 'c', 'replaced'), test.exe('/p', 'a', 'superseded'),
    test.exe('/q', 'b')])), true, 'what runs on raises no second alert');
SELECT is(test.verdict(:t, '/p', 'a'), 'restart-pending',
  'nor does the image from before');
SELECT is(process_dna.accept(:t, :id, 'me', 'again'), 'not open', 'only once');
SELECT is(process_dna.accept(:t, 0, 'me', 'x'), 'no such alert', 'if it is there');
SELECT is(process_dna.accept(:t + 1, :id, 'me', 'x'), 'no such alert',
  'in this tenant');

SELECT test.scan(:t, 'h', 14, ARRAY[test.exe('/memfd:x', 'e', 'anonymous')]);
SELECT process_dna.accept(:t, max(alert_id), 'me', 'known')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t;
SELECT is((SELECT settled FROM test.scan(:t, 'h', 15, ARRAY[
    test.exe('/memfd:x', 'e', 'anonymous')])), true,
  'what never lay on disk can be accepted by its digest');
SELECT is(test.verdict(:t, '/memfd:x', 'e'), 'match', 'and matches then');

SELECT test.scan(:t, 'h', 16, ARRAY[test.exe('/s', 'a', 'spoofed')]);
SELECT process_dna.accept(:t, max(alert_id), 'me', 'known')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t;
SELECT test.scan(:t, 'h', 17, ARRAY[test.exe('/s', 'a', 'spoofed')]);
SELECT is(test.open(:t), '{}', 'an accepted spoofed process is quiet');
SELECT is(test.baseline(:t, '/s'), NULL, 'though it gives no baseline');
SELECT test.scan(:t, 'h', 18, ARRAY[test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 19, ARRAY[test.exe('/s', 'a', 'spoofed')]);
SELECT is(test.open(:t), ARRAY['h /s a spoofed critical'],
  'until it is gone and comes back');

-- accept, with an anonymous executable that lived on the digest's trust
SELECT test.scan(:t, 'run', 0, ARRAY[test.exe('/r', 'a'),
  test.exe('/memfd:r', 'a', 'anonymous')]);
SELECT test.scan(:t, 'run', 1, ARRAY[test.exe('/r', 'b'),
  test.exe('/memfd:r', 'a', 'anonymous')]);
SELECT process_dna.accept(:t, max(alert_id), 'me', 'new runc')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t;
SELECT test.scan(:t, 'run', 2, ARRAY[test.exe('/r', 'b'),
  test.exe('/memfd:r', 'a', 'anonymous')]);
SELECT is(test.verdict(:t, '/memfd:r', 'a'), 'never-on-disk',
  'what was trusted for a former baseline''s digest is judged anew');

-- agents reset
SELECT test.tenant('reset') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT test.scan(:t, 'h', 1, ARRAY[test.exe('/p', 'c'), test.exe('/q', 'b')]);
SELECT is(process_dna.agents_reset(:t, 'h', 'me'), 'done', 'an agent is reset');
SELECT is(test.open(:t), '{}', 'its alerts are closed');
SELECT is((SELECT count(*)::integer FROM process_dna.baselines
    WHERE tenant_id = :t AND until IS NULL), 0, 'its baselines are former ones');
SELECT is((SELECT outcome FROM test.scan(:t, 'h', -5, ARRAY[
    test.exe('/p', 'c'), test.exe('/q', 'b')])), 'judged',
  'a scan of any time is taken next');
SELECT is(test.baseline(:t, '/p') || test.open(:t)::text, 'c first-use{}',
  'and gives new baselines');
SELECT is((SELECT count(*)::integer FROM process_dna.agent_events
    WHERE tenant_id = :t AND event = 'reset' AND who = 'me'), 1,
  'a reset is an event');
SELECT is((SELECT learning_since FROM process_dna.agents
    WHERE tenant_id = :t), now(), 'and learning begins again');

-- agents rebind
SELECT is(process_dna.agents_rebind(:t, 'h', 'other', 'me'), 'done',
  'an agent is bound to another signer');
SELECT is((SELECT outcome FROM test.scan(:t, 'h', 20,
    ARRAY[test.exe('/p', 'c')])), 'wrong-signer', 'the old one is refused');
SELECT is((SELECT outcome FROM test.scan(:t, 'h', 20,
    ARRAY[test.exe('/p', 'c')], signer => 'other')), 'judged',
  'the new one is taken');
SELECT process_dna.agents_rebind(:t, 'h', NULL, 'me');
SELECT test.scan(:t, 'h', 21, ARRAY[test.exe('/p', 'c')], signer => 'third');
SELECT is((SELECT signer FROM process_dna.list_agents(:t, NULL)),
  'third', 'bound to nobody, the next that signs is taken');

-- agents retire
SELECT test.scan(:t, 'h', 22, ARRAY[test.exe('/p', 'd'),
  test.exe('/held', 'e', package => 'dpkg:n=1:amd64+')], signer => 'third');
SELECT is(test.verdict(:t, '/held', 'e'), 'held', 'something is held');
SELECT is(process_dna.agents_retire(:t, 'h', 'me'), 'done',
  'an agent is retired');
SELECT is(test.open(:t), '{}', 'its alerts are closed');
SELECT is((SELECT outcome FROM test.scan(:t, 'h', 23,
    ARRAY[test.exe('/p', 'd')], signer => 'third')), 'retired',
  'its scans are refused');
SELECT is(test.work(:t), '0 0 0', 'its silence is none, nor is a hold');
SELECT is((SELECT value FROM process_dna.list_status(:t) WHERE key = 'held'),
  '0', 'which status does not count either');
SELECT is((SELECT state FROM process_dna.list_agents(:t, 'h')), 'retired',
  'it is listed so');
SELECT process_dna.agents_reset(:t, 'h', 'me');
SELECT is((SELECT outcome FROM test.scan(:t, 'h', 24,
    ARRAY[test.exe('/p', 'd')], signer => 'third')), 'judged',
  'a reset brings it back');
SELECT is(ARRAY[process_dna.agents_retire(:t, 'x', 'me'),
    process_dna.agents_rebind(:t, 'x', 'u', 'me'),
    process_dna.agents_reset(:t, 'x', 'me'),
    process_dna.address_add(:t, 'x', '192.0.2.1', 'me'),
    process_dna.address_remove(:t, 'x', '192.0.2.1', 'me')],
  array_fill('no such agent'::text, ARRAY[5]), 'unknown agents are said so');

-- addresses
SELECT is(ARRAY[process_dna.address_add(:t, 'h', '2001:DB8::5', 'me'),
    process_dna.address_add(:t, 'h', '2001:db8::5', 'me'),
    process_dna.address_add(:t, 'h', '10.0.0.0/8', 'me')],
  ARRAY['done', 'there already', 'neither an address nor a name'],
  'addresses are added once, if they are any');
SELECT test.scan(:t, 'h', 25, ARRAY[test.exe('/p', 'd')], signer => 'third',
  addresses => '{192.0.2.9}');
SELECT results_eq(format($$SELECT address, source, added_by
    FROM process_dna.list_addresses(%s, 'h') WHERE present$$, :t),
  $$VALUES ('192.0.2.9', 'collectd', NULL), ('2001:db8::5', 'manual', 'me')$$,
  'no scan takes them away');
SELECT is(ARRAY[process_dna.address_remove(:t, 'h', '2001:DB8:0::5', 'me'),
    process_dna.address_remove(:t, 'h', '2001:db8::5', 'me'),
    process_dna.address_remove(:t, 'h', 'here', 'me')],
  ARRAY['done', 'no such address', 'no such address'],
  'somebody does, however they write it');

-- what an alert tells follows what is there
SELECT test.tenant('follows') AS t \gset
SELECT test.scan(:t, 'h', 0, ARRAY[
  test.exe('/p', 'a', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 1, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=1:amd64')]);
SELECT test.scan(:t, 'h', 2, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is((SELECT array_agg(concat_ws(' ', payload->>'state',
      payload->>'verdict', payload->>'package') ORDER BY outbox_id)
    FROM process_dna.trap_outbox WHERE tenant_id = :t),
  ARRAY['raised no-known-update n 1', 'updated unverified-update n 2'],
  'an updated alert names the package''s version as it is now');
SELECT test.scan(:t, 'h', 3, ARRAY[
  test.exe('/p', 'c', package => 'dpkg:n=2:amd64')]);
SELECT process_dna.accept(:t, (SELECT alert_id
  FROM process_dna.process_dna_alerts
  WHERE tenant_id = :t AND exe_sha256 = test.digest('c')), 'me', 'mine');
SELECT test.scan(:t, 'h', 4, ARRAY[
  test.exe('/p', 'b', package => 'dpkg:n=2:amd64')]);
SELECT is((SELECT left(baseline_sha256, 1) || ' ' || baseline_grade
    FROM process_dna.process_dna_alerts
    WHERE tenant_id = :t AND state = 'open'), 'c accepted',
  'and what is trusted now');

SELECT * FROM finish();
ROLLBACK;
