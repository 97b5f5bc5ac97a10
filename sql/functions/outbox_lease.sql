-- Take up to p_limit traps that are due for the given sinks, for p_lease_s
-- seconds: nobody else gets them before, unless outbox_retry gives them back
-- earlier. Those of one alert and sink come one at a time, in their order, so
-- that no clear overtakes its alert. All of the payload is text, never null.
--
-- Neither bitmaps nor sorting, so that it walks the key in order and stops at
-- the limit however much waits.
CREATE OR REPLACE FUNCTION process_dna.outbox_lease(
  p_tenant integer, p_sinks text[], p_instance text, p_lease_s integer,
  p_limit integer)
RETURNS TABLE (outbox_id bigint, sink text, attempts integer,
  trap text, agent_address text, key text, kind text, state text,
  severity text, host text, address text, container text, exe_path text,
  baseline_sha256 text, observed_sha256 text, pid text, package text,
  verdict text, mitre text, peer_host text, peer_address text, auth_user text,
  related_key text, at text, line text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  -- Whoever asks for a sink's traps still names it.
  UPDATE process_dna.trap_sinks t SET named_at = now()
  WHERE t.tenant_id = p_tenant AND t.instance = p_instance
    AND t.sink = ANY (p_sinks) AND t.named_at < now() - interval '10 min';

  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT o.outbox_id
    FROM process_dna.trap_outbox o
    WHERE o.tenant_id = p_tenant AND o.sink = ANY (p_sinks)
      AND o.due_at <= now()
      AND NOT EXISTS (
        SELECT FROM process_dna.trap_outbox e
        WHERE e.tenant_id = p_tenant AND e.sink = o.sink AND e.key = o.key
          AND e.outbox_id < o.outbox_id)
    ORDER BY o.outbox_id
    LIMIT p_limit
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE process_dna.trap_outbox o
    SET due_at = now() + p_lease_s * interval '1 s', leased_by = p_instance,
        attempts = o.attempts + 1
    FROM due d
    WHERE o.tenant_id = p_tenant AND o.outbox_id = d.outbox_id
    RETURNING o.outbox_id, o.sink, o.attempts, o.key, o.payload
  )
  SELECT t.outbox_id, t.sink, t.attempts,
         t.payload->>'trap', t.payload->>'agent_address', t.key,
         t.payload->>'kind', t.payload->>'state', t.payload->>'severity',
         t.payload->>'host', t.payload->>'address', t.payload->>'container',
         t.payload->>'exe_path', t.payload->>'baseline_sha256',
         t.payload->>'observed_sha256', t.payload->>'pid',
         t.payload->>'package', t.payload->>'verdict', t.payload->>'mitre',
         coalesce(t.payload->>'peer_host', ''),
         coalesce(t.payload->>'peer_address', ''),
         coalesce(t.payload->>'auth_user', ''),
         coalesce(t.payload->>'related_key', ''),
         t.payload->>'at', t.payload->>'line'
  FROM taken t
  ORDER BY t.outbox_id;
END $$;
