-- Goal: a movement shows where logins led on to from the host that was reached,
-- and which of those hosts changed, whatever of that comes first.
BEGIN;
SELECT plan(27);
SELECT test.tenant() AS t \gset
-- Hosts are scanned with digest a first; what comes then is a change.
CREATE FUNCTION pg_temp.scan(p_tenant integer, p_host text, p_minute numeric,
                             p_digit text)
RETURNS void LANGUAGE sql AS $$
  SELECT FROM test.scan(p_tenant, p_host, p_minute,
    ARRAY[test.exe('/p', p_digit)], addresses => ARRAY[
      '10.' || ascii(p_host) || '.' || ascii(substr(p_host, 2) || '0') || '.1'])
$$;
CREATE FUNCTION pg_temp.login(p_tenant integer, p_from text, p_to text,
                              p_minute numeric, p_user text DEFAULT 'root')
RETURNS void LANGUAGE sql AS $$
  SELECT test.auth(p_tenant, p_to, p_minute, p_user,
    '10.' || ascii(p_from) || '.' || ascii(substr(p_from, 2) || '0') || '.1',
    arrived => 1400, trust => 'file')
$$;
CREATE FUNCTION pg_temp.chain(p_tenant integer, p_source text)
RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws('>', h->>'from', h->>'to')
    || CASE jsonb_typeof(h->'changed') WHEN 'object' THEN '!' ELSE '' END,
    ' ' ORDER BY target, n)
  FROM process_dna.list_detections(p_tenant, true),
    jsonb_array_elements(hops) WITH ORDINALITY e (h, n)
  WHERE source = p_source
$$;
SELECT pg_temp.scan(:t, h, 0, 'a')
  FROM unnest('{a,b,c,d,e,f,g}'::text[]) h;

-- One step after the other.
SELECT pg_temp.scan(:t, 'a', 10, 'b');
SELECT pg_temp.login(:t, 'a', 'b', 11);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b', 'a login alone');
SELECT pg_temp.login(:t, 'b', 'c', 12);
SELECT is(test.lateral(:t), '0 0', 'one that leads on is no detection of its own');
SELECT is(pg_temp.chain(:t, 'a'), 'a>b b>c', 'but a hop');
SELECT is(test.movement_traps(:t),
  '{"raised critical a b","updated critical a b"}', 'which is told of');
SELECT pg_temp.login(:t, 'c', 'd', 13);
SELECT pg_temp.login(:t, 'b', 'e', 14);
SELECT pg_temp.scan(:t, 'b', 15, 'b');
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b! b>c c>d b>e',
  'further ones, and a change of a host that was reached');
SELECT is((test.movement_traps(:t))[1:2],
  '{"raised critical a b","updated critical a b"}', 'are shown, but not sent');
SELECT is(pg_temp.chain(:t, 'b'), 'b>c c>d b>e',
  'the changed host has movements of its own');
SELECT is(jsonb_pretty((hops->1) - 'at'), jsonb_pretty('{"from": "b",
    "to": "c", "user": "root", "method": "publickey", "key": "SHA256:key",
    "address": "10.98.48.1", "port": 50000, "trust": "file",
    "ambiguous": false, "changed": null}'), 'a hop has all of its login')
  FROM process_dna.list_detections(:t, true) WHERE source = 'a';
SELECT is((hops->1->>'at')::timestamptz, test.at(12), 'and its time')
  FROM process_dna.list_detections(:t, true) WHERE source = 'a';
SELECT is(d.hops->0->'changed', jsonb_build_object('alert_id', a.alert_id, 'key',
    a.key, 'path', '/p', 'sha256', test.digest('b')), 'a change is the alert')
  FROM process_dna.list_detections(:t, true) d,
    process_dna.process_dna_alerts a
  WHERE d.source = 'a' AND a.observed_at = test.at(15)
    AND a.kind = 'binary-changed';
SELECT matches((SELECT line FROM process_dna.list_detections(:t, true)
    WHERE source = 'a'), '; b has an unexplained change, too; from there on to c and 2 more\.',
  'the line tells of it');

-- No host twice, no way back, no hop outside its window.
SELECT pg_temp.login(:t, 'c', 'b', 15);
SELECT pg_temp.login(:t, 'b', 'a', 15);
SELECT pg_temp.login(:t, 'd', 'c', 15);
SELECT pg_temp.login(:t, 'd', 'f', 10);
SELECT pg_temp.login(:t, 'd', 'f', 18 + 1/60e6);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b! b>c c>d b>e',
  'cycles end, and so does a way whose window is over');
SELECT pg_temp.login(:t, 'd', 'f', 18);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b! b>c c>d b>e d>f',
  'the end of the window is within');
SELECT pg_temp.login(:t, 'b', 'd', 12.5);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b! b>c b>d b>e',
  'a host stands where it was reached first; what does not follow then goes');

-- A change that is explained later, and one out of its window.
SELECT pg_temp.scan(:t, 'c', 17 + 1/60e6, 'b');
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b! b>c b>d b>e', 'a change too late');
SELECT process_dna.accept(:t, (SELECT alert_id
  FROM process_dna.process_dna_alerts
  WHERE observed_at = test.at(15) AND kind = 'binary-changed'), 'me', 'mine');
