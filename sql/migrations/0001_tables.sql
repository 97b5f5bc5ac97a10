-- The tables of Process DNA.
--
-- tenant_id leads every key and agent_id is in the key of every large table,
-- so that the schema can be spread by agent later. All that concerns one agent
-- is written under a lock on its row in agents: who needs several takes them in
-- the order of agent_id. What is not yet known is null; the digest of an
-- executable that could not be read is the empty string, since it is in keys.
--
-- Indexes that are not keys begin with what they look up, and those of digests
-- hold an expression that only a search by digest uses: of several indexes that
-- would do for a lookup by key, the planner takes the wrong one as long as a
-- table has not been analyzed, and one digest may be on all of a fleet.

CREATE SCHEMA process_dna;
COMMENT ON SCHEMA process_dna IS 'Process DNA: executables of monitored hosts, what they are trusted as, and alerts';

CREATE TABLE process_dna.schema_version (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE process_dna.schema_version IS 'Migrations that were applied; whoever applies one adds its row';
COMMENT ON COLUMN process_dna.schema_version.version IS 'Number of the migration';
COMMENT ON COLUMN process_dna.schema_version.name IS 'Name of its file';
COMMENT ON COLUMN process_dna.schema_version.applied_at IS 'When it was applied';

CREATE TABLE process_dna.schema_functions (
  sha256 text PRIMARY KEY,
  program text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE process_dna.schema_functions IS 'Whose functions are here: one row';
COMMENT ON COLUMN process_dna.schema_functions.sha256 IS 'Digest of their texts';
COMMENT ON COLUMN process_dna.schema_functions.program IS 'Version of the program that made them';
COMMENT ON COLUMN process_dna.schema_functions.applied_at IS 'When it did';

CREATE TABLE process_dna.tenants (
  tenant_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 127),
  silent_s integer NOT NULL DEFAULT 180 CHECK (silent_s > 0),
  learning_s integer NOT NULL DEFAULT 86400 CHECK (learning_s >= 0),
  manifest_wait_s integer NOT NULL DEFAULT 1800 CHECK (manifest_wait_s >= 0),
  manifest_fetch text[] NOT NULL DEFAULT '{}'
    CHECK (array_position(manifest_fetch, NULL) IS NULL),
  unverified_update text NOT NULL DEFAULT 'critical'
    CHECK (unverified_update IN ('critical', 'warning', 'info', 'accept')),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE process_dna.tenants IS 'Tenants and their policy; nothing joins across them';
COMMENT ON COLUMN process_dna.tenants.tenant_id IS 'Leads the key of every other table';
COMMENT ON COLUMN process_dna.tenants.name IS 'Name in the configuration';
COMMENT ON COLUMN process_dna.tenants.silent_s IS 'An agent is silent after three cycles, but not before this many seconds';
COMMENT ON COLUMN process_dna.tenants.learning_s IS 'Seconds in which first uses on a new agent raise no warning';
COMMENT ON COLUMN process_dna.tenants.manifest_wait_s IS 'Seconds that a verdict waits for a manifest that is being fetched';
COMMENT ON COLUMN process_dna.tenants.manifest_fetch IS 'Package managers whose manifests are fetched; a verdict waits for no others';
COMMENT ON COLUMN process_dna.tenants.unverified_update IS 'Severity of an update without a manifest, or accept';
COMMENT ON COLUMN process_dna.tenants.created_at IS 'When the tenant was first configured';

CREATE TABLE process_dna.agents (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  agent_id bigint GENERATED ALWAYS AS IDENTITY,
  id bigint GENERATED ALWAYS AS (agent_id) STORED,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 127),
  source text NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
  signer text CHECK (length(signer) BETWEEN 1 AND 127),
  host_id text CHECK (host_id ~ '^[0-9a-f]{12}$'),
  boot timestamptz,
  ip inet,
  interval_s integer CHECK (interval_s > 0),
  first_seen timestamptz NOT NULL,
  learning_since timestamptz NOT NULL,
  last_observed timestamptz,
  last_arrived timestamptz,
  last_sequence bigint,
  packages_changed timestamptz,
  silence text CHECK (silence IN ('agent', 'fleet')),
  retired_at timestamptz,
  retired_by text CHECK (length(retired_by) <= 255),
  PRIMARY KEY (tenant_id, agent_id)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX agents_name ON process_dna.agents (name, tenant_id);
COMMENT ON TABLE process_dna.agents IS 'Monitored hosts. Its row is the lock for all that is written of an agent';
COMMENT ON COLUMN process_dna.agents.tenant_id IS 'Whose host it is';
COMMENT ON COLUMN process_dna.agents.agent_id IS 'Number of the agent';
COMMENT ON COLUMN process_dna.agents.id IS 'The same as agent_id, for queries that join on agents.id';
COMMENT ON COLUMN process_dna.agents.name IS 'Host name that it reports under';
COMMENT ON COLUMN process_dna.agents.source IS 'How it is seen: collectd, snmp';
COMMENT ON COLUMN process_dna.agents.signer IS 'User that its scans are bound to; null binds the next one that signs';
COMMENT ON COLUMN process_dna.agents.host_id IS 'Digest of its machine-id; another one is noted as re-enrolled';
COMMENT ON COLUMN process_dna.agents.boot IS 'When it booted; a newer one lets scans with older times in';
COMMENT ON COLUMN process_dna.agents.ip IS 'One of its present addresses, an IPv4 one if there is any';
COMMENT ON COLUMN process_dna.agents.interval_s IS 'Its cycle in seconds';
COMMENT ON COLUMN process_dna.agents.first_seen IS 'Arrival of its first scan';
COMMENT ON COLUMN process_dna.agents.learning_since IS 'When its learning period began: its first scan, or its last reset';
COMMENT ON COLUMN process_dna.agents.last_observed IS 'Time of its last scan, by its own clock; null takes any';
COMMENT ON COLUMN process_dna.agents.last_arrived IS 'Arrival of its last scan';
COMMENT ON COLUMN process_dna.agents.last_sequence IS 'Number of its last scan';
COMMENT ON COLUMN process_dna.agents.packages_changed IS 'Arrival of the last scan in which what it reports of its packages changed';
COMMENT ON COLUMN process_dna.agents.silence IS 'Silent, and what tells of it: an alert of its own or one for the fleet';
COMMENT ON COLUMN process_dna.agents.retired_at IS 'When it was taken out of service; its scans are refused since';
COMMENT ON COLUMN process_dna.agents.retired_by IS 'By whom';

CREATE TABLE process_dna.agent_addresses (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  address inet NOT NULL,
  source text NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
  first_seen timestamptz NOT NULL,
  last_seen timestamptz,
  added_by text CHECK (length(added_by) <= 255),
  PRIMARY KEY (tenant_id, agent_id, address, first_seen),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents
);
CREATE UNIQUE INDEX agent_addresses_present
  ON process_dna.agent_addresses (tenant_id, agent_id, address)
  WHERE last_seen IS NULL;
CREATE INDEX agent_addresses_address
  ON process_dna.agent_addresses (address, tenant_id);
COMMENT ON TABLE process_dna.agent_addresses IS 'Addresses of agents, one row for each time that they had one';
COMMENT ON COLUMN process_dna.agent_addresses.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.agent_addresses.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.agent_addresses.address IS 'The address';
COMMENT ON COLUMN process_dna.agent_addresses.source IS 'Who says so: collectd, snmp, or manual';
COMMENT ON COLUMN process_dna.agent_addresses.first_seen IS 'First scan with it';
COMMENT ON COLUMN process_dna.agent_addresses.last_seen IS 'Last scan with it; null while the agent has it';
COMMENT ON COLUMN process_dna.agent_addresses.added_by IS 'Who added it by hand';

CREATE TABLE process_dna.executables (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  container text COLLATE "C" NOT NULL CHECK (container ~ '^[A-Za-z0-9._-]{0,40}$'),
  path text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 1 AND 512),
  sha256 text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('current', 'replaced', 'deleted',
    'anonymous', 'spoofed', 'unreadable', 'superseded')),
  reason text CHECK (reason IN ('pending', 'denied', 'changing', 'timeout',
    'remote', 'io')),
  name text NOT NULL CHECK (length(name) <= 63),
  pid integer NOT NULL CHECK (pid >= 0),
  uid bigint NOT NULL CHECK (uid >= 0),
  started_at timestamptz,
  processes bigint NOT NULL CHECK (processes >= 0),
  rss bigint NOT NULL CHECK (rss >= 0),
  file_size bigint CHECK (file_size >= 0),
  file_mode integer CHECK (file_mode >= 0),
  file_owner bigint CHECK (file_owner >= 0),
  file_mtime timestamptz,
  file_ctime timestamptz,
  manager text COLLATE "C" NOT NULL CHECK (length(manager) <= 8),
  package text COLLATE "C" NOT NULL CHECK (length(package) <= 64),
  version text COLLATE "C" NOT NULL CHECK (length(version) <= 64),
  arch text COLLATE "C" NOT NULL CHECK (length(arch) <= 16),
  whole boolean NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen timestamptz,
  unreadable_scans integer NOT NULL CHECK (unreadable_scans >= 0),
  verdict text,
  held_since timestamptz,
  held_until timestamptz,
  acknowledged boolean NOT NULL,
  settled boolean NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, container, path, sha256, state),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents,
  CHECK (CASE state WHEN 'unreadable' THEN sha256 = '' AND reason IS NOT NULL
    ELSE sha256 ~ '^[0-9a-f]{64}$' AND reason IS NULL END)
) WITH (fillfactor = 85);
CREATE INDEX executables_unsettled
  ON process_dna.executables (tenant_id, agent_id) WHERE NOT settled;
