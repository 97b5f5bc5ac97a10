-- Lateral movement: logins that left a host around the time at which an
-- unexplained change was seen there.
--
-- A movement (an alert and a host that was logged on to) is an alert of its own
-- kind, so that it is listed, sent, accepted and closed as every alert. Its
-- logins are rows of lateral_detections, with all that has to be known of them:
-- auth_events goes after a while.

ALTER TABLE process_dna.process_dna_alerts
  DROP CONSTRAINT process_dna_alerts_kind_check,
  ADD COLUMN related_id bigint,
  ADD COLUMN peer_agent_id bigint,
  ADD COLUMN hops jsonb,
  ADD CHECK (kind IN ('binary-changed', 'lateral-movement', 'agent-silent',
                      'fleet-silent')),
  ADD CHECK ((kind = 'lateral-movement') = (related_id IS NOT NULL)),
  ADD CHECK ((kind = 'lateral-movement') = (peer_agent_id IS NOT NULL)),
  ADD CHECK ((kind = 'lateral-movement') = (hops IS NOT NULL)),
  ADD FOREIGN KEY (tenant_id, related_id, agent_id)
    REFERENCES process_dna.process_dna_alerts,
  ADD FOREIGN KEY (tenant_id, peer_agent_id) REFERENCES process_dna.agents;
COMMENT ON TABLE process_dna.process_dna_alerts IS 'Alerts, open and closed; at most one is open per agent, container, path and digest, and of movements per host that was logged on to';
COMMENT ON COLUMN process_dna.process_dna_alerts.observed_at IS 'Time of the first scan with it, by the host''s clock; of a movement, of its first login';
COMMENT ON COLUMN process_dna.process_dna_alerts.last_seen IS 'Time of the last scan with it, by the host''s clock; of a movement, of its last login';
COMMENT ON COLUMN process_dna.process_dna_alerts.seen IS 'In how many scans it was seen; of a movement, its logins';
COMMENT ON COLUMN process_dna.process_dna_alerts.related_id IS 'Of a movement: the alert about the executable, whose facts are copied';
COMMENT ON COLUMN process_dna.process_dna_alerts.peer_agent_id IS 'Of a movement: the agent that was logged on to';
COMMENT ON COLUMN process_dna.process_dna_alerts.hops IS 'Of a movement: its first login and what followed from there, an array in the order of time';

DROP INDEX process_dna.process_dna_alerts_open;
CREATE UNIQUE INDEX process_dna_alerts_open ON process_dna.process_dna_alerts
  (tenant_id, agent_id, kind, container, exe_path, exe_sha256,
   (coalesce(peer_agent_id, 0)))
  WHERE state = 'open';
CREATE UNIQUE INDEX process_dna_alerts_related
  ON process_dna.process_dna_alerts (related_id, peer_agent_id, tenant_id)
  WHERE related_id IS NOT NULL;
-- Only searches for lateral movement ask for what nothing explains.
CREATE INDEX process_dna_alerts_unexplained
  ON process_dna.process_dna_alerts (agent_id, observed_at, tenant_id)
  WHERE baseline_match = false;

-- Who came which way. Users are hashed, their names may be long; addresses are
-- an expression, or the planner might take the index that begins with them.
CREATE INDEX auth_events_way ON process_dna.auth_events
  (target_agent_id, hashtext(auth_user), (src_ip + 0), observed_at,
   (tenant_id + 0))
  WHERE success AND target_agent_id IS NOT NULL;

-- Every login passes through it: a foreign key would take as long as all the
-- rest of writing one.
CREATE TABLE process_dna.lateral_queue (
  tenant_id integer NOT NULL,
  queue_id bigint GENERATED ALWAYS AS IDENTITY,
  alert_id bigint,
  event_arrived_at timestamptz,
  event_id bigint,
  event_src_ip inet,
  event_observed_at timestamptz,
  agent_id bigint,
  movement_id bigint,
  after_observed timestamptz,
  after_arrived timestamptz,
  after_event bigint,
  PRIMARY KEY (tenant_id, queue_id),
  CHECK (num_nonnulls(alert_id, event_id, agent_id, movement_id) = 1),
  CHECK ((event_id IS NULL) = (event_arrived_at IS NULL))
);
CREATE UNIQUE INDEX lateral_queue_movement
  ON process_dna.lateral_queue (movement_id, tenant_id)
  WHERE movement_id IS NOT NULL;
