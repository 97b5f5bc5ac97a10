-- Goal: a host name in a log, and an address that a login came from, stand for
-- the agents that had them then, and for nobody where they tell nobody apart.
BEGIN;
SELECT no_plan();
SELECT test.tenant() AS t, test.tenant('other') AS o \gset

-- Hosts of a tenant, whose first octet of an address is 10.
SELECT test.scan(:t, h.name, 0, ARRAY[test.exe('/p', 'a')],
    addresses => h.addresses)
  FROM (VALUES ('web1.example.org', '{10.0.0.1,2001:db8::1}'::text[]),
    ('db', '{10.0.0.2}'), ('Mixed.Example', '{10.0.0.3}'),
    ('mail.a', '{10.0.0.4}'), ('mail.b', '{10.0.0.5}'), ('10', '{10.0.0.6}'),
    ('twin', '{10.0.0.7}'), ('TWIN', '{10.0.0.8}'), ('gone.a', '{10.0.0.9}'),
    ('gone.b', '{10.0.0.10}')) h (name, addresses);
SELECT test.scan(:o, h, 0, ARRAY[test.exe('/p', 'a')],
    addresses => '{10.0.0.1,10.0.0.99}')
  FROM unnest('{web1,elsewhere}'::text[]) h;
SELECT process_dna.agents_retire(:t, 'gone.a', 'me');
SELECT process_dna.address_add(:t, 'db', 'Backend.example.net', 'me');

CREATE FUNCTION pg_temp.of(p_tenant integer, p_host text,
  p_peer inet DEFAULT NULL, p_forgeable boolean DEFAULT false)
RETURNS text LANGUAGE sql AS $$
  SELECT name FROM process_dna.agents
  WHERE agent_id = process_dna.agent_of_host(p_tenant, p_host, p_peer,
    test.at(0), p_forgeable)
$$;

-- Names
SELECT is(pg_temp.of(:t, h), a, w) FROM (VALUES
  ('db', 'db', 'a name as it is'),
  ('WEB1.example.ORG', 'web1.example.org', 'in any case'),
  ('mixed.example', 'Mixed.Example', 'in any case, the other way round'),
  ('twin', 'twin', 'of two that differ in case, the one that is spelt so'),
  ('Twin', NULL, 'or neither'),
  ('backend.example.net', 'db', 'a name that was added, in any case'),
  ('backend', 'db', 'or without its domain'),
  ('web1', 'web1.example.org', 'without its domain'),
  ('web1.example', 'web1.example.org', 'without all of it'),
  ('db.example.org', 'db', 'with a domain'),
  ('web1.example.com', NULL, 'another domain is another host'),
  ('web1.example.orgy', NULL, 'as is a longer one'),
  ('web', NULL, 'the beginning of a name is none'),
  ('web1.example.org.', 'web1.example.org', 'a last dot says nothing'),
  ('mail', NULL, 'where two fit, neither is it'),
  ('mail.b', 'mail.b', 'unless the domain is told'),
  ('gone', 'gone.b', 'a retired one fits but for its very name'),
  ('gone.a', 'gone.a', 'which it keeps'),
  ('10.0.0.77', NULL, 'an address has no domain'),
  ('10.0.0.5', 'mail.b', 'but it is looked up as one'),
  ('2001:DB8::1', 'web1.example.org', 'of either kind'),
  ('10.0.0.300', NULL, 'if it is one'),
  ('dead:beef', NULL, 'in earnest'),
  ('', NULL, 'no name'),
  (NULL, NULL, 'none at all'),
  ('elsewhere', NULL, 'a host of another tenant')) n (h, a, w);
SELECT is(pg_temp.of(:t, 'web1.example.org' COLLATE "C"), 'web1.example.org',
  'whatever the collation of the caller');

