-- Goal: a release's pattern matches the paths that fnmatch(3) with FNM_PATHNAME
-- matches in the C locale, and no pattern does harm.
BEGIN;
SELECT plan(53);

CREATE FUNCTION pg_temp.matches(p_glob text, p_path text) RETURNS boolean
LANGUAGE sql AS $$
  SELECT coalesce(p_path ~ process_dna.glob_regex(p_glob), false)
$$;

SELECT is(pg_temp.matches(glob, path), expected,
    glob || CASE WHEN expected THEN ' matches ' ELSE ' leaves out ' END || path)
FROM (VALUES
  ('/opt/*/app', '/opt/x/app', true), ('/opt/*/app', '/opt/x/y/app', false),
  ('/opt/**/app', '/opt/x/app', true), ('/opt/**/app', '/opt/x/y/app', false),
  ('/opt/*', '/opt/', true), ('/opt/*', '/opt/.hidden', true),
  ('*', '/opt', false), ('', '/opt', false), ('app', '/opt/app', false),
  ('/opt/a*p*', '/opt/apppp', true), ('/opt/a', '/opt/ab', false),
  ('/opt/?pp', '/opt/app', true), ('/opt?app', '/opt/app', false),
  ('/opt/m? app', '/opt/m!%20app', true), ('/opt/?', '/opt/%25', true),
  ('/opt/??', '/opt/%C3%A9', true), ('/opt/?', '/opt/%C3%A9', false),
  ('/opt/é', '/opt/%C3%A9', true),
  ('/opt/[a-c]pp', '/opt/bpp', true), ('/opt/[a-c]pp', '/opt/dpp', false),
  ('/opt/[!a-c]pp', '/opt/dpp', true), ('/opt/[^a-c]pp', '/opt/app', false),
  ('/opt/[]x]pp', '/opt/]pp', true), ('/opt/[!]]pp', '/opt/]pp', false),
  ('/opt/[c-a]pp', '/opt/bpp', false), ('/opt/[a-]pp', '/opt/-pp', true),
  ('/opt/[a', '/opt/[a', true), ('/opt/[', '/opt/[', true),
  ('/opt[/]app', '/opt/app', false), ('/opt[!a]app', '/opt/app', false),
  ('/opt/[a/]pp', '/opt/app', true), ('/opt/a[:]b', '/opt/a%3Ab', true),
  ('/opt/a[!:]b', '/opt/a%3Ab', false), ('/opt/[%]', '/opt/%25', true),
  ('/opt/[[:alpha:]]pp', '/opt/app', true),
  ('/opt/[![:alpha:]]pp', '/opt/1pp', true),
  ('/opt/[[:digit:]-]pp', '/opt/-pp', true),
  ('/opt/[[:nope:]]pp', '/opt/epp', false),
  ('/opt/[\]]pp', '/opt/]pp', true), ('/opt/[é]', '/opt/%C3%A9', false),
  ('/opt/\*', '/opt/*', true), ('/opt/\*', '/opt/x', false),
  ('/opt/a\pp', '/opt/app', true), ('/opt/app\', '/opt/app', false),
  ('/opt/a.p', '/opt/axp', false), ('/opt/(app|x)', '/opt/x', false),
  ('/opt/$app', '/opt/$app', true), ('/opt/{app,x}', '/opt/app', false),
  ('/opt/%20', '/opt/%20', false), ('/opt/ ', '/opt/%20', true)
) v (glob, path, expected);

SELECT is(pg_temp.matches('/' || repeat('*a', 500) || 'b',
    '/' || repeat('a', 500)), false, 'many stars end');
SELECT is(pg_temp.matches('/' || repeat('*[!b]', 200),
    '/' || repeat('a', 500)), true, 'and many brackets');
SELECT is(pg_temp.matches('/' || repeat('[', 1000), '/x'), false,
  'and brackets that are none');

SELECT * FROM finish();
ROLLBACK;