COMMENT ON TABLE process_dna.lateral_queue IS 'What the search for lateral movement has yet to look at; whoever wrote it puts it here in the same transaction';
COMMENT ON COLUMN process_dna.lateral_queue.tenant_id IS 'Whose it is';
COMMENT ON COLUMN process_dna.lateral_queue.queue_id IS 'Number of the row';
COMMENT ON COLUMN process_dna.lateral_queue.alert_id IS 'An alert that was raised, or that became unexplained or explained';
COMMENT ON COLUMN process_dna.lateral_queue.event_arrived_at IS 'Arrival of the login, which is in its key';
COMMENT ON COLUMN process_dna.lateral_queue.event_id IS 'A login that was written, or whose target is known now';
COMMENT ON COLUMN process_dna.lateral_queue.event_src_ip IS 'Address that the login came from, so that most can be passed over unread';
COMMENT ON COLUMN process_dna.lateral_queue.event_observed_at IS 'Time of the login, for the same reason; null has it looked at in any case';
COMMENT ON COLUMN process_dna.lateral_queue.agent_id IS 'An agent with a new name or address';
COMMENT ON COLUMN process_dna.lateral_queue.movement_id IS 'A movement whose hops have to be found anew';
COMMENT ON COLUMN process_dna.lateral_queue.after_observed IS 'Of an alert with many logins, or a login with many alerts: the time of the last one that was looked at';
COMMENT ON COLUMN process_dna.lateral_queue.after_arrived IS 'Arrival of that login; null for an alert';
COMMENT ON COLUMN process_dna.lateral_queue.after_event IS 'Number of that login or alert';

CREATE TABLE process_dna.lateral_detections (
  tenant_id integer NOT NULL,
  detection_id bigint GENERATED ALWAYS AS IDENTITY,
  agent_id bigint NOT NULL,
  movement_id bigint NOT NULL,
  alert_id bigint NOT NULL,
  target_agent_id bigint NOT NULL,
  event_arrived_at timestamptz NOT NULL,
  event_id bigint NOT NULL,
  auth_user text NOT NULL,
  method text,
  key_fingerprint text,
  cert_id text,
  src_ip inet NOT NULL,
  src_port integer,
  src_agents bigint[] NOT NULL,
  observed_at timestamptz NOT NULL,
  stamped_at timestamptz,
  trust text NOT NULL,
  session_at timestamptz,
  first_time boolean NOT NULL,
  detected_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, detection_id, agent_id),
  UNIQUE (tenant_id, alert_id, agent_id, event_arrived_at, event_id),
  FOREIGN KEY (tenant_id, movement_id, agent_id)
    REFERENCES process_dna.process_dna_alerts,
  FOREIGN KEY (tenant_id, alert_id, agent_id)
    REFERENCES process_dna.process_dna_alerts,
  FOREIGN KEY (tenant_id, target_agent_id) REFERENCES process_dna.agents
);
CREATE INDEX lateral_detections_movement
  ON process_dna.lateral_detections
  (movement_id, observed_at, (tenant_id + 0));
