-- Goal: there is a partition for each day that events may arrive on, old ones go
-- when no tenant wants them any more, and nothing is lost meanwhile.
BEGIN;
SELECT no_plan();
SELECT test.tenant() AS t, test.tenant('other') AS o \gset
SELECT (now() AT TIME ZONE 'UTC')::date AS today \gset

CREATE FUNCTION pg_temp.day(p_table oid) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((to_date(substring(p_table::regclass::text FROM '\d{8}$'),
                           'YYYYMMDD')
                   - (now() AT TIME ZONE 'UTC')::date)::text, 'default')
$$;
-- Days of the partitions, counted from today.
CREATE FUNCTION pg_temp.days() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(d, ' ' ORDER BY length(d) > 4, d::text COLLATE "C")
  FROM pg_inherits i, pg_temp.day(i.inhrelid) d
  WHERE i.inhparent = 'process_dna.auth_events'::regclass
$$;
-- Events by the day on which they arrived, and where they are.
CREATE FUNCTION pg_temp.events() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(auth_user || ':' || pg_temp.day(tableoid), ' '
                    ORDER BY arrived_at, event_id)
  FROM process_dna.auth_events
$$;
-- An event that arrived a number of days from this midnight (UTC) on.
CREATE FUNCTION pg_temp.event(p_tenant integer, p_days numeric)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO process_dna.auth_events
    (tenant_id, arrived_at, log_host, trust, outcome, auth_user, user_known,
     repeat, observed_at)
  SELECT p_tenant, a, 'h', 'file', 'accepted', p_days, true, 1, a
  FROM (SELECT date_trunc('day', now(), 'UTC') + p_days * interval '1 day')
    u (a)
$$;

SELECT is(pg_temp.days(), 'default', 'at first there is none');
SELECT pg_temp.event(:t, d)
  FROM unnest('{-100,-1,0,0.999999,1,3.9,4}'::numeric[]) d;
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.days(), '0 1 2 3 default', 'today and three days are made');
SELECT is(pg_temp.events(),
  '-1:default 0:0 0.999999:0 1:1 3.9:3 4:default',
  'and take their events, by the UTC day; what is too old goes');
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.days(), '0 1 2 3 default', 'once');

SELECT process_dna.auth_partition_make(:'today'::date + d)
  FROM unnest('{-1,-2,-3,-5,-6}'::integer[]) d;
SELECT pg_temp.event(:t, d) FROM unnest('{-3,-2.5,-5}'::numeric[]) d;
SELECT is(pg_temp.events(),
  '-5:-5 -3:-3 -2.5:-3 -1:-1 0:0 0.999999:0 1:1 3.9:3 4:default',
  'events go where they belong');
CREATE FUNCTION pg_temp.keep(p_name text, p_days integer) RETURNS void
LANGUAGE sql AS $$
  SELECT process_dna.configure_tenant(p_name, 180, 3600, 1800, 'critical',
    '{}', p_auth_retention => p_days)
$$;
SELECT pg_temp.keep('t', 3);
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.days(), '-1 -2 -3 -5 -6 0 1 2 3 default',
  'what another tenant wants is kept');
SELECT pg_temp.keep('other', 5);
UPDATE process_dna.tenants SET auth_retention_d = 3
  WHERE tenant_id NOT IN (:t, :o);
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.days(), '-1 -2 -3 -5 0 1 2 3 default',
  'the longest retention counts');
SELECT pg_temp.keep('other', 2), pg_temp.keep('t', 4);
SELECT process_dna.auth_partitions();
SELECT is(pg_temp.days(), '-1 -2 -3 0 1 2 3 default',
  'whichever tenant''s it is');
SELECT is(pg_temp.events(), '-3:-3 -2.5:-3 -1:-1 0:0 0.999999:0 1:1 3.9:3'
  || ' 4:default', 'all that is older has gone, and nothing else');

-- Days are those of UTC wherever the server is, and however it writes times:
-- IST is read as Israel's.
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL DateStyle = 'SQL, DMY';
SELECT process_dna.auth_partition_make(:'today'::date + 9);
SET LOCAL TimeZone = 'America/New_York';
SELECT process_dna.auth_partition_make('2031-11-02'); -- 25 hours there
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SELECT is(pg_get_expr(c.relpartbound, c.oid), format(
    'FOR VALUES FROM (%L) TO (%L)', d::timestamptz, (d + 1)::timestamptz),
    'days begin at midnight, UTC')
  FROM unnest(ARRAY[:'today'::date + 9, '2031-11-02']) d
  JOIN pg_class c ON c.relname = 'auth_events_' || to_char(d, 'YYYYMMDD');

-- The description and the policy are those of the table.
SELECT is_empty($$SELECT i.inhrelid::regclass, a.attname
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    AND col_description(c.oid, a.attnum) IS NULL
  WHERE i.inhparent = 'process_dna.auth_events'::regclass
    AND (a.attname IS NOT NULL OR obj_description(c.oid) IS NULL
         OR NOT c.relrowsecurity)$$, 'every partition is described and closed');
SELECT is_empty($$SELECT i.inhrelid::regclass, p.indexrelid::regclass
  FROM pg_inherits i
  JOIN pg_index p ON p.indrelid = 'process_dna.auth_events'::regclass
  WHERE i.inhparent = 'process_dna.auth_events'::regclass
    AND NOT EXISTS (SELECT FROM pg_index x JOIN pg_inherits h
      ON h.inhrelid = x.indexrelid AND h.inhparent = p.indexrelid
      WHERE x.indrelid = i.inhrelid)$$, 'and has every index');
CREATE ROLE test_reader IN ROLE process_dna_reader;
INSERT INTO process_dna.tenant_readers VALUES (:o, 'test_reader');
SELECT pg_temp.event(:o, 0.5);
SET ROLE test_reader;
SELECT is((SELECT array_agg(auth_user::text) FROM process_dna.auth_events),
  '{0.5}', 'a reader sees its own events');
SELECT throws_ok('SELECT FROM process_dna.' || n, '42501', NULL,
    'and none of ' || n)
  FROM (VALUES ('auth_events_default'),
    ('auth_events_' || to_char(:'today'::date, 'YYYYMMDD'))) p (n);
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
