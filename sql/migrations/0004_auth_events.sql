-- What sshd tells of logins, and where the followed files of it were left.
--
-- auth_events has a partition for each UTC day of arrival: a line's own stamp
-- can be anything, and one table of all that sshds ever said could only be
-- thinned out row by row. auth_partitions makes them and lets them go. Of
-- foreign keys it has none: each would lock the table that it refers to
-- whenever a partition comes or goes, and agents are what all sessions lock.
--
-- Its indexes, other than the key, hold logins only: those are joined, and a
-- machine that is open to the Internet has a thousand failures for each. The
-- condition of each stands in no look-up but its own, for as long as a
-- partition was not analyzed the planner takes a partial index for small.

ALTER TABLE process_dna.tenants
  ADD COLUMN lateral_window_s integer NOT NULL DEFAULT 300
    CHECK (lateral_window_s > 0),
  ADD COLUMN lateral_max_skew_s integer NOT NULL DEFAULT 600
    CHECK (lateral_max_skew_s >= 0),
  ADD COLUMN auth_retention_d integer NOT NULL DEFAULT 90
    CHECK (auth_retention_d > 0);
COMMENT ON COLUMN process_dna.tenants.lateral_window_s IS 'Seconds between a change and a login, either way, within which they belong together';
COMMENT ON COLUMN process_dna.tenants.lateral_max_skew_s IS 'Seconds by which a line''s own stamp may lie before its arrival and be believed of any source';
COMMENT ON COLUMN process_dna.tenants.auth_retention_d IS 'Days that auth_events are kept; of all tenants the longest counts';

-- It has more arguments now.
DROP FUNCTION IF EXISTS process_dna.configure_tenant(text, integer, integer,
  integer, text, text[]);
-- These have other columns or arguments now.
DROP FUNCTION IF EXISTS process_dna.list_addresses(integer, text);

-- Names are looked up as they are (agents_name), in lower case, and by what is
-- before the first dot. The tenant is an expression that only these look-ups
-- use: where the planner takes a table for empty, all indexes that could do cost
-- the same, and the newest would be taken for every look-up by number.
CREATE INDEX agents_lower
  ON process_dna.agents (lower(name), (tenant_id + 0));
CREATE INDEX agents_stem
  ON process_dna.agents (lower(split_part(name, '.', 1)), (tenant_id + 0));

CREATE TABLE process_dna.agent_names (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  added_by text NOT NULL CHECK (length(added_by) <= 255),
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, agent_id, name),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents
);
CREATE UNIQUE INDEX agent_names_lower
  ON process_dna.agent_names (lower(name), (tenant_id + 0));
CREATE INDEX agent_names_stem
  ON process_dna.agent_names (lower(split_part(name, '.', 1)), (tenant_id + 0));
COMMENT ON TABLE process_dna.agent_names IS 'Other names that agents have in logs';
COMMENT ON COLUMN process_dna.agent_names.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.agent_names.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.agent_names.name IS 'The name; of two agents that one has, in any case';
COMMENT ON COLUMN process_dna.agent_names.added_by IS 'Who added it';
COMMENT ON COLUMN process_dna.agent_names.added_at IS 'When';

-- Who holds an address is asked for each login, and that many hosts may have
-- one and the same must not take long to see.
DROP INDEX process_dna.agent_addresses_address;
CREATE INDEX agent_addresses_address
  ON process_dna.agent_addresses (address, tenant_id, agent_id);