-- The peer
SELECT is(pg_temp.of(:t, h, p::inet, f), a, w) FROM (VALUES
  ('unknown', '10.0.0.5', false, 'mail.b', 'an unknown host by its address'),
  ('unknown', '::ffff:10.0.0.5', false, 'mail.b', 'which may be mapped'),
  ('unknown', '10.0.0.5', true, 'mail.b', 'also if that may be forged'),
  ('', '10.0.0.5', false, 'mail.b', 'a line without a name as well'),
  ('db', '10.0.0.5', false, 'db', 'a name counts for more than the address'),
  ('mail', '10.0.0.5', false, 'mail.b', 'which tells apart two that fit'),
  ('mail', '10.0.0.5', true, NULL, 'unless it may be forged'),
  ('mail', '10.0.0.2', false, NULL, 'or is that of a third'),
  ('unknown', '127.0.0.1', false, NULL, 'this host has logs of others'),
  ('unknown', '10.0.0.98', false, NULL, 'nobody''s address')
  ) n (h, p, f, a, w);

-- Addresses
CREATE FUNCTION pg_temp.holders(p_tenant integer, p_address text,
                                p_minute numeric)
RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(g.name, ' ' ORDER BY u.n)
  FROM unnest(process_dna.agents_of_address(p_tenant, p_address::inet,
                                            test.at(p_minute)))
    WITH ORDINALITY u (agent_id, n) JOIN process_dna.agents g USING (agent_id)
$$;
SELECT test.scan(:t, 'db', 10, ARRAY[test.exe('/p', 'a')],
  addresses => '{10.0.0.22,127.0.0.1,169.254.0.1,fe80::1,::1}');
SELECT is(pg_temp.holders(:t, a, m), h, w) FROM (VALUES
  ('10.0.0.1', 0.0, 'web1.example.org', 'an address is an agent''s'),
  ('::ffff:10.0.0.1', 0, 'web1.example.org', 'IPv4 in IPv6 is IPv4'),
  ('2001:db8::1', 0, 'web1.example.org', 'of any family'),
  ('10.0.0.1', -4.9, 'web1.example.org', 'for the window before it was seen'),
  ('10.0.0.1', -5.1, NULL, 'not before that'),
  ('10.0.0.1', 9999, 'web1.example.org', 'and since'),
  ('10.0.0.2', 4.9, 'db', 'until a window after it was last seen'),
  ('10.0.0.2', 5.1, NULL, 'not after that'),
  ('10.0.0.22', 5.1, 'db', 'the same for what came in its place'),
  ('127.0.0.1', 10, NULL, 'a loopback address is nobody''s'),
  ('169.254.0.1', 10, NULL, 'nor is one of a link'),
  ('fe80::1', 10, NULL, 'of either family'),
  ('::1', 10, NULL, 'nor that loopback'),
  ('0.0.0.0', 10, NULL, 'nor none'),
  ('10.0.0.99', 0, NULL, 'one of another tenant')) n (a, m, h, w);
SELECT is(pg_temp.holders(:t, '10.0.0.9', 9999), NULL,
  'a retired agent has none any more');
SELECT is(pg_temp.holders(:t, '10.0.0.9', 0), 'gone.a', 'but it had');
SELECT is(pg_temp.holders(:t, '10.0.0.9', 1444), 'gone.a',
  'until a window after it was retired');
SELECT is(pg_temp.holders(:t, '10.0.0.9', 1446), NULL, 'and no longer');
SELECT process_dna.agents_of_address(:t, NULL, now()) AS of_none \gset
SELECT is(:'of_none'::text, '{}'::text, 'no address is nobody''s');
SELECT process_dna.configure_tenant('t', 180, 3600, 1800, 'critical', '{}',
  p_lateral_window => 60);
SELECT is(pg_temp.holders(:t, '10.0.0.2', 1.1), NULL,
  'the window is that of the configuration');
SELECT process_dna.configure_tenant('t', 180, 3600, 1800, 'critical', '{}');

SELECT test.scan(:t, h, 1, ARRAY[test.exe('/p', 'a')],
    addresses => '{192.168.0.1}')
  FROM unnest('{share3,share1,share2}'::text[]) h;