CREATE INDEX executables_held
  ON process_dna.executables (held_until, tenant_id)
  WHERE held_until IS NOT NULL;
COMMENT ON TABLE process_dna.executables IS 'Executables that were seen running, one row per digest and state; facts are those of the last scan in which any of the judged ones changed';
COMMENT ON COLUMN process_dna.executables.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.executables.agent_id IS 'Agent that runs it';
COMMENT ON COLUMN process_dna.executables.container IS 'Key of the container image, empty for the host';
COMMENT ON COLUMN process_dna.executables.path IS 'Identity text of the path';
COMMENT ON COLUMN process_dna.executables.sha256 IS 'Digest, 64 hex digits; empty if it could not be read';
COMMENT ON COLUMN process_dna.executables.state IS 'State of the file behind the process';
COMMENT ON COLUMN process_dna.executables.reason IS 'Why it could not be read';
COMMENT ON COLUMN process_dna.executables.name IS 'Name of the process with the lowest pid';
COMMENT ON COLUMN process_dna.executables.pid IS 'Lowest pid that runs it';
COMMENT ON COLUMN process_dna.executables.uid IS 'Effective user of that process';
COMMENT ON COLUMN process_dna.executables.started_at IS 'Start of the oldest process that runs it, by the host''s clock';
COMMENT ON COLUMN process_dna.executables.processes IS 'How many processes ran it';
COMMENT ON COLUMN process_dna.executables.rss IS 'Their resident memory in bytes';
COMMENT ON COLUMN process_dna.executables.file_size IS 'Size of the file in bytes';
COMMENT ON COLUMN process_dna.executables.file_mode IS 'Type and permission bits of the file';
COMMENT ON COLUMN process_dna.executables.file_owner IS 'User that owns the file';
COMMENT ON COLUMN process_dna.executables.file_mtime IS 'Modification of the file';
COMMENT ON COLUMN process_dna.executables.file_ctime IS 'Change of the inode';
COMMENT ON COLUMN process_dna.executables.manager IS 'Package manager that owns the file, empty if none does';
COMMENT ON COLUMN process_dna.executables.package IS 'Package that owns the file';
COMMENT ON COLUMN process_dna.executables.version IS 'Version that was reported with it';
COMMENT ON COLUMN process_dna.executables.arch IS 'Architecture of the package';
COMMENT ON COLUMN process_dna.executables.whole IS 'The scan that told of it was complete, so that no package means none';
COMMENT ON COLUMN process_dna.executables.first_seen IS 'First scan with it, by the host''s clock';
COMMENT ON COLUMN process_dna.executables.last_seen IS 'Last scan with it; null while it runs';
COMMENT ON COLUMN process_dna.executables.unreadable_scans IS 'Scans running in which it could not be read, other than pending';
COMMENT ON COLUMN process_dna.executables.verdict IS 'Last verdict; null if there could be none yet';
COMMENT ON COLUMN process_dna.executables.held_since IS 'Arrival of the scan since which the verdict is held';
COMMENT ON COLUMN process_dna.executables.held_until IS 'When the hold may have ended, if nothing else ends it: it is judged anew then';
COMMENT ON COLUMN process_dna.executables.acknowledged IS 'Somebody accepted the alert about it, although its digest can''t be trusted; until it is gone';
COMMENT ON COLUMN process_dna.executables.settled IS 'Seen again unchanged, it needs no new verdict';

