-- Goal: each event of an alert reaches each sink once and in order, whichever
-- correlator sends it and whichever dies over it.
BEGIN;
SELECT plan(33);
SELECT process_dna.configure_tenant('t', 180, 3600, 1800, 'critical', '{}') AS t \gset

CREATE FUNCTION pg_temp.swap(p_tenant integer, p_path text, p_minute numeric)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM test.scan(p_tenant, 'h', p_minute, ARRAY[test.exe(p_path, 'a')]);
  SELECT FROM test.scan(p_tenant, 'h', p_minute + 1,
                        ARRAY[test.exe(p_path, 'b')]);
$$;
-- Leases, as "trap state sink", in their order.
CREATE FUNCTION pg_temp.lease(p_tenant integer, p_sinks text[],
  p_instance text, p_lease_s integer DEFAULT 60, p_limit integer DEFAULT 100)
RETURNS text[] LANGUAGE sql AS $$
  SELECT coalesce(array_agg(concat_ws(' ', l.exe_path, l.state, l.sink)
                            ORDER BY l.outbox_id), '{}')
  FROM process_dna.outbox_lease(p_tenant, p_sinks, p_instance, p_lease_s,
                                p_limit) l
$$;
-- The lease or pause of everything is over, without waiting for it.
CREATE FUNCTION pg_temp.later(p_interval interval) RETURNS void LANGUAGE sql
AS $$ UPDATE process_dna.trap_outbox SET due_at = due_at - p_interval $$;
CREATE FUNCTION pg_temp.done(p_tenant integer, p_path text, p_sink text)
RETURNS void LANGUAGE sql AS $$
  SELECT process_dna.outbox_done(p_tenant, ARRAY(
    SELECT min(outbox_id) FROM process_dna.trap_outbox
    WHERE tenant_id = p_tenant AND sink = p_sink
      AND payload->>'exe_path' = p_path))
$$;

-- register_sinks
SELECT pg_temp.swap(:t, '/before', 0);
SELECT is(test.open(:t), ARRAY['h /before b no-known-update critical'],
  'an alert needs no sink');
SELECT is(test.traps(:t), '{}', 'without a sink no trap is written');
SELECT process_dna.register_sinks(:t, 'one', '{nms,pager}');
SELECT process_dna.register_sinks(:t, 'two', '{nms,nms}');
SELECT results_eq(format('SELECT sink COLLATE "default", instance
    FROM process_dna.trap_sinks WHERE tenant_id = %s ORDER BY 1, 2', :t),
  $$VALUES ('nms', 'one'), ('nms', 'two'), ('pager', 'one')$$,
  'each correlator names its sinks');
SELECT is(test.traps(:t), '{}', 'they get what happens from then on');
SELECT pg_temp.swap(:t, '/p', 10);
SELECT results_eq(format('SELECT sink COLLATE "default", payload->>''state''
    FROM process_dna.trap_outbox WHERE tenant_id = %s ORDER BY outbox_id', :t),
  $$VALUES ('nms', 'raised'), ('pager', 'raised')$$,
  'one row is written for each sink, however many correlators name it');
SELECT test.scan(:t, 'h', 12, ARRAY[test.exe('/p', 'b')]);
SELECT is(cardinality(test.traps(:t)), 2, 'seen again, none is written');

-- outbox_lease
SELECT is(pg_temp.lease(:t, '{nms}', 'one'), ARRAY['/p raised nms'],
  'a correlator leases the traps of the sinks that it asks for');
SELECT is(pg_temp.lease(:t, '{x}', 'one'), '{}', 'and no others');
SELECT row_eq(format($$SELECT leased_by, attempts, due_at
    FROM process_dna.trap_outbox WHERE tenant_id = %s AND sink = 'nms'$$, :t),
  ROW('one'::text, 1, now() + interval '60 s'), 'for as long as it says');
SELECT is(pg_temp.lease(:t, '{nms}', 'two'), '{}',
  'a second one does not get them');
SELECT is(pg_temp.lease(:t, '{nms}', 'one'), '{}', 'nor the first once more');
SELECT is(pg_temp.lease(:t + 1, '{nms,pager}', 'one'), '{}',
  'nor another tenant');
SELECT pg_temp.later('59 s');
SELECT is(pg_temp.lease(:t, '{nms}', 'two'), '{}',
  'a lease holds until its end');
SELECT pg_temp.later('1 s');
SELECT is(pg_temp.lease(:t, '{nms}', 'two'), ARRAY['/p raised nms'],
  'when it has expired the trap is taken again');
SELECT row_eq(format($$SELECT leased_by, attempts
    FROM process_dna.trap_outbox WHERE tenant_id = %s AND sink = 'nms'$$, :t),
  ROW('two'::text, 2), 'by whoever comes, and the attempts are counted');

-- Order: /p clears, /q is raised.
SELECT test.scan(:t, 'h', 13, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'a')]);
SELECT test.scan(:t, 'h', 14, ARRAY[test.exe('/p', 'a'), test.exe('/q', 'b')]);
SELECT is(pg_temp.lease(:t, '{nms}', 'one'), ARRAY['/q raised nms'],
  'a clear waits while its alert is under way, and no other alert with it');
