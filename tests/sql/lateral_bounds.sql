-- Goal: however busy a host is, one call does a limited part, all of it is done
-- in the end, and the pages are one for each host that was reached.
BEGIN;
SELECT plan(18);
SELECT test.tenant() AS t \gset
SELECT test.scan(:t, 'bastion', 0, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.1,192.0.2.2,2001:db8::1}');
SELECT test.scan(:t, 'h' || n, 0, '{}', addresses => ARRAY['10.0.0.' || n])
  FROM generate_series(1, 50) n;

-- 1000 logins of a bastion on fifty hosts from three addresses, and a
-- change there: all of them wait, and so does the alert.
SELECT count(test.auth(:t, 'h' || 1 + n % 50, 98 + n / 500.0, 'root',
    (ARRAY['192.0.2.1', '192.0.2.2', '2001:db8::1'])[1 + n % 3]))
  FROM generate_series(1, 1000) n \g /dev/null
DELETE FROM process_dna.lateral_queue; -- the alert alone has to find them
SELECT test.scan(:t, 'bastion', 100, ARRAY[test.exe('/p', 'b')],
  addresses => '{192.0.2.1,192.0.2.2,2001:db8::1}');
CREATE TEMP TABLE calls AS SELECT 0 AS n, w.* FROM process_dna.lateral_work(:t) w;
DO $$
BEGIN
  FOR v_n IN 1 .. 100 LOOP
    INSERT INTO calls SELECT v_n, w.*
    FROM process_dna.lateral_work(process_dna.tenant_id('t')) w;
    EXIT WHEN NOT (SELECT more FROM calls WHERE n = v_n);
  END LOOP;
END $$;
SELECT cmp_ok(max(detections), '<=', 200::bigint, 'one call detects a part')
  FROM calls;
SELECT cmp_ok(min(detections), '>=', 199::bigint, 'but no small one')
  FROM calls WHERE n < 4;
SELECT is(sum(detections), 1000::numeric, 'all are detected') FROM calls;
SELECT is(sum(raised), 50::numeric, 'and are fifty movements') FROM calls;
SELECT is((SELECT count(*)::integer FROM calls), 6,
  'in as many calls as it takes');
SELECT is((SELECT array_agg(more ORDER BY n) FROM calls),
  array_fill(true, ARRAY[5]) || false, 'of which each says if there is more');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT payload->>'peer_host')
    FROM process_dna.trap_outbox
    WHERE payload->>'kind' = 'lateral-movement'), '50 50',
  'each host is told of once');
SELECT is((SELECT count(DISTINCT event_id) FROM process_dna.lateral_detections),
  1000::bigint, 'each login is there');

-- A login and 500 changes: the other way round.
SELECT test.scan(:t, 'many', 0, (SELECT array_agg(test.exe('/p' || n, 'a'))
    FROM generate_series(1, 500) n), addresses => '{192.0.2.9}');
SELECT test.scan(:t, 'many', 200, (SELECT array_agg(test.exe('/p' || n, 'b'))
    FROM generate_series(1, 500) n), addresses => '{192.0.2.9}');
DELETE FROM process_dna.lateral_queue;
SELECT test.auth(:t, 'h1', 201, 'root', '192.0.2.9');
SELECT is((SELECT array_agg(detections || ' ' || raised || ' ' || more)
    FROM generate_series(1, 3) n,
      LATERAL process_dna.lateral_work(:t + 0 * n)),
  '{"200 200 true","200 200 true","100 100 false"}',
  'a login with many alerts takes several calls');

-- 300 movements that reach one host, which goes on: their hops are found anew
-- in parts.
SELECT test.scan(:t, 'many', 300, (SELECT array_agg(test.exe('/p' || n, 'c'))
    FROM generate_series(1, 300) n), addresses => '{192.0.2.9}');
SELECT test.auth(:t, 'h1', 301, 'root', '192.0.2.9');
SELECT is(test.lateral(:t), '300 300', '300 movements');
SELECT test.auth(:t, 'h2', 302, 'root', '10.0.0.1');
SELECT test.auth(:t, 'h2', 302.1, 'root', '10.0.0.1');
CREATE TEMP VIEW long AS
  SELECT count(*) FILTER (WHERE jsonb_array_length(hops) = 2)
  FROM process_dna.process_dna_alerts
  WHERE kind = 'lateral-movement' AND exe_sha256 = test.digest('c');
SELECT is((SELECT more FROM process_dna.lateral_work(:t)), true,
  'there is more');
SELECT is((SELECT count FROM long), 100::bigint, 'a part of them leads on');
SELECT is(test.lateral(:t), '0 0', 'no login is detected');
SELECT is((SELECT count FROM long), 300::bigint, 'then all do');
SELECT is((SELECT count(*)::integer FROM process_dna.lateral_queue), 0,
  'and nothing is left');

-- Ten hosts are logged on to, and each logs on to forty others.
SELECT count(test.auth(:t, 'h' || c, 402 + b / 10.0, 'root', '10.0.0.' || b))
  FROM generate_series(1, 10) b, generate_series(11, 50) c \g /dev/null
SELECT count(test.auth(:t, 'h' || b, 401, 'root', '192.0.2.1'))
  FROM generate_series(1, 10) b \g /dev/null
SELECT test.lateral(:t);
SELECT test.scan(:t, 'bastion', 400, ARRAY[test.exe('/p', 'c')],
  addresses => '{192.0.2.1,192.0.2.2,2001:db8::1}');
SELECT is((SELECT raised || ' ' || more FROM process_dna.lateral_work(:t)),
  '10 true', 'ten movements with long ways');
CREATE TEMP VIEW ways AS
  SELECT array_agg(jsonb_array_length(hops) ORDER BY alert_id) AS hops
  FROM process_dna.list_detections(:t, false)
  WHERE source = 'bastion' AND observed_sha256 = test.digest('c');
SELECT is(hops, array_fill(41, ARRAY[5]) || array_fill(1, ARRAY[5]),
  'one call follows a part of them') FROM ways;
SELECT test.lateral(:t);
SELECT is(hops, array_fill(41, ARRAY[10]), 'the next the rest') FROM ways;
SELECT * FROM finish();
ROLLBACK;