CREATE TABLE process_dna.package_inventory (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  container text COLLATE "C" NOT NULL CHECK (container ~ '^[A-Za-z0-9._-]{0,40}$'),
  manager text COLLATE "C" NOT NULL CHECK (length(manager) BETWEEN 1 AND 8),
  package text COLLATE "C" NOT NULL CHECK (length(package) BETWEEN 1 AND 64),
  arch text COLLATE "C" NOT NULL CHECK (length(arch) <= 16),
  version text COLLATE "C" NOT NULL CHECK (length(version) BETWEEN 1 AND 64),
  in_transaction boolean NOT NULL,
  transaction_at timestamptz,
  since timestamptz NOT NULL,
  until timestamptz CHECK (until > since),
  UNIQUE NULLS NOT DISTINCT (tenant_id, agent_id, container, manager, package,
                             arch, until),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents,
  CHECK (in_transaction = (transaction_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX package_inventory_version ON process_dna.package_inventory
  ((package || ' ' || version), tenant_id, until, agent_id);
COMMENT ON TABLE process_dna.package_inventory IS 'Packages that own executables which an agent ran, with the version that it last reported (until is null) and the last hundred former ones';
COMMENT ON COLUMN process_dna.package_inventory.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.package_inventory.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.package_inventory.container IS 'Key of the container image that has the package, empty for the host';
COMMENT ON COLUMN process_dna.package_inventory.manager IS 'Package manager: dpkg, rpm';
COMMENT ON COLUMN process_dna.package_inventory.package IS 'Name of the package';
COMMENT ON COLUMN process_dna.package_inventory.arch IS 'Its architecture';
COMMENT ON COLUMN process_dna.package_inventory.version IS 'Its version';
COMMENT ON COLUMN process_dna.package_inventory.in_transaction IS 'The package manager is changing it, or was when the version became a former one';
COMMENT ON COLUMN process_dna.package_inventory.transaction_at IS 'Arrival of the first scan since which it has been changing it in all';
COMMENT ON COLUMN process_dna.package_inventory.since IS 'First scan with this version, by the host''s clock';
COMMENT ON COLUMN process_dna.package_inventory.until IS 'When another version took its place, or the package no longer owned what it had owned';

-- Ten million digests are some thousand packages and some hundred thousand
-- paths: these are kept once, and digests as bytes. Verdicts read the indexes
-- only, which include what they need: half of the pages, in a store that does
-- not fit into memory.
CREATE TABLE process_dna.manifest_packages (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  package_id integer GENERATED ALWAYS AS IDENTITY,
  manager text COLLATE "C" NOT NULL CHECK (length(manager) <= 8),
  package text COLLATE "C" NOT NULL CHECK (length(package) <= 64),
  version text COLLATE "C" NOT NULL CHECK (length(version) <= 64),
  arch text COLLATE "C" NOT NULL CHECK (length(arch) <= 16),
  content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
  provenance text COLLATE "C" NOT NULL
    CHECK (provenance IN ('signed-index', 'signed-package', 'file')),
  origin text NOT NULL CHECK (length(origin) <= 1024),
  added_by text NOT NULL CHECK (length(added_by) <= 255),
  added_at timestamptz NOT NULL DEFAULT now(),
  path_glob text COLLATE "C" CHECK (length(path_glob) BETWEEN 1 AND 1024),
  expires_at timestamptz,
  files integer NOT NULL DEFAULT 0 CHECK (files >= 0),
  PRIMARY KEY (tenant_id, package_id),
  CHECK ((package = '') = (manager = '')),
  CHECK (package = '' OR path_glob IS NULL AND expires_at IS NULL)
);
CREATE UNIQUE INDEX manifest_packages_name ON process_dna.manifest_packages
  (package, version, arch, manager, tenant_id, content_sha256, path_glob)
  INCLUDE (package_id) NULLS NOT DISTINCT;
CREATE INDEX manifest_packages_content ON process_dna.manifest_packages
  (encode(content_sha256, 'hex'), tenant_id);
COMMENT ON TABLE process_dna.manifest_packages IS 'Package versions whose files are known; an empty package is a site''s own release';
COMMENT ON COLUMN process_dna.manifest_packages.tenant_id IS 'Whose manifest it is';
COMMENT ON COLUMN process_dna.manifest_packages.package_id IS 'Number of the package version';
COMMENT ON COLUMN process_dna.manifest_packages.manager IS 'Package manager: dpkg, rpm; empty for a release';
COMMENT ON COLUMN process_dna.manifest_packages.package IS 'Name of the package, empty for a release without one';
COMMENT ON COLUMN process_dna.manifest_packages.version IS 'Its version';
COMMENT ON COLUMN process_dna.manifest_packages.arch IS 'Its architecture';
COMMENT ON COLUMN process_dna.manifest_packages.content_sha256 IS 'SHA-256 of the package, list or archive that the digests were read from';
COMMENT ON COLUMN process_dna.manifest_packages.provenance IS 'What vouches for it: a signed index, a signature in the package, or only whoever brought the file';
COMMENT ON COLUMN process_dna.manifest_packages.origin IS 'File, address or index that it came from';
COMMENT ON COLUMN process_dna.manifest_packages.added_by IS 'Who added it';
COMMENT ON COLUMN process_dna.manifest_packages.added_at IS 'When it was added';
COMMENT ON COLUMN process_dna.manifest_packages.path_glob IS 'Of a release: its digests hold at every path that matches, not at those that they are listed with';
COMMENT ON COLUMN process_dna.manifest_packages.expires_at IS 'Of a release: when it ceases to explain anything new';
COMMENT ON COLUMN process_dna.manifest_packages.files IS 'How many digests it has';

CREATE TABLE process_dna.manifest_paths (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  path_id integer GENERATED ALWAYS AS IDENTITY,
  path text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 1 AND 512),
  PRIMARY KEY (tenant_id, path_id)
);
CREATE UNIQUE INDEX manifest_paths_path
  ON process_dna.manifest_paths (path, tenant_id) INCLUDE (path_id);
COMMENT ON TABLE process_dna.manifest_paths IS 'Paths that manifests name';
COMMENT ON COLUMN process_dna.manifest_paths.tenant_id IS 'Whose manifests they are';
COMMENT ON COLUMN process_dna.manifest_paths.path_id IS 'Number of the path';
COMMENT ON COLUMN process_dna.manifest_paths.path IS 'Identity text of the path, /bin and the like as /usr/bin';

CREATE TABLE process_dna.manifest_digests (
  tenant_id integer NOT NULL,
  path_id integer NOT NULL,
  package_id integer NOT NULL,
  conffile boolean NOT NULL,
  release boolean NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (tenant_id, path_id, package_id, digest) INCLUDE (conffile),
  FOREIGN KEY (tenant_id, path_id) REFERENCES process_dna.manifest_paths,
  FOREIGN KEY (tenant_id, package_id) REFERENCES process_dna.manifest_packages
);
CREATE INDEX manifest_digests_release
  ON process_dna.manifest_digests (digest, tenant_id) WHERE release;
COMMENT ON TABLE process_dna.manifest_digests IS 'Digests that files of a package version have';
COMMENT ON COLUMN process_dna.manifest_digests.tenant_id IS 'Whose manifest it is';
COMMENT ON COLUMN process_dna.manifest_digests.path_id IS 'The path';
COMMENT ON COLUMN process_dna.manifest_digests.package_id IS 'The package version';
COMMENT ON COLUMN process_dna.manifest_digests.conffile IS 'The administrator may change the file, so another digest contradicts nothing';
COMMENT ON COLUMN process_dna.manifest_digests.release IS 'It is of a release without a package';
COMMENT ON COLUMN process_dna.manifest_digests.digest IS 'SHA-256 of the file';

CREATE VIEW process_dna.manifests WITH (security_invoker = true) AS
  SELECT tenant_id, p.manager, p.package, p.version, p.arch, f.path,
         encode(d.digest, 'hex') AS sha256, d.conffile, p.provenance, p.origin,
         p.added_by
  FROM process_dna.manifest_digests d
  JOIN process_dna.manifest_packages p USING (tenant_id, package_id)
  JOIN process_dna.manifest_paths f USING (tenant_id, path_id);
COMMENT ON VIEW process_dna.manifests IS 'Manifests in plain text; rows can be inserted';
COMMENT ON COLUMN process_dna.manifests.tenant_id IS 'Whose manifest it is';
COMMENT ON COLUMN process_dna.manifests.manager IS 'Package manager: dpkg, rpm';
COMMENT ON COLUMN process_dna.manifests.package IS 'Name of the package, empty for a release without one';
COMMENT ON COLUMN process_dna.manifests.version IS 'Its version';
COMMENT ON COLUMN process_dna.manifests.arch IS 'Its architecture';
COMMENT ON COLUMN process_dna.manifests.path IS 'Identity text of the path';
COMMENT ON COLUMN process_dna.manifests.sha256 IS 'Digest that the file has';
COMMENT ON COLUMN process_dna.manifests.conffile IS 'The administrator may change the file';
COMMENT ON COLUMN process_dna.manifests.provenance IS 'What vouches for it';
COMMENT ON COLUMN process_dna.manifests.origin IS 'Where it comes from';
COMMENT ON COLUMN process_dna.manifests.added_by IS 'Who added it';

CREATE TABLE process_dna.manifest_requests (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  manager text COLLATE "C" NOT NULL CHECK (length(manager) BETWEEN 1 AND 8),
  package text COLLATE "C" NOT NULL CHECK (length(package) BETWEEN 1 AND 64),
  version text COLLATE "C" NOT NULL CHECK (length(version) BETWEEN 1 AND 64),
  arch text COLLATE "C" NOT NULL CHECK (length(arch) <= 16),
  state text COLLATE "C" NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'running', 'found', 'none', 'failed')),
  requested_at timestamptz NOT NULL DEFAULT now(),
  answered_at timestamptz,
  due_at timestamptz NOT NULL DEFAULT now(),
  leased_by text CHECK (length(leased_by) <= 255),
  attempts integer NOT NULL DEFAULT 0,
  error text CHECK (length(error) <= 1024),
  PRIMARY KEY (tenant_id, manager, package, version, arch)
);
COMMENT ON TABLE process_dna.manifest_requests IS 'Package versions that agents were updated to and whose manifest is not known';
COMMENT ON COLUMN process_dna.manifest_requests.tenant_id IS 'Whose agents have it';
COMMENT ON COLUMN process_dna.manifest_requests.manager IS 'Package manager: dpkg, rpm';
COMMENT ON COLUMN process_dna.manifest_requests.package IS 'Name of the package';
COMMENT ON COLUMN process_dna.manifest_requests.version IS 'Version that is asked for';
COMMENT ON COLUMN process_dna.manifest_requests.arch IS 'Its architecture';
COMMENT ON COLUMN process_dna.manifest_requests.state IS 'none: there is no such version; failed: no answer, it is asked for again';
COMMENT ON COLUMN process_dna.manifest_requests.requested_at IS 'When it was first asked for';
COMMENT ON COLUMN process_dna.manifest_requests.answered_at IS 'When the first answer came, found or none: no verdict waits since';
COMMENT ON COLUMN process_dna.manifest_requests.due_at IS 'Not to be taken before: the end of the lease or of the pause';
COMMENT ON COLUMN process_dna.manifest_requests.leased_by IS 'Who fetches it, or did last';
COMMENT ON COLUMN process_dna.manifest_requests.attempts IS 'How often it was taken';
COMMENT ON COLUMN process_dna.manifest_requests.error IS 'Why the last attempt failed';