SELECT is(pg_temp.lease(:t, '{pager}', 'one'),
  ARRAY['/p raised pager', '/q raised pager'],
  'at another sink both alerts come, their clears later');
SELECT pg_temp.later('61 s');
SELECT is(pg_temp.lease(:t, '{nms}', 'one', 60, 1), ARRAY['/p raised nms'],
  'the oldest come first, as many as asked for');
SELECT pg_temp.done(:t, '/p', 'nms');
SELECT is(pg_temp.lease(:t, '{nms}', 'two', 60, 1), ARRAY['/p cleared nms'],
  'when the alert is sent its clear may go');
SELECT is((SELECT count(DISTINCT key)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :t AND payload->>'exe_path' = '/p'), 1, 'of the same key');
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :t AND sink = 'nms'), 2, 'what is sent is gone');
SELECT pg_temp.done(:t, '/p', 'nms');
SELECT process_dna.outbox_done(:t + 1, (SELECT array_agg(outbox_id)
  FROM process_dna.trap_outbox WHERE tenant_id = :t));
SELECT is((SELECT count(*)::integer FROM process_dna.trap_outbox
    WHERE tenant_id = :t), 4, 'another tenant''s word sends nothing');

-- outbox_retry
SELECT outbox_id AS id FROM process_dna.outbox_lease(:t, '{nms}', 'one', 60, 9)
  \gset
SELECT process_dna.outbox_retry(:t, :id, 'no answer', 30);
SELECT row_eq(format($$SELECT leased_by, error, due_at
    FROM process_dna.trap_outbox WHERE outbox_id = %s$$, :id),
  ROW(NULL::text, 'no answer'::text, now() + interval '30 s'),
  'a trap that failed is given back with the reason');
SELECT is((SELECT value FROM process_dna.list_status(:t)
    WHERE key = 'traps-failing'), '1', 'status counts it');
SELECT is(pg_temp.lease(:t, '{nms}', 'two'), '{}', 'it pauses');
SELECT pg_temp.later('30 s');
SELECT is(pg_temp.lease(:t, '{nms}', 'two'), ARRAY['/q raised nms'],
  'then anybody may take it');
SELECT is((SELECT attempts FROM process_dna.trap_outbox WHERE outbox_id = :id),
  3, 'and the attempts are counted on');
SELECT process_dna.outbox_retry(:t + 1, :id, 'not theirs', 0);
SELECT is((SELECT error FROM process_dna.trap_outbox WHERE outbox_id = :id),
  'no answer', 'another tenant''s failure is none of ours');
SELECT process_dna.outbox_retry(:t, :id, repeat('x', 2000), 0);
SELECT is((SELECT length(error) FROM process_dna.trap_outbox
    WHERE outbox_id = :id), 1024, 'a long reason is cut');

-- Sinks that nobody names any more
SELECT process_dna.register_sinks(:t, 'one', '{nms,gone}');
UPDATE process_dna.trap_sinks SET named_at = now() - interval '25 h'
  WHERE tenant_id = :t;
SELECT process_dna.outbox_add(:t, array_agg(alert_id), 'updated')
  FROM process_dna.process_dna_alerts WHERE tenant_id = :t;
SELECT pg_temp.lease(:t, '{nms}', 'one');
SELECT is((SELECT named_at FROM process_dna.trap_sinks
    WHERE tenant_id = :t AND sink = 'nms' AND instance = 'one'), now(),
  'who asks for a sink''s traps names it');
SELECT test.work(:t);
SELECT is((SELECT array_agg(sink::text) FROM process_dna.trap_sinks
    WHERE tenant_id = :t), '{nms}',
  'a sink that nobody has named for a day is forgotten, unless asked for');
SELECT is((SELECT array_agg(DISTINCT sink::text) FROM process_dna.trap_outbox
    WHERE tenant_id = :t), '{nms}', 'with what was to be sent to it');
SELECT process_dna.register_sinks(:t, 'one', '{new}');
UPDATE process_dna.trap_sinks SET named_at = now() - interval '25 h'
  WHERE tenant_id = :t AND sink = 'nms';
SELECT process_dna.register_sinks(:t, 'one', '{new}');
SELECT is((SELECT array_agg(sink::text) FROM process_dna.trap_sinks
    WHERE tenant_id = :t), '{new}', 'registering others forgets it as well');

SELECT * FROM finish();
ROLLBACK;
