-- Sessions whose login is among the same lines, as most are: of each line when
-- its session began, if it is a login and that is told (auth_sessions says what
-- belongs together), and the lines of the other sessions.
CREATE OR REPLACE FUNCTION process_dna.auth_sessions_within(
  p_lines process_dna.auth_line[],
  OUT began timestamptz[], OUT others process_dna.auth_line[])
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(p_lines) l WHERE l.outcome IN
                   ('session_opened', 'starting_session')) THEN
    RETURN;
  END IF;
  SELECT array_agg(CASE WHEN u.login
             THEN least(u.process_began, u.client_began) END ORDER BY u.n),
         array_agg(p_lines[u.n]) FILTER (WHERE u.session
           AND (u.process_login OR u.client_login) IS NOT TRUE)
    INTO began, others
    FROM (
      SELECT s.n, s.login, s.session,
        min(s.observed) FILTER (WHERE s.session) OVER process AS process_began,
        bool_or(s.login) OVER process AS process_login,
        min(s.observed) FILTER (WHERE s.session) OVER client AS client_began,
        bool_or(s.login) OVER client AS client_login
      FROM (SELECT l.*, l.ordinality AS n, l.outcome = 'accepted' AS login,
              l.outcome IN ('session_opened', 'starting_session') AS session
            FROM unnest(p_lines) WITH ORDINALITY l) s
      -- What is not known is nobody else's: such a line is alone.
      WINDOW process AS (
          PARTITION BY s.host, s.auth_user, s.pid,
            CASE WHEN s.pid IS NULL THEN s.n END
          ORDER BY s.observed
          RANGE BETWEEN '60 s' PRECEDING AND '60 s' FOLLOWING),
        client AS (
          PARTITION BY s.host, s.auth_user, s.address, s.port,
            CASE WHEN s.address IS NULL OR s.port IS NULL THEN s.n END
          ORDER BY s.observed
          RANGE BETWEEN '60 s' PRECEDING AND '60 s' FOLLOWING)) u;
END $$;