-- What a manifest decides may be on thousands of agents: it is judged anew some
-- agents at a time. A scan that was judged without the manifest may commit
-- after the first look at the queue, so there is a second one when all
-- transactions have ended that ran then.
CREATE TABLE process_dna.manifest_queue (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  queue_id bigint GENERATED ALWAYS AS IDENTITY,
  manager text COLLATE "C" NOT NULL,
  package text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  arch text COLLATE "C" NOT NULL,
  digests bytea[],
  agent_id bigint,
  agent_after bigint DEFAULT 0,
  barrier xid8,
  again boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, queue_id)
);
COMMENT ON TABLE process_dna.manifest_queue IS 'What has to be judged anew: a manifest came, or the answer that there is none, or an agent reports another version';
COMMENT ON COLUMN process_dna.manifest_queue.tenant_id IS 'Whose agents are concerned';
COMMENT ON COLUMN process_dna.manifest_queue.queue_id IS 'Number of the row';
COMMENT ON COLUMN process_dna.manifest_queue.manager IS 'Package manager, empty for a release';
COMMENT ON COLUMN process_dna.manifest_queue.package IS 'Package whose executables are concerned, empty for a release';
COMMENT ON COLUMN process_dna.manifest_queue.version IS 'Its version';
COMMENT ON COLUMN process_dna.manifest_queue.arch IS 'Its architecture';
COMMENT ON COLUMN process_dna.manifest_queue.digests IS 'Of a release: the digests that are concerned';
COMMENT ON COLUMN process_dna.manifest_queue.agent_id IS 'The one agent that is concerned; null for all that have the version';
COMMENT ON COLUMN process_dna.manifest_queue.agent_after IS 'Agents up to this number have been judged; null when all were looked at once';
COMMENT ON COLUMN process_dna.manifest_queue.barrier IS 'First transaction that had not begun at the first look; null before it';
COMMENT ON COLUMN process_dna.manifest_queue.again IS 'The second look has begun';

