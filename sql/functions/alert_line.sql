-- An alert about an executable in one line (pdnaAlertText): host and path
-- first, then what was expected and what was found, the verdict's name in
-- brackets, and the command that secures the evidence: a path that a shell
-- would not take as it stands is in no command.
CREATE OR REPLACE FUNCTION process_dna.alert_line(
  p_verdict text, p_host text, p_container text, p_path text, p_state text,
  p_reason text, p_sha256 text, p_baseline text, p_baseline_version text,
  p_package text, p_version text, p_name text, p_pid integer)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN process_dna.line_of(
    p_host || ': ' || p_path
    || CASE p_container WHEN '' THEN '' ELSE ' in container ' || p_container END
    || CASE p_verdict
      WHEN 'spoofed' THEN
        ' is not what process ' || p_pid || ' (' || p_name || ') runs: no'
        || ' executable mapping comes from the file that its exe link names,'
        || ' SHA-256 ' || left(p_sha256, 12) || '...'
      WHEN 'never-on-disk' THEN
        ' never lay on disk under a name and is none of this host''s trusted'
        || ' executables: SHA-256 ' || left(p_sha256, 12) || '...'
      WHEN 'unreadable' THEN
        ' could not be hashed in three scans running: ' || p_reason
        || CASE WHEN p_baseline IS NULL THEN '' ELSE
           ', although it is trusted with SHA-256 ' || left(p_baseline, 12)
           || '...' END
      WHEN 'new-binary' THEN
        ' is new here and no package owns it: SHA-256 '
        || left(p_sha256, 12) || '...'
      ELSE
        CASE WHEN p_baseline IS NULL THEN ' is no trusted executable: SHA-256 '
          ELSE ' is no longer the executable that was trusted: SHA-256 '
            || left(p_baseline, 12) || '... became ' END
        || left(p_sha256, 12) || '...'
        || CASE p_verdict
          WHEN 'not-in-manifest' THEN ', and the manifest of ' || p_package
            || ' ' || p_version || ' lists other digests only'
          WHEN 'unverified-update' THEN ' with the update of ' || p_package
            || ' from ' || coalesce(nullif(p_baseline_version, ''),
                                    'an unknown version')
            || ' to ' || p_version || ', whose manifest is not known'
          ELSE CASE p_package
            WHEN '' THEN ', no package update explains it'
            ELSE ', the package ' || p_package || ' is still ' || p_version
            END
          END
      END
    || ' (' || p_verdict || '); pid ' || p_pid || '. First: '
    || CASE
      WHEN p_state <> 'replaced' THEN 'cp /proc/' || p_pid || '/exe'
      WHEN p_path !~ '^[A-Za-z0-9/._+@,=-]+$'
        THEN 'copy the file, as explain says,'
      WHEN p_container = '' THEN 'cp ' || p_path
      ELSE 'cp /proc/' || p_pid || '/root' || p_path END
    || ' to a safe place');
END $$;
