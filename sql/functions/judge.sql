-- Judge executables and act on the verdicts: baselines are made and moved, the
-- rows of executables written, alerts raised, updated and closed. The one
-- entry point of the verdict.
--
-- The caller holds the locks on the rows of the agents. p_rows has each
-- executable (agent, container, path, digest, state) at most once. p_seen says
-- that a scan has just seen them, so that alerts count it.
--
-- requests are the manifests that are wanted: the caller inserts them when all
-- is judged, sorted and at once, so that two sessions don't deadlock. changed
-- are the agents of which a baseline or an alert changed; resolved counts the
-- alerts that were closed, released the verdicts that are no longer held.
CREATE OR REPLACE FUNCTION process_dna.judge(
  p_tenant integer, p_rows process_dna.observation[], p_seen boolean,
  OUT requests process_dna.package_key[], OUT changed bigint[],
  OUT resolved bigint, OUT released bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_late boolean;
  v_rows process_dna.observation[];
  v_judged process_dna.judgement[];
  v_first process_dna.observation[];
  v_first_judged process_dna.judgement[];
  v_rest process_dna.observation[];
  v_rest_judged process_dna.judgement[];
  v_agents bigint[];
  v_requests process_dna.package_key[];
  v_released bigint;
BEGIN
  requests := '{}';
  changed := '{}';
  resolved := 0;
  released := 0;
  -- What may run beside its path's file is judged when that file is.
  FOREACH v_late IN ARRAY ARRAY[false, true] LOOP
    SELECT array_agg(r) INTO v_rows FROM unnest(p_rows) r
      WHERE (r.state IN ('anonymous', 'superseded', 'deleted')) = v_late;
    CONTINUE WHEN v_rows IS NULL;

    -- First uses are entered, one digest for each path; then all else is
    -- locked and judged against what is there.
    SELECT array_agg(d.observed) FILTER (WHERE d.first),
           array_agg(d.judged) FILTER (WHERE d.first),
           array_agg(d.observed) FILTER (WHERE NOT d.first)
      INTO v_first, v_first_judged, v_rest
      FROM (SELECT e.observed, e.judged, e.eligible AND row_number() OVER (
                PARTITION BY (e.observed).agent_id, (e.observed).container,
                  (e.observed).path, e.eligible
                ORDER BY (e.observed).state <> 'current',
                  (e.observed).processes DESC, (e.observed).sha256) = 1 AS first
            FROM (SELECT d.observed, d.judged,
                    coalesce((d.judged).verdict IN ('manifest', 'first-use',
                                                    'fleet', 'new-binary')
                             AND (d.judged).baseline_sha256 IS NULL, false)
                      AS eligible
                  FROM process_dna.decide(p_tenant, v_rows) d) e) d;
    IF process_dna.baselines_make(p_tenant, v_first, v_first_judged)
       < cardinality(v_first) THEN
      v_rest := v_rest || v_first;
      v_first := NULL;
      v_first_judged := NULL;
    END IF;
    v_rest_judged := NULL;
    IF v_rest IS NOT NULL THEN
      PERFORM process_dna.baselines_lock(p_tenant, v_rest);
      SELECT array_agg(d.observed), array_agg(d.judged)
        INTO v_rest, v_rest_judged
        FROM process_dna.decide(p_tenant, v_rest) d;
    END IF;
    v_rows := v_first || v_rest;
    v_judged := v_first_judged || v_rest_judged;

    v_agents := process_dna.baselines_move(p_tenant, v_rows, v_judged);
    changed := changed || v_agents;
    PERFORM process_dna.baselines_confirm(p_tenant, v_rows, v_judged);
    PERFORM process_dna.baselines_version(p_tenant, v_rows, v_judged);
    PERFORM process_dna.executables_write(p_tenant, v_rows, v_judged);
    v_agents := process_dna.alerts_cover(p_tenant, v_rows, v_judged);
    changed := changed || v_agents;
    resolved := resolved + cardinality(v_agents);
    changed := changed
      || process_dna.alerts_raise(p_tenant, v_rows, v_judged, p_seen);

    SELECT coalesce(array_agg(DISTINCT
               (r.manager, r.package, r.version, r.arch)::process_dna.package_key)
             FILTER (WHERE r.request), '{}'),
           count(*) FILTER (WHERE r.held_since IS NOT NULL
                            AND r.verdict IS DISTINCT FROM 'held'),
           array_agg(r.agent_id) FILTER (WHERE r.baseline_sha256 IS NULL)
      INTO v_requests, v_released, v_agents
      FROM ROWS FROM (unnest(v_rows), unnest(v_judged)) AS r;
    requests := requests || v_requests;
    released := released + v_released;
    IF v_first IS NOT NULL THEN
      changed := changed || v_agents;
    END IF;
  END LOOP;
END $$;
