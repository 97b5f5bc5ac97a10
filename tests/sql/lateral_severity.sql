-- Goal: a movement is critical if its user had not come this way in the 30 days
-- before, and only what could be known by then makes a way well known.
BEGIN;
SELECT plan(27);
SELECT test.tenant() AS t \gset
SELECT test.scan(:t, h, -45 * 1440, ARRAY[test.exe('/p', 'a')],
    addresses => ARRAY['192.0.2.' || ascii(h) - 96])
  FROM unnest('{a,b,c,d,s}'::text[]) h;

-- A change of a at this minute and a login at the next; how grave that is.
CREATE FUNCTION pg_temp.grave(p_minute numeric, p_target text DEFAULT 'b',
                              p_user text DEFAULT 'root')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := process_dna.tenant_id('t');
BEGIN
  PERFORM test.scan(v_tenant, 'a', p_minute,
    ARRAY[test.exe('/p', 'a')], addresses => '{192.0.2.1}');
  PERFORM test.scan(v_tenant, 'a', p_minute + 0.1,
    ARRAY[test.exe('/p', 'b')], addresses => '{192.0.2.1}');
  PERFORM test.auth(v_tenant, p_target, p_minute + 1, p_user, '192.0.2.1');
  PERFORM test.lateral(v_tenant);
  RETURN severity FROM process_dna.list_detections(v_tenant, true)
    ORDER BY alert_id DESC LIMIT 1;
END $$;

SELECT test.auth(:t, 'b', 100, 'root', '192.0.2.1', outcome => 'failed');
SELECT test.auth(:t, 'c', 100, 'root', '192.0.2.1');
SELECT test.auth(:t, 'b', 100, 'admin', '192.0.2.1');
SELECT test.auth(:t, 'b', 100, 'root', '192.0.2.4');
SELECT is(pg_temp.grave(200), 'critical',
  'neither a failure, nor another host, user or source makes a way known');
SELECT is(pg_temp.grave(300), 'warning', 'a login before does');
SELECT is(pg_temp.grave(300.5, 'c'), 'warning', 'for each way of its own');
SELECT is(pg_temp.grave(301, 'd'), 'critical', 'and no other');

-- Thirty days before the window, to the microsecond.
SELECT test.auth(:t, 'b', 1000.1 - 5 - 30 * 1440 - 1/60e6, 'old1', '192.0.2.1',
  arrived => 500, trust => 'file');
SELECT is(pg_temp.grave(1000, 'b', 'old1'), 'critical',
  'what is more than 30 days before the window is forgotten');
SELECT test.auth(:t, 'b', 1010.1 - 5 - 30 * 1440, 'old2', '192.0.2.1',
  arrived => 500, trust => 'file');
SELECT is(pg_temp.grave(1010, 'b', 'old2'), 'warning', '30 days before is not');
SELECT test.auth(:t, 'b', 1020.1 - 5 - 1/60e6, 'new1', '192.0.2.1');
SELECT is(pg_temp.grave(1020, 'b', 'new1'), 'warning',
  'nor what is just before the window');
SELECT test.auth(:t, 'b', 1030.1 - 5, 'new2', '192.0.2.1');
SELECT is(pg_temp.grave(1030, 'b', 'new2'), 'critical',
  'what is within it is what is being judged');

-- Forged, or late.
SELECT test.auth(:t, 'b', 1032, 'forged', '192.0.2.1', arrived => 1041,
    trust => trust) FROM unnest('{udp,tcp}'::text[]) trust;
UPDATE process_dna.auth_events SET observed_at = test.at(1032)
WHERE auth_user = 'forged';
SELECT is(pg_temp.grave(1040, 'b', 'forged'), 'critical',
  'what anybody may send makes no way known after the change');
SELECT test.auth(:t, 'b', 1052, 'late', '192.0.2.1', arrived => 1061,
  trust => 'file');
SELECT is(pg_temp.grave(1060, 'b', 'late'), 'warning',
  'what a file says may be late');

-- A movement is as grave as its gravest login, told of when that comes.
SELECT test.auth(:t, 's', 1060, 'root', '192.0.2.1');
SELECT is(pg_temp.grave(1100, 's'), 'warning', 'a way that is known');
SELECT process_dna.outbox_done(:t, array_agg(outbox_id))
  FROM process_dna.trap_outbox;
SELECT test.auth(:t, 's', 1102, 'root', '192.0.2.1');
SELECT test.lateral(:t);
SELECT is(test.movement_traps(:t), '{}', 'a login like it is no news');
SELECT test.auth(:t, 's', 1103, 'eve', '192.0.2.1');
SELECT test.lateral(:t);
SELECT is(test.movement_traps(:t), '{"updated critical a s"}',
  'one of somebody new is');