COMMENT ON TABLE process_dna.lateral_detections IS 'Logins that left a host around an unexplained change there: one row per alert and login';
COMMENT ON COLUMN process_dna.lateral_detections.tenant_id IS 'Tenant of the agents';
COMMENT ON COLUMN process_dna.lateral_detections.detection_id IS 'Number of the row';
COMMENT ON COLUMN process_dna.lateral_detections.agent_id IS 'The agent that was changed, where the login came from';
COMMENT ON COLUMN process_dna.lateral_detections.movement_id IS 'The movement, an alert of that kind';
COMMENT ON COLUMN process_dna.lateral_detections.alert_id IS 'The alert about the executable';
COMMENT ON COLUMN process_dna.lateral_detections.target_agent_id IS 'The agent that was logged on to';
COMMENT ON COLUMN process_dna.lateral_detections.event_arrived_at IS 'Arrival of the login''s line, with event_id its key in auth_events';
COMMENT ON COLUMN process_dna.lateral_detections.event_id IS 'Number of the login in auth_events';
COMMENT ON COLUMN process_dna.lateral_detections.auth_user IS 'User that logged on, as logged';
COMMENT ON COLUMN process_dna.lateral_detections.method IS 'How: publickey, password and so on';
COMMENT ON COLUMN process_dna.lateral_detections.key_fingerprint IS 'With which key';
COMMENT ON COLUMN process_dna.lateral_detections.cert_id IS 'With which certificate';
COMMENT ON COLUMN process_dna.lateral_detections.src_ip IS 'Address that it came from';
COMMENT ON COLUMN process_dna.lateral_detections.src_port IS 'Port that it came from';
COMMENT ON COLUMN process_dna.lateral_detections.src_agents IS 'All agents that had the address then; more than one: which of them it was is not known';
COMMENT ON COLUMN process_dna.lateral_detections.observed_at IS 'Time of the login';
COMMENT ON COLUMN process_dna.lateral_detections.stamped_at IS 'Time that the line says';
COMMENT ON COLUMN process_dna.lateral_detections.trust IS 'How the line came, and so how far it is to be trusted';
COMMENT ON COLUMN process_dna.lateral_detections.session_at IS 'When a session of it was told of, if that was known at detection';
COMMENT ON COLUMN process_dna.lateral_detections.first_time IS 'This user had not come this way in the 30 days before';
COMMENT ON COLUMN process_dna.lateral_detections.detected_at IS 'When the row was written';

CREATE TABLE process_dna.lateral_reached (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  movement_id bigint NOT NULL,
  source_agent_id bigint NOT NULL,
  reached_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, movement_id, agent_id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents,
  FOREIGN KEY (tenant_id, movement_id, source_agent_id)
    REFERENCES process_dna.process_dna_alerts
);
CREATE INDEX lateral_reached_agent
  ON process_dna.lateral_reached
  (agent_id, reached_at, (tenant_id + 0));
COMMENT ON TABLE process_dna.lateral_reached IS 'Agents that the hops of movements lead to: what happens there next may belong to the movement';
COMMENT ON COLUMN process_dna.lateral_reached.tenant_id IS 'Tenant of the agents';
COMMENT ON COLUMN process_dna.lateral_reached.agent_id IS 'The agent that was logged on to';
COMMENT ON COLUMN process_dna.lateral_reached.movement_id IS 'The movement';
COMMENT ON COLUMN process_dna.lateral_reached.source_agent_id IS 'Agent where the movement began, which is in its key';
COMMENT ON COLUMN process_dna.lateral_reached.reached_at IS 'Time of the first login of the movement there';

CREATE TYPE process_dna.lateral_pair AS (
  alert_id bigint,
  agent_id bigint,
  alert_at timestamptz,
  target_agent_id bigint,
  event_arrived_at timestamptz,
  event_id bigint,
  event_at timestamptz,
  src_agents bigint[],
  first_time boolean
);
COMMENT ON TYPE process_dna.lateral_pair IS 'An alert and a login that may belong together; src_agents is empty if they don''t, first_time null until it is known';

CREATE TYPE process_dna.lateral_hop AS (
  from_agent bigint,
  from_host text,
  to_agent bigint,
  to_host text,
  depth integer,
  at timestamptz,
  arrived_at timestamptz,
  event_id bigint,
  auth_user text,
  method text,
  key_fingerprint text,
  address inet,
  port integer,
  trust text,
  ambiguous boolean
);
COMMENT ON TYPE process_dna.lateral_hop IS 'A login that leads on from a host: to_agent is null if the host is no agent, depth counts from 1 for the first login of the movement';

CALL process_dna.show_to_readers('lateral_queue', 'lateral_detections',
  'lateral_reached');

-- They give more columns now.
DROP FUNCTION IF EXISTS process_dna.alert_facts(integer, text);
DROP FUNCTION IF EXISTS process_dna.list_alerts(integer, boolean, boolean);
