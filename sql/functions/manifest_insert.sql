-- Trigger: a row that is inserted into the view manifests goes into the tables
-- behind it; what is there already stays as it is.
CREATE OR REPLACE FUNCTION process_dna.manifest_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO process_dna.manifest_packages
    (tenant_id, manager, package, version, arch, provenance)
  VALUES (NEW.tenant_id, NEW.manager, NEW.package, NEW.version, NEW.arch,
          NEW.provenance)
  ON CONFLICT DO NOTHING;
  INSERT INTO process_dna.manifest_paths (tenant_id, path)
  VALUES (NEW.tenant_id, NEW.path)
  ON CONFLICT DO NOTHING;
  INSERT INTO process_dna.manifest_digests
    (tenant_id, path_id, package_id, digest)
  SELECT NEW.tenant_id, f.path_id, p.package_id, decode(NEW.sha256, 'hex')
  FROM process_dna.manifest_packages p, process_dna.manifest_paths f
  WHERE p.tenant_id = NEW.tenant_id
    AND (p.manager, p.package, p.version, p.arch, p.provenance)
        = (NEW.manager, NEW.package, NEW.version, NEW.arch, NEW.provenance)
    AND f.tenant_id = NEW.tenant_id AND f.path = NEW.path
  ON CONFLICT DO NOTHING;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER manifest_insert
  INSTEAD OF INSERT ON process_dna.manifests
  FOR EACH ROW EXECUTE FUNCTION process_dna.manifest_insert();
