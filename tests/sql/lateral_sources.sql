-- Goal: a login is of the agents that its address identifies at that time,
-- whenever that becomes known.
BEGIN;
SELECT plan(23);
SELECT test.tenant() AS t \gset
CREATE FUNCTION pg_temp.scan(p_host text, p_minute numeric, p_digit text,
                             VARIADIC p_addresses text[])
RETURNS void LANGUAGE sql AS $$
  SELECT FROM test.scan(process_dna.tenant_id('t'), p_host, p_minute,
    ARRAY[test.exe('/p', p_digit)], addresses => p_addresses)
$$;
-- A login on b at this minute, and what becomes of it.
CREATE FUNCTION pg_temp.login(p_address text, p_minute numeric,
                              p_target text DEFAULT 'b')
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.auth(process_dna.tenant_id('t'), p_target, p_minute, 'root',
                    p_address);
  RETURN test.lateral(process_dna.tenant_id('t'));
END $$;
SELECT pg_temp.scan('b', 0, 'a', '192.0.2.2');

-- Several agents with one address.
SELECT pg_temp.scan('n' || n, 0, 'a', '192.0.2.10', '192.0.2.' || 10 + n)
  FROM generate_series(1, 3) n;
SELECT pg_temp.scan('n1', 10, 'b', '192.0.2.10', '192.0.2.11');
SELECT is(pg_temp.login('192.0.2.11', 11), '1 1', 'an address of its own');
SELECT is(pg_temp.login('192.0.2.10', 12), '1 0',
  'one that three have names each of them');
SELECT results_eq($$SELECT l.sources
    FROM process_dna.list_detections(process_dna.tenant_id('t'), false) d,
      process_dna.detection_logins(process_dna.tenant_id('t'), d.alert_id) l$$,
  $$VALUES ('{n1}'::text[]), ('{n1,n2,n3}')$$, 'all are told');
SELECT is((SELECT ambiguous FROM process_dna.list_detections(:t, false)), true,
  'and that it is ambiguous');
SELECT pg_temp.scan('n2', 10, 'b', '192.0.2.10', '192.0.2.12');
SELECT is(test.lateral(:t), '1 1', 'if two are changed, both may be it');
SELECT is(test.movements(:t), '{"n1 b /p b critical open 2 root b",
    "n2 b /p b critical open 1 root b"}', 'each has a movement');
SELECT matches((SELECT line FROM process_dna.list_detections(:t, false)
  WHERE source = 'n2'), 'other hosts have that address', 'whose line says so');
SELECT pg_temp.scan('n4', 20, 'a', '192.0.2.10');
SELECT pg_temp.scan('n1', 29, 'a', '192.0.2.10', '192.0.2.11');
SELECT pg_temp.scan('n1', 30, 'c', '192.0.2.10', '192.0.2.11');
SELECT is(pg_temp.login('192.0.2.10', 31), '0 0', 'one of four names nobody');

-- The target has it as well: docker0 and the like.
SELECT pg_temp.scan('d' || n, 0, 'a', '172.17.0.1', '192.0.2.' || 20 + n)
  FROM generate_series(1, 2) n;
SELECT pg_temp.scan('d1', 10, 'b', '172.17.0.1', '192.0.2.21');
SELECT is(pg_temp.login('172.17.0.1', 11, 'd2'), '0 0',
  'an address that the target has names nobody');
SELECT is(pg_temp.login('172.17.0.1', 11), '1 1', 'to others it does');
SELECT pg_temp.scan('lo', 0, 'a', '127.0.0.1', '192.0.2.30');
SELECT pg_temp.scan('lo', 10, 'b', '127.0.0.1', '192.0.2.30');
SELECT is(pg_temp.login('127.0.0.1', 11), '0 0', 'nor does one of loopback');

-- At that time.
SELECT pg_temp.scan('old', 0, 'a', '192.0.2.40');
SELECT pg_temp.scan('old', 10, 'a', '192.0.2.41');
SELECT pg_temp.scan('old', 30, 'b', '192.0.2.41');
SELECT is(pg_temp.login('192.0.2.40', 31), '0 0',
  'an address that it had long before is not its');
SELECT is(pg_temp.login('192.0.2.41', 31), '1 1', 'but the present one');

-- IPv6, and IPv4 in it.
SELECT pg_temp.scan('six', 0, 'a', '2001:db8::1', '192.0.2.50');
SELECT pg_temp.scan('six', 10, 'b', '2001:db8::1', '192.0.2.50');
SELECT is(pg_temp.login('2001:DB8:0::1', 11), '1 1', 'an address of IPv6');
SELECT is(pg_temp.login('::ffff:192.0.2.50', 11), '1 0',
  'IPv4 in IPv6 is IPv4');

-- Known later: an address, by a scan and by hand.
SELECT pg_temp.scan('late', 0, 'a', '192.0.2.60');
SELECT pg_temp.scan('late', 10, 'b', '192.0.2.60');
SELECT is(pg_temp.login('192.0.2.61', 11), '0 0', 'an address of nobody');
SELECT pg_temp.scan('late', 12, 'b', '192.0.2.60', '192.0.2.61');
SELECT is(test.lateral(:t), '1 1',
  'becomes one that the next scan tells of, a cycle late');
SELECT test.scan(:t, 'nat', 1440 - 2, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.0.2.70}');
SELECT test.scan(:t, 'nat', 1440 - 1, ARRAY[test.exe('/p', 'b')],
  addresses => '{192.0.2.70}');
SELECT is(pg_temp.login('203.0.113.1', 1440), '0 0', 'behind NAT');
SELECT process_dna.address_add(:t, 'nat', '203.0.113.1', 'me');
SELECT is(test.lateral(:t), '1 1', 'it is known as soon as it is added');

-- A host that becomes an agent later, or a name that does.
SELECT pg_temp.scan('web', 0, 'a', '192.0.2.80');
SELECT pg_temp.scan('web', 100, 'b', '192.0.2.80');
SELECT is(pg_temp.login('192.0.2.80', 101, 'later'), '0 0',
  'a login on a host that is not known');
SELECT pg_temp.scan('later', 110, 'a', '192.0.2.81');
SELECT is(test.lateral(:t), '1 1', 'counts when it becomes an agent');
SELECT is(pg_temp.login('192.0.2.80', 101, 'other-name'), '0 0',
  'and one on another name');
SELECT process_dna.address_add(:t, 'b', 'other-name', 'me');
SELECT is(test.lateral(:t), '1 1', 'when that is added');
SELECT * FROM finish();
ROLLBACK;
