-- Readers: dashboards and reports that query the tables directly. A reader is
-- a member of process_dna_reader, and of a role that tenant_readers names: it
-- sees the rows of that role's tenant. What a session can set itself says
-- nothing. The correlator's role owns the tables and is not bound by this.

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

CREATE TABLE process_dna.tenant_readers (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  role name NOT NULL,
  PRIMARY KEY (tenant_id, role)
);
COMMENT ON TABLE process_dna.tenant_readers IS 'Whose members may read the rows of a tenant';
COMMENT ON COLUMN process_dna.tenant_readers.tenant_id IS 'The tenant';
COMMENT ON COLUMN process_dna.tenant_readers.role IS 'The database role';

CREATE FUNCTION process_dna.reader_tenants() RETURNS SETOF integer
LANGUAGE sql STABLE AS $$
  SELECT t.tenant_id FROM process_dna.tenant_readers t
  JOIN pg_roles r ON r.rolname = t.role
  WHERE pg_has_role(r.oid, 'MEMBER')
$$;
COMMENT ON FUNCTION process_dna.reader_tenants IS 'Tenants whose rows the current role may read';

-- Migrations call it with the tables that they make; readers_grant, which each
-- migrate ends with, has the role read them.
CREATE PROCEDURE process_dna.show_to_readers(VARIADIC p_tables text[])
LANGUAGE plpgsql AS $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY p_tables LOOP
    EXECUTE format('ALTER TABLE process_dna.%I ENABLE ROW LEVEL SECURITY',
                   v_table);
    EXECUTE format('CREATE POLICY tenant ON process_dna.%I FOR SELECT
      USING (tenant_id IN (SELECT process_dna.reader_tenants()))', v_table);
  END LOOP;
END $$;
COMMENT ON PROCEDURE process_dna.show_to_readers IS 'Lets readers read their tenant''s rows of tables';

CALL process_dna.show_to_readers('tenants', 'agents', 'agent_addresses',
  'executables', 'baselines', 'package_inventory', 'manifest_packages',
  'manifest_paths', 'manifest_digests', 'manifest_requests', 'manifest_queue',
  'process_dna_alerts', 'agent_events', 'trap_sinks', 'trap_outbox');

ALTER TABLE process_dna.tenant_readers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON process_dna.tenant_readers FOR SELECT
  USING (EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role
                 AND pg_has_role(r.oid, 'MEMBER')));
