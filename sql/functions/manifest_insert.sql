-- Trigger: a row that is inserted into the view manifests becomes a manifest of
-- its own package version, or goes into the one that was made so before.
CREATE OR REPLACE FUNCTION process_dna.manifest_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  v_content text := repeat('0', 64);
  v_id integer;
BEGIN
  IF process_dna.manifest_add(NEW.tenant_id, NEW.manager, NEW.package,
       NEW.version, NEW.arch, v_content, NEW.provenance,
       coalesce(NEW.origin, ''), coalesce(NEW.added_by, ''), NULL, NULL,
       ARRAY[NEW.path], ARRAY[NEW.sha256], ARRAY[coalesce(NEW.conffile, false)])
     = 'added' THEN
    RETURN NEW;
  END IF;
  SELECT m.package_id INTO STRICT v_id FROM process_dna.manifest_packages m
    WHERE m.tenant_id = NEW.tenant_id AND m.package = NEW.package
      AND m.version = NEW.version AND m.arch = NEW.arch
      AND m.manager = NEW.manager
      AND m.content_sha256 = decode(v_content, 'hex') AND m.path_glob IS NULL;
  PERFORM process_dna.manifest_fill(NEW.tenant_id, v_id, NEW.package = '',
    ARRAY[NEW.path], ARRAY[NEW.sha256], ARRAY[coalesce(NEW.conffile, false)]);
  PERFORM process_dna.manifest_enqueue(NEW.tenant_id, NEW.manager,
    NEW.package, NEW.version, NEW.arch, ARRAY[NEW.sha256]);
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER manifest_insert
  INSTEAD OF INSERT ON process_dna.manifests
  FOR EACH ROW EXECUTE FUNCTION process_dna.manifest_insert();
