-- A movement in one line (pdnaAlertText): the two hosts and the path, who
-- logged on and how, where it leads on to, and what to do first.
CREATE OR REPLACE FUNCTION process_dna.lateral_line(
  p_movement process_dna.process_dna_alerts,
  p_login process_dna.lateral_detections, p_hops jsonb)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_host text := p_hops->0->>'from';
  v_peer text := p_hops->0->>'to';
BEGIN
  RETURN process_dna.line_of(
    v_host || ': ' || p_movement.exe_path
    || CASE p_movement.container WHEN '' THEN ''
       ELSE ' in container ' || p_movement.container END
    || ' is not what was trusted (' || p_movement.verdict || '), and at '
    || to_char(p_login.observed_at AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    || ' ' || left(p_login.auth_user, 64) || ' logged on from there to '
    || v_peer
    || coalesce(' with ' || p_login.method, '')
    || coalesce(' ' || p_login.key_fingerprint, '')
    || CASE WHEN p_login.first_time THEN ', for the first time in 30 days'
       ELSE ', as in the 30 days before' END
    || CASE WHEN cardinality(p_login.src_agents) > 1
       THEN ' (other hosts have that address as well)' ELSE '' END
    || CASE WHEN jsonb_typeof(p_hops->0->'changed') = 'object'
       THEN '; ' || v_peer || ' has an unexplained change, too' ELSE '' END
    || CASE WHEN jsonb_array_length(p_hops) > 1
       THEN '; from there on to ' || (p_hops->1->>'to') ELSE '' END
    || CASE WHEN jsonb_array_length(p_hops) > 2
       THEN ' and ' || jsonb_array_length(p_hops) - 2 || ' more' ELSE '' END
    || '. First: on ' || v_peer || ', see who is logged on (who -a) and keep'
    || ' its logs before you end anything');
END $$;