CREATE SEQUENCE process_dna.auth_events_id;
CREATE TABLE process_dna.auth_events (
  tenant_id integer NOT NULL,
  arrived_at timestamptz NOT NULL,
  event_id bigint NOT NULL DEFAULT nextval('process_dna.auth_events_id'),
  target_agent_id bigint,
  log_host text COLLATE "C" NOT NULL CHECK (length(log_host) <= 255),
  log_peer inet,
  trust text COLLATE "C" NOT NULL
    CHECK (trust IN ('journal', 'tls', 'file', 'stdin', 'tcp', 'udp')),
  outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('accepted', 'failed',
    'partial', 'invalid_user', 'not_allowed', 'max_attempts', 'root_refused',
    'pam_failure')),
  success boolean NOT NULL GENERATED ALWAYS AS (outcome = 'accepted') STORED,
  method text CHECK (length(method) <= 64),
  auth_user text COLLATE "C" NOT NULL CHECK (length(auth_user) <= 512),
  user_known boolean NOT NULL,
  src_ip inet,
  src_host text CHECK (length(src_host) <= 255),
  src_port integer CHECK (src_port BETWEEN 0 AND 65535),
  src_agents bigint[] NOT NULL DEFAULT '{}' CHECK (cardinality(src_agents) <= 3),
  key_type text CHECK (length(key_type) <= 64),
  key_fingerprint text CHECK (length(key_fingerprint) <= 128),
  cert_id text CHECK (length(cert_id) <= 1024),
  extra text CHECK (length(extra) <= 1024),
  program text CHECK (length(program) <= 64),
  pid bigint CHECK (pid >= 0),
  repeat integer NOT NULL CHECK (repeat > 0),
  stamped_at timestamptz,
  observed_at timestamptz NOT NULL,
  session_at timestamptz,
  PRIMARY KEY (tenant_id, arrived_at, event_id),
  CHECK (observed_at <= arrived_at)
) PARTITION BY RANGE (arrived_at);
ALTER SEQUENCE process_dna.auth_events_id
  OWNED BY process_dna.auth_events.event_id;
CREATE INDEX auth_events_source
  ON process_dna.auth_events (src_ip, observed_at, tenant_id) WHERE success;
CREATE INDEX auth_events_session
  ON process_dna.auth_events (pid, log_host, observed_at)
  WHERE success AND pid IS NOT NULL;
CREATE INDEX auth_events_unknown
  ON process_dna.auth_events
  (lower(split_part(log_host, '.', 1)), (tenant_id + 0), log_host)
  WHERE success AND target_agent_id IS NULL;
COMMENT ON TABLE process_dna.auth_events IS 'Logins and attempts at them, as sshd logged them; one partition for each UTC day of arrival';
COMMENT ON COLUMN process_dna.auth_events.tenant_id IS 'Whose hosts log it';
COMMENT ON COLUMN process_dna.auth_events.arrived_at IS 'When the line came to a correlator, by its clock';
COMMENT ON COLUMN process_dna.auth_events.event_id IS 'Number of the event';
COMMENT ON COLUMN process_dna.auth_events.target_agent_id IS 'Agent that was logged on to; null if the host is none that is known';
COMMENT ON COLUMN process_dna.auth_events.log_host IS 'Host name in the line''s header, empty if it had none';
COMMENT ON COLUMN process_dna.auth_events.log_peer IS 'Address that the line came from over the network';
COMMENT ON COLUMN process_dna.auth_events.trust IS 'How the line came, which is how far it is to be trusted: udp anyone may forge';
COMMENT ON COLUMN process_dna.auth_events.outcome IS 'What came of the attempt';
COMMENT ON COLUMN process_dna.auth_events.success IS 'It was a login';
COMMENT ON COLUMN process_dna.auth_events.method IS 'publickey, password and so on';
COMMENT ON COLUMN process_dna.auth_events.auth_user IS 'User as logged, escaped';
COMMENT ON COLUMN process_dna.auth_events.user_known IS 'sshd did not call the user invalid';
COMMENT ON COLUMN process_dna.auth_events.src_ip IS 'Address that the login came from; IPv4 is never mapped';
COMMENT ON COLUMN process_dna.auth_events.src_host IS 'What was logged in its place, if that was no address';
COMMENT ON COLUMN process_dna.auth_events.src_port IS 'Its port';
COMMENT ON COLUMN process_dna.auth_events.src_agents IS 'Agents that had the address, as known at arrival; empty for none, more than three, or the target itself';
COMMENT ON COLUMN process_dna.auth_events.key_type IS 'Type of the key or certificate';
COMMENT ON COLUMN process_dna.auth_events.key_fingerprint IS 'Its fingerprint';
COMMENT ON COLUMN process_dna.auth_events.cert_id IS 'Name in the certificate, where it can be told for sure';
COMMENT ON COLUMN process_dna.auth_events.extra IS 'What else the line says of the method, as logged';
COMMENT ON COLUMN process_dna.auth_events.program IS 'Program that logged it: sshd, sshd-session';
COMMENT ON COLUMN process_dna.auth_events.pid IS 'Its process';
COMMENT ON COLUMN process_dna.auth_events.repeat IS 'How many times the line stands for';
COMMENT ON COLUMN process_dna.auth_events.stamped_at IS 'The line''s own stamp, by the clock of whoever wrote it';
COMMENT ON COLUMN process_dna.auth_events.observed_at IS 'When it happened: the stamp where it is to be believed, else the arrival; never after that';
COMMENT ON COLUMN process_dna.auth_events.session_at IS 'Of a login: when a session was seen to begin with it';

