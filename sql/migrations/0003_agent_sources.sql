-- A host may be seen by several ways (collectd and SNMP) and is one agent then.
-- Who may speak for it, how new its last scan was and when it was heard is a
-- matter of each way: the scans of one are neither replays nor strangers to the
-- other. What is left in agents is of the host, or of its last scan whatever
-- way that came.
--
-- executables says what runs. Where two ways look at different processes of a
-- host, what one of them does not see has not gone: so of agents with several
-- ways, executable_sources keeps which way saw what. It is empty for all
-- others.

CREATE TABLE process_dna.agent_sources (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
  signer text CHECK (length(signer) BETWEEN 1 AND 127),
  boot timestamptz,
  interval_s integer CHECK (interval_s > 0),
  last_observed timestamptz,
  last_arrived timestamptz,
  last_sequence bigint,
  packages boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, agent_id, source),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents
) WITH (fillfactor = 50);
CREATE INDEX agent_sources_poll
  ON process_dna.agent_sources (signer, tenant_id) WHERE source = 'snmp';
COMMENT ON TABLE process_dna.agent_sources IS 'The ways by which agents are seen, and the last scan of each';
COMMENT ON COLUMN process_dna.agent_sources.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.agent_sources.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.agent_sources.source IS 'The way: collectd, snmp';
COMMENT ON COLUMN process_dna.agent_sources.signer IS 'Who speaks for the agent there: the collectd user, the name of the snmp-poll; null binds the next one';
COMMENT ON COLUMN process_dna.agent_sources.boot IS 'When the host booted; a newer one lets scans with older times in';
COMMENT ON COLUMN process_dna.agent_sources.interval_s IS 'Seconds from one of its scans to the next';
COMMENT ON COLUMN process_dna.agent_sources.last_observed IS 'Time of its last scan, by the host''s clock; null takes any';
COMMENT ON COLUMN process_dna.agent_sources.last_arrived IS 'Arrival of its last scan';
COMMENT ON COLUMN process_dna.agent_sources.last_sequence IS 'Number of its last scan';
COMMENT ON COLUMN process_dna.agent_sources.packages IS 'Its last complete scan told of packages: one that tells of none takes nothing away that another tells';

INSERT INTO process_dna.agent_sources
  (tenant_id, agent_id, source, signer, boot, interval_s, last_observed,
   last_arrived, last_sequence)
SELECT tenant_id, agent_id, source, signer, boot, interval_s, last_observed,
       last_arrived, last_sequence
FROM process_dna.agents;

ALTER TABLE process_dna.agents
  DROP COLUMN source, DROP COLUMN signer, DROP COLUMN boot,
  DROP COLUMN last_sequence;
COMMENT ON COLUMN process_dna.agents.interval_s IS 'The longest cycle of the ways by which it is seen, in seconds';
COMMENT ON COLUMN process_dna.agents.last_observed IS 'Time of its last scan by any way, by its own clock';
COMMENT ON COLUMN process_dna.agents.last_arrived IS 'Arrival of its last scan by any way';

CREATE TABLE process_dna.executable_sources (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  container text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
  PRIMARY KEY (tenant_id, agent_id, source, container, path, sha256, state),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents
);
COMMENT ON TABLE process_dna.executable_sources IS 'Of agents that are seen by several ways: what the last scan of each way had';
COMMENT ON COLUMN process_dna.executable_sources.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.executable_sources.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.executable_sources.container IS 'As in executables';
COMMENT ON COLUMN process_dna.executable_sources.path IS 'As in executables';
COMMENT ON COLUMN process_dna.executable_sources.sha256 IS 'As in executables';
COMMENT ON COLUMN process_dna.executable_sources.state IS 'As in executables';
COMMENT ON COLUMN process_dna.executable_sources.source IS 'The way that saw it';

-- These have other arguments or columns now.
DROP FUNCTION IF EXISTS process_dna.touch(integer, bigint[], timestamptz[],
  timestamptz[], bigint[]);
DROP FUNCTION IF EXISTS process_dna.agents_state(integer);
DROP FUNCTION IF EXISTS process_dna.list_agents(integer, text);
DROP FUNCTION IF EXISTS process_dna.agents_enrol(integer, text[], text[],
  timestamptz[]);

CALL process_dna.show_to_readers('agent_sources', 'executable_sources');
