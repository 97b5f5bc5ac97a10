-- The events of one executable are looked up, where so far only those of a host
-- were: a host has some for each executable that an update changed. The index
-- begins with what is looked up, as others that are not keys; agent_id is unique
-- among all tenants.
CREATE INDEX agent_events_path
  ON process_dna.agent_events (path, container, agent_id, event_id)
  WHERE path <> '';
