-- pdnaAlertKey: SHA-256 of what an alert is about, in hex; the same whenever
-- the same thing happens.
CREATE OR REPLACE FUNCTION process_dna.alert_key(
  p_tenant_name text, p_kind text, p_host text, p_container text, p_path text,
  p_sha256 text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT encode(sha256(convert_to(concat_ws(E'\x1f', p_tenant_name, p_kind,
    p_host, p_container, p_path, p_sha256), 'UTF8')), 'hex')
$$;
