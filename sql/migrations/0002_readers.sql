-- Readers: dashboards and reports that query the tables directly. They are
-- members of process_dna_reader and see the rows of the tenant that their
-- connection names in process_dna.tenant, none if it names none. The
-- correlator's role owns the tables and is not bound by this.

-- A correlator whose role may not make roles works without readers.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'process_dna_reader') THEN
    CREATE ROLE process_dna_reader NOLOGIN;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE NOTICE 'role process_dna_reader: not made, that needs CREATEROLE';
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE FUNCTION process_dna.reader_tenant() RETURNS integer
LANGUAGE sql STABLE AS $$
  SELECT tenant_id FROM process_dna.tenants
  WHERE name = current_setting('process_dna.tenant', true)
$$;
COMMENT ON FUNCTION process_dna.reader_tenant IS 'Tenant whose rows this session may read';

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['agents', 'agent_addresses', 'executables',
    'baselines', 'package_inventory', 'manifest_packages', 'manifest_paths',
    'manifest_digests', 'manifest_requests', 'process_dna_alerts',
    'agent_events', 'trap_sinks', 'trap_outbox']
  LOOP
    EXECUTE format('ALTER TABLE process_dna.%I ENABLE ROW LEVEL SECURITY',
                   v_table);
    EXECUTE format('CREATE POLICY tenant ON process_dna.%I FOR SELECT
      USING (tenant_id = (SELECT process_dna.reader_tenant()))', v_table);
  END LOOP;
  ALTER TABLE process_dna.tenants ENABLE ROW LEVEL SECURITY;
  CREATE POLICY tenant ON process_dna.tenants FOR SELECT
    USING (name = current_setting('process_dna.tenant', true));
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'process_dna_reader') THEN
    GRANT USAGE ON SCHEMA process_dna TO process_dna_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA process_dna TO process_dna_reader;
    REVOKE SELECT ON process_dna.correlators FROM process_dna_reader;
  END IF;
END $$;
