-- A fetch has ended: 'found'; 'none', there is no such version, which ends all
-- holds at once and is asked again from five minutes on, at most once a day;
-- or 'failed', no answer (p_error says why), which is asked again from half a
-- minute on, at most once an hour.
CREATE OR REPLACE FUNCTION process_dna.manifest_request_done(
  p_tenant integer, p_manager text, p_package text, p_version text,
  p_arch text, p_outcome text, p_error text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_answered timestamptz;
BEGIN
  IF p_outcome NOT IN ('found', 'none', 'failed') THEN
    RAISE 'manifest_request_done: no outcome: %', p_outcome;
  END IF;
  SELECT q.answered_at INTO v_answered FROM process_dna.manifest_requests q
    WHERE q.tenant_id = p_tenant AND q.manager = p_manager
      AND q.package = p_package AND q.version = p_version AND q.arch = p_arch
      AND q.state <> 'found'
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN; -- forgotten, or imported by somebody meanwhile
  END IF;
  UPDATE process_dna.manifest_requests q
  SET state = p_outcome, leased_by = NULL,
      error = left(process_dna.printable(p_error), 1024),
      answered_at = CASE WHEN p_outcome = 'failed' THEN q.answered_at
        ELSE coalesce(q.answered_at, now()) END,
      due_at = now() + CASE p_outcome
        WHEN 'none' THEN least(interval '5 min' * 2 ^ least(q.attempts - 1, 20),
                               interval '1 day')
        ELSE least(interval '30 s' * 2 ^ least(q.attempts - 1, 20),
                   interval '1 hour') END
  WHERE q.tenant_id = p_tenant AND q.manager = p_manager
    AND q.package = p_package AND q.version = p_version AND q.arch = p_arch;
  IF p_outcome <> 'failed' AND v_answered IS NULL THEN
    PERFORM process_dna.manifest_enqueue(p_tenant, p_manager, p_package,
                                         p_version, p_arch, NULL);
  END IF;
END $$;