SELECT is(test.lateral(:t), '0 0', 'an alert that is explained');
SELECT is(pg_temp.chain(:t, 'a'), 'a>b b>c b>d b>e',
  'marks its host no longer');

-- A host that is no agent; one of those may become one.
SELECT pg_temp.login(:t, 'e', 'unknown', 16);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b b>c b>d b>e e>unknown',
  'a hop may lead to a host that is not known');

-- A login of the movement before its first: what it leads to changes.
SELECT pg_temp.login(:t, 'a', 'b', 7);
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b b>c c>d d>f',
  'an earlier login begins the way, and hops count from there');
-- Logins of whose day nothing is left: what was found is kept.
DELETE FROM process_dna.auth_events;
INSERT INTO process_dna.lateral_queue (tenant_id, movement_id)
  SELECT :t, alert_id FROM process_dna.process_dna_alerts
  WHERE kind = 'lateral-movement';
SELECT test.lateral(:t);
SELECT is(pg_temp.chain(:t, 'a'), 'a>b b>c c>d d>f',
  'hops outlive the logins that they were');

-- The same in every order: 40 logins among ten hosts and four changes, played
-- in three orders by three tenants.
SELECT setseed(0.25);
CREATE TEMP TABLE plays AS
SELECT i, chr(97 + floor(random() * 10)::integer) AS source,
  CASE WHEN i <= 40 THEN chr(97 + floor(random() * 10)::integer) END AS target,
  (random() * 10)::numeric(6, 3) AS minute
FROM generate_series(1, 44) i;
CREATE FUNCTION pg_temp.play(p_order text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_tenant integer := test.tenant(p_order);
  v record;
BEGIN
  PERFORM pg_temp.scan(v_tenant, chr(97 + n), 0, 'a')
    FROM generate_series(0, 9) n;
  FOR v IN
    SELECT *, row_number() OVER (PARTITION BY target IS NULL, source
                                 ORDER BY minute) AS change
    FROM plays
    ORDER BY CASE p_order WHEN 'forth' THEN minute WHEN 'back' THEN -minute END,
      -- the scans of one host can only come in their order
      random()
  LOOP
    IF v.target IS NOT NULL THEN
      PERFORM pg_temp.login(v_tenant, v.source, v.target, 100 + v.minute);
    ELSIF v.change = 1 THEN
      PERFORM pg_temp.scan(v_tenant, v.source, 100 + v.minute, 'b');
    END IF;
    IF random() < 0.5 THEN
      PERFORM process_dna.lateral_work(v_tenant);
    END IF;
  END LOOP;
  PERFORM test.lateral(v_tenant);
  RETURN string_agg(source || ':' || pg_temp.chain(v_tenant, source), E'\n'
                    ORDER BY source)
    FROM (SELECT DISTINCT source
          FROM process_dna.list_detections(v_tenant, true)) s;
END $$;
CREATE TEMP TABLE played AS
  SELECT o, pg_temp.play(o) AS chains FROM unnest('{forth,back,any}'::text[]) o;
SELECT cmp_ok((SELECT count(*)::integer
    FROM process_dna.list_detections(process_dna.tenant_id('forth'), true)),
  '>', 4, 'there are movements');
SELECT matches((SELECT chains FROM played WHERE o = 'forth'), '>. .>.*>.!',
  'and ways that lead on');
SELECT is((SELECT count(DISTINCT chains)::integer FROM played), 1,
  'whatever comes first, they are the same');

-- A way of more than eight hops.
SELECT test.tenant('long') AS l \gset
SELECT pg_temp.scan(:l, chr(96 + n), 0, 'a') FROM generate_series(1, 12) n;
SELECT pg_temp.login(:l, chr(96 + n), chr(97 + n), 11 + n)
  FROM generate_series(1, 11) n;
SELECT pg_temp.scan(:l, 'a', 10, 'b');
SELECT test.lateral(:l);
SELECT is(pg_temp.chain(:l, 'a'), 'a>b b>c c>d d>e e>f f>g g>h h>i',
  'a way is followed for eight hops');
SELECT is(test.movement_traps(:l), '{"raised critical a b"}',
  'a way that is known at once needs no second trap');

-- A host that logs on everywhere.
SELECT test.tenant('wide') AS w \gset
SELECT pg_temp.scan(:w, h, 0, 'a') FROM unnest('{a,b}'::text[]) h;
SELECT pg_temp.scan(:w, 'c' || n, 0, 'a') FROM generate_series(1, 100) n;
SELECT pg_temp.login(:w, 'b', 'c' || n, 12 + n / 100.0)
  FROM generate_series(1, 100) n;
SELECT pg_temp.scan(:w, 'a', 10, 'b');
SELECT pg_temp.login(:w, 'a', 'b', 11);
SELECT test.lateral(:w);
SELECT is(jsonb_array_length(hops), 64, 'a movement has at most 64 hops')
  FROM process_dna.list_detections(:w, true);
SELECT is(hops->63->>'to', 'c63', 'the first ones')
  FROM process_dna.list_detections(:w, true);

SELECT * FROM finish();
ROLLBACK;