-- What no day's partition takes: a correlator whose clock is wrong, or the time
-- before a partition was made. Readers see partitions through the table above
-- only, where the policy is.
CREATE TABLE process_dna.auth_events_default
  (LIKE process_dna.auth_events INCLUDING ALL) WITH (fillfactor = 90);
ALTER TABLE process_dna.auth_events_default ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE process_dna.auth_events_default IS 'auth_events that arrived on no day of a partition';
ALTER TABLE process_dna.auth_events
  ATTACH PARTITION process_dna.auth_events_default DEFAULT;

CREATE TABLE process_dna.auth_positions (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  follower text COLLATE "C" NOT NULL CHECK (length(follower) <= 255),
  path text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 1 AND 4096),
  device bigint NOT NULL,
  inode bigint NOT NULL,
  position bigint NOT NULL CHECK (position >= 0),
  head text COLLATE "C" NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, follower, path)
) WITH (fillfactor = 50);
COMMENT ON TABLE process_dna.auth_positions IS 'How far followed files were read: written with the events up to there';
COMMENT ON COLUMN process_dna.auth_positions.tenant_id IS 'Whose logs they are';
COMMENT ON COLUMN process_dna.auth_positions.follower IS 'Host whose file it is';
COMMENT ON COLUMN process_dna.auth_positions.path IS 'Path in the configuration';
COMMENT ON COLUMN process_dna.auth_positions.device IS 'Device of the file that was read';
COMMENT ON COLUMN process_dna.auth_positions.inode IS 'Its inode';
COMMENT ON COLUMN process_dna.auth_positions.position IS 'Bytes that were read';
COMMENT ON COLUMN process_dna.auth_positions.head IS 'What it begins with, so that another file in its place is noticed';
COMMENT ON COLUMN process_dna.auth_positions.version IS 'Counts the changes of this row: who wants to write must know the last';
COMMENT ON COLUMN process_dna.auth_positions.updated_at IS 'When it was last written';

CREATE TABLE process_dna.auth_peers (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  address inet NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, address)
);
COMMENT ON TABLE process_dna.auth_peers IS 'Addresses that lines came from under names of agents: who sends lines under another name there is not told by the address';
COMMENT ON COLUMN process_dna.auth_peers.tenant_id IS 'Whose agents they are';
COMMENT ON COLUMN process_dna.auth_peers.address IS 'The address';
COMMENT ON COLUMN process_dna.auth_peers.seen_at IS 'When that was last noted, at most once a day; rows go after 30 days';

CALL process_dna.show_to_readers('auth_events', 'auth_positions',
  'auth_peers', 'agent_names');

CREATE TYPE process_dna.auth_line AS (
  host text COLLATE "C",
  peer inet,
  trust text,
  outcome text,
  repeat integer,
  method text,
  auth_user text COLLATE "C",
  user_known boolean,
  address inet,
  src_host text,
  port integer,
  key_type text,
  key text,
  cert_id text,
  extra text,
  program text,
  pid bigint,
  stamped timestamptz,
  arrived timestamptz,
  again boolean,
  target bigint,
  observed timestamptz
);
COMMENT ON TYPE process_dna.auth_line IS 'A line of sshd that is taken in: what auth_events keeps of it, and whether it may have been written before';