CREATE TABLE process_dna.baselines (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  container text COLLATE "C" NOT NULL CHECK (container ~ '^[A-Za-z0-9._-]{0,40}$'),
  path text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 1 AND 512),
  sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  grade text NOT NULL CHECK (grade IN ('first-use', 'fleet', 'manifest',
    'unverified', 'accepted')),
  manager text COLLATE "C" NOT NULL CHECK (length(manager) <= 8),
  package text COLLATE "C" NOT NULL CHECK (length(package) <= 64),
  version text COLLATE "C" NOT NULL CHECK (length(version) <= 64),
  arch text COLLATE "C" NOT NULL CHECK (length(arch) <= 16),
  version_at timestamptz,
  package_id integer,
  since timestamptz NOT NULL,
  until timestamptz CHECK (until > since),
  made_by text CHECK (length(made_by) <= 255),
  why text CHECK (length(why) <= 1024),
  UNIQUE NULLS NOT DISTINCT (tenant_id, agent_id, container, path, until),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents,
  FOREIGN KEY (tenant_id, package_id) REFERENCES process_dna.manifest_packages
) WITH (fillfactor = 95);
CREATE INDEX baselines_sha256
  ON process_dna.baselines (decode(sha256, 'hex'), tenant_id, agent_id);
COMMENT ON TABLE process_dna.baselines IS 'What executables are trusted as: the present digest of each path (until is null) and all former ones';
COMMENT ON COLUMN process_dna.baselines.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.baselines.agent_id IS 'Agent that it holds for';
COMMENT ON COLUMN process_dna.baselines.container IS 'Key of the container image, empty for the host';
COMMENT ON COLUMN process_dna.baselines.path IS 'Identity text of the path';
COMMENT ON COLUMN process_dna.baselines.sha256 IS 'The trusted digest';
COMMENT ON COLUMN process_dna.baselines.grade IS 'Why it is trusted';
COMMENT ON COLUMN process_dna.baselines.manager IS 'Package manager that owned the file, empty if none did';
COMMENT ON COLUMN process_dna.baselines.package IS 'Package that owned the file';
COMMENT ON COLUMN process_dna.baselines.version IS 'Version with which the digest was last seen';
COMMENT ON COLUMN process_dna.baselines.arch IS 'Architecture of the package';
COMMENT ON COLUMN process_dna.baselines.version_at IS 'Arrival of the scan from which the version was taken over for the same digest; null if it came with the digest';
COMMENT ON COLUMN process_dna.baselines.package_id IS 'Manifest that lists the digest, of grade manifest';
COMMENT ON COLUMN process_dna.baselines.since IS 'When it became the baseline';
COMMENT ON COLUMN process_dna.baselines.until IS 'When another one took its place';
COMMENT ON COLUMN process_dna.baselines.made_by IS 'Who accepted it; null if a scan made it';
COMMENT ON COLUMN process_dna.baselines.why IS 'Why it was accepted';

