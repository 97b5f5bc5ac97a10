-- Goal: scans become agents, executables and baselines, and each outcome and
-- `settled` are as promised.
BEGIN;
SELECT plan(1);
SELECT process_dna.configure_tenant('t', 180, 86400, 1800, 'critical') AS t \gset

SELECT results_eq(
  $$SELECT outcome, settled FROM test.scan(process_dna.tenant_id('t'), 'web1',
      0, ARRAY[test.exe('/usr/sbin/nginx', 'a')])$$,
  $$VALUES ('judged', true)$$, 'a first scan is judged, and settled');
SELECT * FROM finish();
ROLLBACK;
