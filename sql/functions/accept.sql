-- Somebody approves of what an open alert is about, and the clear goes out:
-- its digest becomes the baseline. What no digest can excuse (spoofed) or what
-- has none (unreadable) is only acknowledged, for as long as it runs without a
-- break. To accept a movement closes that alone: neither its alert nor other
-- movements, and further logins of it are no news.
--
-- Gives 'accepted', 'no such alert', 'not open', or 'nothing to accept' for an
-- alert that is not about an executable.
CREATE OR REPLACE FUNCTION process_dna.accept(
  p_tenant integer, p_alert_id bigint, p_who text, p_why text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_agent process_dna.agents;
  v_alert process_dna.process_dna_alerts;
  v_old process_dna.baselines;
  v_since timestamptz;
  v_digest_counts boolean;
BEGIN
  SELECT g.* INTO v_agent
    FROM process_dna.process_dna_alerts a
    JOIN process_dna.agents g
      ON g.tenant_id = a.tenant_id AND g.agent_id = a.agent_id
    WHERE a.tenant_id = p_tenant AND a.alert_id = p_alert_id
    FOR NO KEY UPDATE OF g;
  SELECT a.* INTO v_alert
    FROM process_dna.process_dna_alerts a
    WHERE a.tenant_id = p_tenant AND a.alert_id = p_alert_id;
  IF NOT FOUND THEN
    RETURN 'no such alert';
  ELSIF v_alert.kind NOT IN ('binary-changed', 'lateral-movement') THEN
    RETURN 'nothing to accept';
  ELSIF v_alert.state <> 'open' THEN
    RETURN 'not open';
  ELSIF v_alert.kind = 'lateral-movement' THEN
    INSERT INTO process_dna.agent_events
      (tenant_id, agent_id, event, container, path, who, why)
    VALUES (p_tenant, v_alert.agent_id, 'accepted', v_alert.container,
      v_alert.exe_path, left(p_who, 255), left(p_why, 1024));
    PERFORM process_dna.alerts_close(p_tenant, ARRAY[p_alert_id], 'accepted',
      p_who, p_why, NULL);
    RETURN 'accepted';
  END IF;

  v_digest_counts := v_alert.verdict NOT IN ('spoofed', 'unreadable');
  IF v_digest_counts THEN
    -- By the host's clock, as processes' start times are compared with it.
    UPDATE process_dna.baselines b
    SET until = greatest(v_agent.last_observed,
                         b.since + interval '1 microsecond')
    WHERE b.tenant_id = p_tenant AND b.agent_id = v_alert.agent_id
      AND b.container = v_alert.container AND b.path = v_alert.exe_path
      AND b.until IS NULL
    RETURNING b.* INTO v_old;
    INSERT INTO process_dna.baselines
      (tenant_id, agent_id, container, path, sha256, grade,
       manager, package, version, arch, since, made_by, why)
    VALUES (p_tenant, v_alert.agent_id, v_alert.container, v_alert.exe_path,
      v_alert.exe_sha256, 'accepted', v_alert.manager, v_alert.package,
      v_alert.version, v_alert.arch,
      coalesce(v_old.until, v_agent.last_observed, now()),
      left(p_who, 255), left(p_why, 1024));
  END IF;
  INSERT INTO process_dna.agent_events
    (tenant_id, agent_id, event, container, path, old_value, new_value,
     who, why)
  VALUES (p_tenant, v_alert.agent_id, 'accepted', v_alert.container,
    v_alert.exe_path, v_old.sha256, nullif(v_alert.exe_sha256, ''),
    left(p_who, 255), left(p_why, 1024));

  PERFORM process_dna.executables_unsettle(p_tenant, v_alert.agent_id,
    v_alert.container, v_alert.exe_path);
  IF NOT v_digest_counts THEN
    UPDATE process_dna.executables x SET acknowledged = true
    WHERE x.tenant_id = p_tenant AND x.agent_id = v_alert.agent_id
      AND x.container = v_alert.container AND x.path = v_alert.exe_path
      AND x.sha256 = v_alert.exe_sha256 AND x.state = v_alert.verdict
      AND x.last_seen IS NULL;
  END IF;
  PERFORM process_dna.alerts_close(p_tenant, ARRAY[p_alert_id], 'accepted',
    p_who, p_why, v_digest_counts);
  PERFORM process_dna.agents_changed(p_tenant, ARRAY[v_alert.agent_id]);
  RETURN 'accepted';
END $$;