SELECT is(pg_temp.holders(:t, '192.168.0.1', 1), 'share3 share1 share2',
  'three have one address, in the order of their numbers');
SELECT is(ARRAY(SELECT host(process_dna.addresses_of_agent(:t, agent_id,
                                                           test.at(1)))
                FROM process_dna.agents
                WHERE name IN ('web1.example.org', 'share1')
                  AND tenant_id = :t ORDER BY agent_id),
  '{10.0.0.1,2001:db8::1,192.168.0.1}',
  'the addresses of an agent, shared or not');
SELECT test.scan(:t, 'share4', 1, ARRAY[test.exe('/p', 'a')],
  addresses => '{192.168.0.1,10.1.0.4}');
SELECT is(pg_temp.holders(:t, '192.168.0.1', 1), NULL, 'four are nobody');
SELECT is(ARRAY(SELECT host(process_dna.addresses_of_agent(:t, agent_id,
                                                           test.at(1)))
                FROM process_dna.agents
                WHERE name IN ('share1', 'share4') ORDER BY agent_id),
  '{10.1.0.4}', 'so that the address is none of any');
SELECT test.scan(:t, 'share4', 8, ARRAY[test.exe('/p', 'a')],
  addresses => '{10.1.0.4}');
SELECT is(pg_temp.holders(:t, '192.168.0.1', 6.1), 'share3 share1 share2',
  'and three again when one gave it up');

-- Added by hand
SELECT is(ARRAY[process_dna.address_add(:t, 'db', '::ffff:203.0.113.7', 'me'),
    process_dna.address_add(:t, 'db', '203.0.113.7', 'me')],
  '{done,there already}', 'a mapped address is added as what it is');
SELECT is(ARRAY(SELECT process_dna.address_add(:t, 'web1.example.org', n, 'me')
                FROM unnest('{bastion,BASTION,Web1.Example.Org,db,backend.EXAMPLE.net,
                    10.0.0.300,10.0.0.0/8,a b,-x,"",x/y}'::text[]) n),
  ARRAY['done', 'there already', 'there already', 'the name of another agent',
    'the name of another agent', 'neither an address nor a name',
    'neither an address nor a name', 'neither an address nor a name',
    'neither an address nor a name', 'neither an address nor a name',
    'neither an address nor a name'],
  'names are added once, if they are any and no other agent''s');
SELECT is(process_dna.address_add(:t, 'db', NULL, 'me'),
  'neither an address nor a name', 'nothing is neither');
SELECT is(pg_temp.of(:t, 'bastion.example.org'), 'web1.example.org',
  'and stand for it');
SELECT results_eq(format($$SELECT address, name, source, present, last_seen,
      added_by
    FROM process_dna.list_addresses(%s, 'db') WHERE added_by IS NOT NULL$$, :t),
  format($$VALUES ('203.0.113.7', NULL, 'manual', true, %L::timestamptz, 'me'),
           (NULL, 'Backend.example.net', 'manual', true, NULL, 'me')$$,
         test.at(10)), 'they are listed behind the addresses');
SELECT is(ARRAY(SELECT process_dna.address_remove(:t, 'web1.example.org', n,
                                                  'me')
                FROM unnest('{Bastion,bastion,db,x y}'::text[]) n)
    || process_dna.address_remove(:t, 'db', '::ffff:203.0.113.7', 'me'),
  '{done,no such address,no such address,no such address,done}',
  'and removed again');
SELECT is(pg_temp.of(:t, 'bastion'), NULL, 'so that they stand for nobody');
SELECT results_eq(format($$SELECT event, old_value, new_value
    FROM process_dna.agent_events
    WHERE tenant_id = %s AND event LIKE 'name-%%' ORDER BY event_id$$, :t),
  $$VALUES ('name-added', NULL, 'Backend.example.net'),
           ('name-added', NULL, 'bastion'), ('name-removed', 'Bastion', NULL)$$,
  'which is noted');
SELECT * FROM finish();
ROLLBACK;
