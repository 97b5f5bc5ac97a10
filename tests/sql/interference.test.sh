#!/bin/sh
# Goal: correlators that judge in contrary orders, with one digest on all of
# their paths, and a third session that works, touches and accepts meanwhile
# come to an end without a deadlock or a lost alert; and no trap goes to two
# that send at once. run.sh sets PGDATABASE to a database of our own.
set -eu

dir=$(mktemp -d)
pids=
finish() {
  for pid in $pids; do
    kill "$pid" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap finish EXIT
PGOPTIONS="${PGOPTIONS:-} -c statement_timeout=300s" # hung is failed, too
export PGOPTIONS
sql() {
  psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

sql >"$dir/setup" <<'SQL'
SELECT process_dna.configure_tenant('c', 180, 86400, 0, 'critical', '{}');
SELECT process_dna.register_sinks(1, 'one', '{nms}');
CREATE TABLE outcomes (correlator text, host text, outcome text);
CREATE TABLE sent (correlator text, outbox_id bigint, state text, key text);

-- Scans of 20 hosts; each correlator has an order and a digest of its own.
CREATE PROCEDURE correlate(p_name text, p_digest text, p_order integer,
                           p_paths integer, p_times integer)
LANGUAGE plpgsql AS $$
DECLARE
  v_hosts text[] := ARRAY(SELECT 'host' || n FROM generate_series(1, 20) n
                          ORDER BY n * p_order);
BEGIN
  PERFORM pg_advisory_lock_shared(1); -- held until all are ready
  -- What waits for a lock is older than what it finds: so, a few times.
  FOR v_i IN 1 .. p_times LOOP
    INSERT INTO outcomes
    SELECT p_name, v_hosts[i.scan], i.outcome
    FROM (SELECT array_agg(s ORDER BY s, p * p_order) AS scan,
            array_agg('/bin/p' || p ORDER BY s, p * p_order) AS path,
            array_agg('n' || p ORDER BY s, p * p_order) AS package,
            ARRAY[count(*)::integer] AS n
          FROM generate_series(1, 20) s, generate_series(1, p_paths) p) e,
    process_dna.ingest(1,
      v_hosts, array_fill(NULL::text, ARRAY[20]),
      array_fill(NULL::timestamptz, ARRAY[20]),
      array_fill('user'::text, ARRAY[20]), array_fill(false, ARRAY[20]),
      array_fill('collectd'::text, ARRAY[20]),
      array_fill(clock_timestamp(), ARRAY[20]),
      array_fill(clock_timestamp(), ARRAY[20]),
      array_fill(v_i::bigint, ARRAY[20]), array_fill(60, ARRAY[20]),
      array_fill(true, ARRAY[20]),
      e.scan, array_fill(''::text, e.n), e.path,
      array_fill(repeat(p_digest, 64), e.n), array_fill(1::smallint, e.n),
      array_fill(NULL::text, e.n), array_fill(1::bigint, e.n),
      array_fill(1::bigint, e.n), array_fill(7, e.n),
      array_fill(0::bigint, e.n), array_fill(now(), e.n),
      array_fill('p'::text, e.n), array_fill(NULL::bigint, e.n),
      array_fill(NULL::integer, e.n), array_fill(NULL::bigint, e.n),
      array_fill(NULL::timestamptz, e.n), array_fill(NULL::timestamptz, e.n),
      array_fill('dpkg'::text, e.n), e.package,
      array_fill(p_digest, e.n), array_fill('amd64'::text, e.n),
      array_fill(false, e.n),
      ARRAY(SELECT generate_series(1, 20)),
      array_fill('192.0.2.1'::text, ARRAY[20])) i;
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE interfere() LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_lock_shared(1);
  FOR i IN 1 .. 10 LOOP
    PERFORM process_dna.touch(1, array_agg(agent_id ORDER BY agent_id DESC),
      array_agg('collectd'::text),
      array_agg(last_observed + interval '1 microsecond'),
      array_agg(now()), array_agg(i::bigint))
    FROM process_dna.agents WHERE last_observed IS NOT NULL;
    COMMIT;
    PERFORM process_dna.work(1, now() - interval '1 day');
    COMMIT;
    PERFORM process_dna.accept(1, max(alert_id), 'me', 'test')
    FROM process_dna.process_dna_alerts WHERE state = 'open';
    COMMIT;
    PERFORM pg_sleep(0.05);
  END LOOP;
END $$;

CREATE PROCEDURE send(p_name text) LANGUAGE plpgsql AS $$
DECLARE
  v_taken bigint;
BEGIN
  PERFORM pg_advisory_lock_shared(1);
  LOOP
    WITH taken AS (
      INSERT INTO sent
      SELECT p_name, outbox_id, state, key
      FROM process_dna.outbox_lease(1, '{nms}', p_name, 600, 300)
      RETURNING outbox_id)
    SELECT count(*) INTO v_taken FROM taken;
    COMMIT;
    EXIT WHEN v_taken = 0;
  END LOOP;
END $$;
SQL

# together CALL...: each in a session of its own, started at the same time.
together() {
  mkfifo "$dir/gate"
  sql >"$dir/ready" <"$dir/gate" &
  gate=$!
  exec 3>"$dir/gate"
  echo "SELECT pg_advisory_lock(1);" >&3
  until [ -s "$dir/ready" ] || ! kill -0 $gate 2>/dev/null; do
    echo 'SELECT 1;' >&3
    sleep 0.05
  done
  pids=
  for call in "$@"; do
    (
      exec 3>&- # or the gate would stay open
      sql -c "CALL $call"
    ) &
    pids="$pids $!"
  done
  until [ "$(sql -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
      AND objid = 1 AND NOT granted")" = $# ]; do
    sleep 0.05
  done
  exec 3>&- # ends the session that holds the gate
  wait $gate
  for pid in $pids; do
    wait "$pid"
  done
  pids=
  rm -f "$dir/gate" "$dir/ready"
}

# check WHAT EXPECTED QUERY
check() {
  found=$(sql -c "$3")
  if [ "$found" != "$2" ]; then
    echo "not ok - $1: expected $2, found $found"
    exit 1
  fi
  echo "ok - $1"
}

together "correlate('one', 'a', 1, 200, 3)" \
  "correlate('two', 'b', -1, 200, 3)" 'interfere()'
check 'both correlators were heard for all hosts' 40 \
  "SELECT count(DISTINCT (correlator, host)) FROM outcomes
   WHERE outcome = 'judged'"
check 'each key has one baseline' 4000 \
  'SELECT count(*) FROM process_dna.baselines WHERE until IS NULL'
check 'and an alert about the other digest, or somebody accepted it' 4000 \
  "SELECT count(DISTINCT (agent_id, exe_path))
   FROM process_dna.process_dna_alerts WHERE kind = 'binary-changed'"
check 'no alert is open twice' 0 \
  "SELECT count(*) FROM (SELECT FROM process_dna.process_dna_alerts
   WHERE state = 'open' GROUP BY agent_id, exe_path, exe_sha256
   HAVING count(*) > 1) d"
check 'every alert was given a trap' 0 \
  "SELECT count(*) FROM process_dna.process_dna_alerts a WHERE NOT EXISTS (
   SELECT FROM process_dna.trap_outbox o WHERE o.alert_id = a.alert_id
     AND o.payload->>'state' = 'raised')"

# In small steps two sessions meet more often.
together "correlate('one', 'c', 1, 2, 50)" "correlate('two', 'd', -1, 2, 50)" \
  'interfere()'
echo 'ok - many small batches in contrary orders end'

together "send('one')" "send('two')"
check 'no trap goes to two correlators' 0 \
  'SELECT count(*) - count(DISTINCT outbox_id) FROM sent'
check 'nothing that is first of its key is left' 0 \
  'SELECT count(*) FROM (SELECT min(outbox_id) AS outbox_id
   FROM process_dna.trap_outbox GROUP BY key) f
   WHERE f.outbox_id NOT IN (SELECT outbox_id FROM sent)'