SELECT is((SELECT payload->>'auth_user' FROM process_dna.trap_outbox
    ORDER BY outbox_id DESC LIMIT 1), 'eve', 'whom the trap names');
SELECT test.auth(:t, 's', 1104, 'mallory', '192.0.2.1');
SELECT test.auth(:t, 's', 1101.5, 'root', '192.0.2.1');
SELECT test.lateral(:t);
SELECT is(test.movement_traps(:t), '{"updated critical a s"}',
  'graver than critical is nothing');
SELECT row_eq($$SELECT severity, logins, auth_users, first_time
  FROM process_dna.list_detections(process_dna.tenant_id('t'), true)
  ORDER BY alert_id DESC LIMIT 1$$,
  ROW('critical'::text, 5::bigint, '{eve,mallory,root}'::text[], true),
  'the movement has them all');

-- The source had the address of somebody else before.
SELECT test.scan(:t, 'd', 1200, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.40}');
SELECT test.auth(:t, 'b', 1210, 'moved', '192.0.2.40');
SELECT test.scan(:t, 'd', m, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.4}') FROM unnest(ARRAY[1220, 1221]) m;
SELECT test.scan(:t, 'a', m, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.1,192.0.2.40}') FROM unnest(ARRAY[1240, 1241]) m;
SELECT test.scan(:t, 'a', 1250, ARRAY[test.exe('/p', 'b')],
  addresses => '{192.0.2.1,192.0.2.40}');
SELECT test.auth(:t, 'b', 1251, 'moved', '192.0.2.40');
SELECT test.lateral(:t);
SELECT is((SELECT severity FROM process_dna.list_detections(:t, true)
    ORDER BY alert_id DESC LIMIT 1), 'critical',
  'who had the address then has not come that way by that');
SELECT test.scan(:t, 'a', 1260, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.1}');
SELECT test.scan(:t, 'a', 1270, ARRAY[test.exe('/p', 'b')],
  addresses => '{192.0.2.41}');
SELECT test.auth(:t, 'b', 1271, 'moved', '192.0.2.41');
SELECT test.lateral(:t);
SELECT is((SELECT severity FROM process_dna.list_detections(:t, true)
    ORDER BY alert_id DESC LIMIT 1), 'warning',
  'but a way is known whatever the address was');

-- auth_users that are long or odd.
SELECT is(pg_temp.grave(1300, 'b', repeat(E'\u00e9\\', 1000)), 'critical',
  'a user''s name may be of any length');

-- Who sent it: root on a, or on another host, in the name of b; b itself, alone
-- or behind an address that it shares; a relay that is no agent, or a file that
-- one wrote.
SELECT test.auth(:t, 'b', 1310, w.way, '192.0.2.1', trust => w.trust,
    peer => w.peer)
  FROM (VALUES ('by a', 'tls', '192.0.2.1'), ('by d', 'tcp', '192.0.2.4'),
    ('by b', 'tls', '192.0.2.2'), ('by a relay', 'tcp', '192.0.2.99'),
    ('from a file', 'file', '192.0.2.1'), ('udp by d', 'udp', '192.0.2.4'))
    w (way, trust, peer);
SELECT is(pg_temp.grave(1320 + 10 * n, 'b', way), severity, way)
  FROM (VALUES (1, 'by a', 'critical'), (2, 'by d', 'critical'),
    (3, 'by b', 'warning'), (4, 'by a relay', 'warning'),
    (5, 'from a file', 'warning'), (6, 'udp by d', 'critical'))
    w (n, way, severity) ORDER BY n;
SELECT test.scan(:t, 'c', 1385, ARRAY[test.exe('/p', 'a')],
    addresses => '{192.0.2.3,192.0.2.50}');
SELECT test.scan(:t, 'b', 1385, ARRAY[test.exe('/p', 'a')],
    addresses => '{192.0.2.2,192.0.2.50}');
SELECT test.auth(:t, 'b', 1386, 'shared', '192.0.2.1', peer => '192.0.2.50');
SELECT is(pg_temp.grave(1400, 'b', 'shared'), 'warning',
  'by one of two that have the address, of which b is one');

-- A host with more logins than are linked at once becomes known with one more.
SELECT test.auth(:t, 'e', 1310, 'other', '192.0.2.1', trust => 'file')
  FROM generate_series(1, 500);
SELECT test.auth(:t, 'e.example', 1310, 'root', '192.0.2.1', trust => 'file');
SELECT test.lateral(:t);
SELECT test.scan(:t, 'e', 1410, ARRAY[test.exe('/p', 'a')], addresses => '{}');
SELECT is(pg_temp.grave(1420, 'e'), 'warning',
  'and how well known a way is waits for all of them');
SELECT * FROM finish();
ROLLBACK;
