-- Goal: the schema is described in place and built as its header says.
BEGIN;
SELECT plan(9);

SELECT is_empty($$SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = 'process_dna'::regnamespace
    AND c.relkind IN ('r', 'v', 'p') AND obj_description(c.oid) IS NULL$$,
  'every table has a comment');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    AND NOT a.attisdropped
  WHERE c.relnamespace = 'process_dna'::regnamespace
    AND c.relkind IN ('r', 'v', 'p')
    AND col_description(c.oid, a.attnum) IS NULL$$,
  'every column has one');
SELECT is_empty($$SELECT c.relname, i.indexrelid::regclass
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
  WHERE c.relnamespace = 'process_dna'::regnamespace AND i.indisprimary
    AND a.attname <> 'tenant_id'
    AND c.relname NOT IN ('schema_version', 'schema_functions', 'correlators')$$,
  'tenant_id leads every primary key');
SELECT is_empty($$SELECT c.conrelid::regclass, c.conname FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
  WHERE c.connamespace = 'process_dna'::regnamespace AND c.contype = 'f'
    AND a.attname <> 'tenant_id'$$, 'and every foreign key');
SELECT is_empty($$SELECT c.relname FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
  WHERE c.relnamespace = 'process_dna'::regnamespace AND c.relkind = 'r'
    AND NOT c.relrowsecurity$$, 'every table of a tenant has row security');
SELECT is_empty($$SELECT p.proname FROM pg_proc p
  WHERE p.pronamespace = 'process_dna'::regnamespace
  GROUP BY 1 HAVING count(*) > 1$$, 'no function is overloaded');
SELECT is((SELECT max(version) FROM process_dna.schema_version),
  (SELECT count(*)::integer FROM process_dna.schema_version),
  'migrations are numbered from 1');

-- The names that the query for lateral movement is known by.
SELECT lives_ok($$SELECT pd.agent_id AS source_agent, pd.exe_path,
    pd.exe_sha256, pd.observed_at,
    (SELECT ip FROM process_dna.agents WHERE id = pd.agent_id)
  FROM process_dna.process_dna_alerts pd
  WHERE pd.baseline_match = false AND pd.tenant_id = 1$$,
  'alerts and agents have the columns that queries join');
SELECT throws_ok($$INSERT INTO process_dna.manifests
  VALUES (test.tenant(), '', '', '', '', '/p', 'abc', false, 'file', '', '')$$, NULL, NULL,
  'a digest that is none is refused');
SELECT * FROM finish();
ROLLBACK;
