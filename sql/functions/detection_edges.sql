-- The logins of movements (p_all as there), and of their hops: a row for each
-- source, target, user and method, in that order. A login that several movements
-- have counts once, with the gravest severity of theirs; open is whether one of
-- them is, and first_time is only known of a movement's own.
CREATE OR REPLACE FUNCTION process_dna.detection_edges(
  p_tenant integer, p_all boolean)
RETURNS TABLE (source text, target text, auth_user text, method text,
  logins bigint, first_login timestamptz, last_login timestamptz,
  severity text, open boolean, first_time boolean, ambiguous boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH m AS MATERIALIZED (
    SELECT * FROM process_dna.movements(p_tenant, p_all)
  ), l AS (
    SELECT m.source, m.target, m.severity, m.state, d.auth_user, d.method,
      d.at, d.src_ip, d.src_port::text, d.first_time,
      cardinality(d.sources) > 1 AS ambiguous
    FROM m CROSS JOIN process_dna.detection_logins(p_tenant, m.alert_id) d
    UNION ALL
    SELECT h.source, h.target, m.severity, m.state, h.auth_user, h.method,
      h.at, h.src_ip, h.src_port, false, h.ambiguous
    FROM m CROSS JOIN process_dna.detection_hops(p_tenant, m.alert_id) h
  ), one AS (
    SELECT l.source, l.target, l.auth_user, coalesce(l.method, '') AS method,
      l.at, bool_or(l.severity = 'critical') AS critical,
      bool_or(l.state = 'open') AS open, bool_or(l.first_time) AS first_time,
      bool_or(l.ambiguous) AS ambiguous
    FROM l
    GROUP BY 1, 2, 3, 4, 5, l.src_ip, l.src_port
  )
  SELECT one.source, one.target, one.auth_user, one.method, count(*),
    min(one.at), max(one.at),
    CASE WHEN bool_or(one.critical) THEN 'critical' ELSE 'warning' END,
    bool_or(one.open), bool_or(one.first_time), bool_or(one.ambiguous)
  FROM one
  GROUP BY 1, 2, 3, 4
  ORDER BY one.source COLLATE "C", one.target COLLATE "C",
    one.auth_user COLLATE "C", one.method COLLATE "C";
END $$;