CREATE TABLE process_dna.process_dna_alerts (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  agent_id bigint NOT NULL,
  alert_id bigint GENERATED ALWAYS AS IDENTITY,
  agent_ref bigint GENERATED ALWAYS AS (nullif(agent_id, 0)) STORED,
  kind text NOT NULL
    CHECK (kind IN ('binary-changed', 'agent-silent', 'fleet-silent')),
  key text COLLATE "C" NOT NULL CHECK (key ~ '^[0-9a-f]{64}$'),
  state text COLLATE "C" NOT NULL DEFAULT 'open'
    CHECK (state IN ('open', 'resolved', 'accepted')),
  severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  verdict text NOT NULL,
  baseline_match boolean,
  container text COLLATE "C" NOT NULL,
  exe_path text COLLATE "C" NOT NULL,
  exe_sha256 text COLLATE "C" NOT NULL,
  exe_state text,
  reason text,
  baseline_sha256 text,
  baseline_grade text,
  baseline_since timestamptz,
  baseline_by text,
  baseline_version text,
  package_id integer,
  pid integer,
  uid bigint,
  process_name text,
  started_at timestamptz,
  manager text COLLATE "C" NOT NULL DEFAULT '',
  package text COLLATE "C" NOT NULL DEFAULT '',
  version text COLLATE "C" NOT NULL DEFAULT '',
  arch text COLLATE "C" NOT NULL DEFAULT '',
  observed_at timestamptz NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz NOT NULL,
  seen bigint NOT NULL DEFAULT 1,
  line text NOT NULL CHECK (octet_length(line) <= 1024),
  closed_at timestamptz,
  who text CHECK (length(who) <= 255),
  why text CHECK (length(why) <= 1024),
  PRIMARY KEY (tenant_id, alert_id, agent_id),
  FOREIGN KEY (tenant_id, agent_ref) REFERENCES process_dna.agents,
  FOREIGN KEY (tenant_id, package_id) REFERENCES process_dna.manifest_packages,
  CHECK ((agent_id = 0) = (kind = 'fleet-silent')),
  CHECK ((closed_at IS NULL) = (state = 'open'))
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX process_dna_alerts_open ON process_dna.process_dna_alerts
  (tenant_id, agent_id, kind, container, exe_path, exe_sha256)
  WHERE state = 'open';
CREATE INDEX process_dna_alerts_key
  ON process_dna.process_dna_alerts (key, tenant_id);
CREATE INDEX process_dna_alerts_sha256
  ON process_dna.process_dna_alerts
  (decode(exe_sha256, 'hex'), tenant_id, agent_id);
COMMENT ON TABLE process_dna.process_dna_alerts IS 'Alerts, open and closed; at most one is open per agent, container, path and digest';
COMMENT ON COLUMN process_dna.process_dna_alerts.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.process_dna_alerts.agent_id IS 'Agent that it is about; 0 for a silent fleet';
COMMENT ON COLUMN process_dna.process_dna_alerts.alert_id IS 'Number of the alert';
COMMENT ON COLUMN process_dna.process_dna_alerts.agent_ref IS 'The agent as a reference; null for a silent fleet';
COMMENT ON COLUMN process_dna.process_dna_alerts.kind IS 'What it is about';
COMMENT ON COLUMN process_dna.process_dna_alerts.key IS 'pdnaAlertKey: the same whenever the same thing happens';
COMMENT ON COLUMN process_dna.process_dna_alerts.state IS 'open, resolved by itself, or accepted by somebody';
COMMENT ON COLUMN process_dna.process_dna_alerts.severity IS 'info, warning or critical';
COMMENT ON COLUMN process_dna.process_dna_alerts.verdict IS 'The rule that raised it';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_match IS 'false: unexplained; true: a manifest or somebody covers the digest; null: not about a digest';
COMMENT ON COLUMN process_dna.process_dna_alerts.container IS 'Key of the container image, empty for the host';
COMMENT ON COLUMN process_dna.process_dna_alerts.exe_path IS 'Identity text of the path';
COMMENT ON COLUMN process_dna.process_dna_alerts.exe_sha256 IS 'Digest that was found; empty if it could not be read';
COMMENT ON COLUMN process_dna.process_dna_alerts.exe_state IS 'State of the file behind the process';
COMMENT ON COLUMN process_dna.process_dna_alerts.reason IS 'Why it could not be read';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_sha256 IS 'Baseline when the alert was raised, null if there was none';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_grade IS 'Its grade';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_since IS 'Since when it was the baseline';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_by IS 'Who had accepted it';
COMMENT ON COLUMN process_dna.process_dna_alerts.baseline_version IS 'Package version with which the baseline was last seen';
COMMENT ON COLUMN process_dna.process_dna_alerts.package_id IS 'Manifest that contradicts the digest';
COMMENT ON COLUMN process_dna.process_dna_alerts.pid IS 'Lowest pid that ran it when last seen';
COMMENT ON COLUMN process_dna.process_dna_alerts.uid IS 'Effective user of that process';
COMMENT ON COLUMN process_dna.process_dna_alerts.process_name IS 'Name of that process';
COMMENT ON COLUMN process_dna.process_dna_alerts.started_at IS 'Start of the oldest process that ran it';
COMMENT ON COLUMN process_dna.process_dna_alerts.manager IS 'Package manager that owns the file, empty if none does';
COMMENT ON COLUMN process_dna.process_dna_alerts.package IS 'Package that owns the file';
COMMENT ON COLUMN process_dna.process_dna_alerts.version IS 'Version that the agent reported with it';
COMMENT ON COLUMN process_dna.process_dna_alerts.arch IS 'Architecture of the package';
COMMENT ON COLUMN process_dna.process_dna_alerts.observed_at IS 'Time of the first scan with it, by the host''s clock';
COMMENT ON COLUMN process_dna.process_dna_alerts.raised_at IS 'When the alert was raised';
COMMENT ON COLUMN process_dna.process_dna_alerts.last_seen IS 'Time of the last scan with it, by the host''s clock';
COMMENT ON COLUMN process_dna.process_dna_alerts.seen IS 'In how many scans it was seen';
COMMENT ON COLUMN process_dna.process_dna_alerts.line IS 'The alert in one line';
COMMENT ON COLUMN process_dna.process_dna_alerts.closed_at IS 'When it was resolved or accepted';
COMMENT ON COLUMN process_dna.process_dna_alerts.who IS 'Who accepted it';
COMMENT ON COLUMN process_dna.process_dna_alerts.why IS 'Why it was closed';

CREATE TABLE process_dna.agent_events (
  tenant_id integer NOT NULL,
  agent_id bigint NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  event text NOT NULL CHECK (event IN ('enrolled', 'bound', 're-enrolled',
    'rebaselined', 'confirmed', 'disowned', 'accepted', 'reset', 'retired',
    'rebound', 'address-added', 'address-removed', 'name-added',
    'name-removed')),
  container text COLLATE "C" NOT NULL DEFAULT '',
  path text COLLATE "C" NOT NULL DEFAULT '',
  old_value text,
  new_value text,
  who text CHECK (length(who) <= 255),
  why text CHECK (length(why) <= 1024),
  PRIMARY KEY (tenant_id, agent_id, event_id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES process_dna.agents
);
COMMENT ON TABLE process_dna.agent_events IS 'What happened to agents and to what they are trusted with';
COMMENT ON COLUMN process_dna.agent_events.tenant_id IS 'Tenant of the agent';
COMMENT ON COLUMN process_dna.agent_events.agent_id IS 'The agent';
COMMENT ON COLUMN process_dna.agent_events.event_id IS 'Number of the event';
COMMENT ON COLUMN process_dna.agent_events.at IS 'When it happened';
COMMENT ON COLUMN process_dna.agent_events.event IS 'What happened';
COMMENT ON COLUMN process_dna.agent_events.container IS 'Container of the executable, where one is concerned';
COMMENT ON COLUMN process_dna.agent_events.path IS 'Its path';
COMMENT ON COLUMN process_dna.agent_events.old_value IS 'Digest, signer or host id before';
COMMENT ON COLUMN process_dna.agent_events.new_value IS 'Digest, signer, host id or address after';
COMMENT ON COLUMN process_dna.agent_events.who IS 'Who did it; null if nobody had to';
COMMENT ON COLUMN process_dna.agent_events.why IS 'Why';

CREATE TABLE process_dna.correlators (
  instance text PRIMARY KEY CHECK (length(instance) BETWEEN 1 AND 255),
  host text NOT NULL CHECK (length(host) <= 255),
  pid integer NOT NULL,
  version text COLLATE "C" NOT NULL CHECK (length(version) <= 64),
  started_at timestamptz NOT NULL,
  reported_at timestamptz NOT NULL DEFAULT now(),
  counters jsonb NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE process_dna.correlators IS 'Correlators on this database; the one table that belongs to no tenant';
COMMENT ON COLUMN process_dna.correlators.instance IS 'Name of the running correlator';
COMMENT ON COLUMN process_dna.correlators.host IS 'Host that it runs on';
COMMENT ON COLUMN process_dna.correlators.pid IS 'Its process';
COMMENT ON COLUMN process_dna.correlators.version IS 'Its version';
COMMENT ON COLUMN process_dna.correlators.started_at IS 'When it started';
COMMENT ON COLUMN process_dna.correlators.reported_at IS 'When it last reported';
COMMENT ON COLUMN process_dna.correlators.counters IS 'What it has counted, by name';

CREATE TABLE process_dna.trap_sinks (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  sink text COLLATE "C" NOT NULL CHECK (length(sink) BETWEEN 1 AND 127),
  instance text NOT NULL CHECK (length(instance) BETWEEN 1 AND 255),
  named_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, sink, instance)
);
COMMENT ON TABLE process_dna.trap_sinks IS 'Where traps go, as the configurations of running correlators name it';
COMMENT ON COLUMN process_dna.trap_sinks.tenant_id IS 'Tenant whose traps it takes';
COMMENT ON COLUMN process_dna.trap_sinks.sink IS 'Name of the sink';
COMMENT ON COLUMN process_dna.trap_sinks.instance IS 'Correlator that named it';
COMMENT ON COLUMN process_dna.trap_sinks.named_at IS 'When that correlator last did';

CREATE TABLE process_dna.trap_outbox (
  tenant_id integer NOT NULL REFERENCES process_dna.tenants,
  outbox_id bigint GENERATED ALWAYS AS IDENTITY,
  sink text COLLATE "C" NOT NULL,
  agent_id bigint NOT NULL,
  alert_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL DEFAULT now(),
  leased_by text,
  attempts integer NOT NULL DEFAULT 0,
  error text,
  PRIMARY KEY (tenant_id, outbox_id),
  FOREIGN KEY (tenant_id, alert_id, agent_id)
    REFERENCES process_dna.process_dna_alerts
) WITH (fillfactor = 70);
CREATE INDEX trap_outbox_order
  ON process_dna.trap_outbox (sink, key, outbox_id);
COMMENT ON TABLE process_dna.trap_outbox IS 'Traps that are still to be sent, one row per alert, state and sink; sent ones go';
COMMENT ON COLUMN process_dna.trap_outbox.tenant_id IS 'Tenant of the alert';
COMMENT ON COLUMN process_dna.trap_outbox.outbox_id IS 'Number of the row; those of one alert are sent in its order';
COMMENT ON COLUMN process_dna.trap_outbox.sink IS 'Where it goes';
COMMENT ON COLUMN process_dna.trap_outbox.agent_id IS 'Agent of the alert';
COMMENT ON COLUMN process_dna.trap_outbox.alert_id IS 'The alert';
COMMENT ON COLUMN process_dna.trap_outbox.key IS 'pdnaAlertKey of the alert';
COMMENT ON COLUMN process_dna.trap_outbox.payload IS 'What the trap says, all of it text';
COMMENT ON COLUMN process_dna.trap_outbox.created_at IS 'When it was written';
COMMENT ON COLUMN process_dna.trap_outbox.due_at IS 'Not to be taken before: the end of the lease or of the pause';
COMMENT ON COLUMN process_dna.trap_outbox.leased_by IS 'Correlator that has it';
COMMENT ON COLUMN process_dna.trap_outbox.attempts IS 'How often it was taken';
COMMENT ON COLUMN process_dna.trap_outbox.error IS 'Why the last attempt failed';

-- An executable of a scan with what is known of it from earlier ones: what the
-- verdict is made from.
CREATE TYPE process_dna.observation AS (
  agent_id bigint,
  container text COLLATE "C",
  path text COLLATE "C",
  sha256 text COLLATE "C",
  state text COLLATE "C",
  reason text,
  name text,
  pid integer,
  uid bigint,
  started_at timestamptz,
  processes bigint,
  rss bigint,
  file_size bigint,
  file_mode integer,
  file_owner bigint,
  file_mtime timestamptz,
  file_ctime timestamptz,
  manager text COLLATE "C",
  package text COLLATE "C",
  version text COLLATE "C",
  arch text COLLATE "C",
  in_transaction boolean,
  whole boolean,
  first_seen timestamptz,
  last_seen timestamptz,
  unreadable_scans integer,
  held_since timestamptz,
  acknowledged boolean,
  observed_at timestamptz,
  arrived_at timestamptz
);
COMMENT ON TYPE process_dna.observation IS 'A row of executables as a scan reports it, and when: observed_at by the host''s clock, arrived_at by ours';

CREATE TYPE process_dna.scan AS (
  n integer,
  agent_id bigint,
  outcome text,
  host_id text,
  boot timestamptz,
  signer text,
  relayed boolean,
  source text,
  observed_at timestamptz,
  arrived_at timestamptz,
  sequence bigint,
  interval_s integer,
  complete boolean,
  previous timestamptz
);
COMMENT ON TYPE process_dna.scan IS 'A scan that is taken in: its number in the call, its agent, what becomes of it, and the time of the agent''s scan before it';

CREATE TYPE process_dna.judgement AS (
  verdict text,
  severity text,
  moves boolean,
  request boolean,
  baseline_sha256 text,
  baseline_grade text,
  baseline_since timestamptz,
  baseline_by text,
  baseline_version text,
  confirms boolean,
  takes_version boolean,
  again boolean,
  package_id integer,
  held_until timestamptz
);
COMMENT ON TYPE process_dna.judgement IS 'A verdict: severity is null where it raises no alert, moves says that the digest takes the baseline''s place, request that a manifest is wanted, confirms that a manifest lists the baseline''s digest, takes_version that the baseline has another version of its package now, again that it holds for a while only; package_id is the manifest that decided, held_until when a hold may end; the rest is the baseline before it';

CREATE TYPE process_dna.package_key AS (
  manager text COLLATE "C",
  package text COLLATE "C",
  version text COLLATE "C",
  arch text COLLATE "C"
);
COMMENT ON TYPE process_dna.package_key IS 'A version of a package';

CREATE TYPE process_dna.inventory_key AS (
  agent_id bigint,
  container text COLLATE "C",
  manager text COLLATE "C",
  package text COLLATE "C",
  arch text COLLATE "C",
  path text COLLATE "C"
);
COMMENT ON TYPE process_dna.inventory_key IS 'A package of an agent, with the path of an executable that it owned';
