-- Give process_dna_reader what it may read, if there is that role: it may have
-- been made after the tables, by somebody who may make roles. Partitions are
-- read through their table, which has the policy; what correlators say of
-- themselves is no tenant's.
CREATE OR REPLACE PROCEDURE process_dna.readers_grant()
LANGUAGE plpgsql AS $$
DECLARE
  v_table name;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'process_dna_reader') THEN
    RETURN;
  END IF;
  GRANT USAGE ON SCHEMA process_dna TO process_dna_reader;
  FOR v_table IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'process_dna'::regnamespace
      AND (c.relrowsecurity AND NOT c.relispartition OR c.relkind = 'v'
           AND c.reloptions @> '{security_invoker=true}')
  LOOP
    EXECUTE format('GRANT SELECT ON process_dna.%I TO process_dna_reader',
                   v_table);
  END LOOP;
END $$;
CALL process_dna.readers_grant();
