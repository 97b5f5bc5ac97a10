-- The hosts of movements (p_all as there), and of their hops, in the order of
-- the names' bytes: a row for each alert there that nothing explained, or, of a
-- host without one, a single row.
CREATE OR REPLACE FUNCTION process_dna.detection_hosts(
  p_tenant integer, p_all boolean)
RETURNS TABLE (host text, address text, alert_id bigint, container text,
  path text, baseline_sha256 text, observed_sha256 text, verdict text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH m AS MATERIALIZED (
    SELECT * FROM process_dna.movements(p_tenant, p_all)
  ), p AS MATERIALIZED (
    SELECT h.source, h.target, h.changed_id
    FROM m CROSS JOIN process_dna.detection_hops(p_tenant, m.alert_id) h
  ), u AS (
    SELECT m.source AS host, m.related_id AS changed_id FROM m
    UNION SELECT m.target, NULL FROM m
    UNION SELECT p.source, NULL FROM p
    UNION SELECT p.target, p.changed_id FROM p
  ), w AS (
    SELECT u.host, u.changed_id,
      bool_or(u.changed_id IS NOT NULL) OVER (PARTITION BY u.host) AS changed
    FROM u
  )
  SELECT w.host, (
      SELECT host(g.ip) FROM process_dna.agents g
      WHERE g.tenant_id = p_tenant AND g.name = w.host LIMIT 1),
    a.alert_id, a.container, a.exe_path, a.baseline_sha256,
    nullif(a.exe_sha256, ''), a.verdict
  FROM w
  LEFT JOIN LATERAL (
    SELECT * FROM process_dna.process_dna_alerts i
    WHERE i.tenant_id = p_tenant AND i.alert_id = w.changed_id LIMIT 1) a
    ON true
  WHERE w.changed_id IS NOT NULL OR NOT w.changed
  ORDER BY w.host COLLATE "C", a.container COLLATE "C",
    a.exe_path COLLATE "C", a.alert_id;
END $$;
