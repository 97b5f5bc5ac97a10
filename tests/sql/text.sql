-- Goal: lines for people are one line, bounded, printable, and precise.
BEGIN;
SELECT plan(23);

SELECT is(process_dna.printable('plain ü'), 'plain ü', 'text stays as it is');
SELECT is(process_dna.printable(E'a\nb\x1b[31m\x7f\u0085'),
  'a\x0ab\x1b[31m\x7f\x85', 'control characters are written out');
SELECT is(process_dna.printable(E'\u202Egnp.exe'), '\u202egnp.exe',
  'and what turns a line round');
SELECT is(octet_length(process_dna.line_of(repeat('x', 5000))), 1024,
  'a line is cut at 1024 octets');
SELECT is(right(process_dna.line_of(repeat('x', 5000)), 4), 'x...',
  'and says so');
SELECT cmp_ok(octet_length(process_dna.line_of(repeat('😀', 5000))), '<=', 1024,
  'whatever a character takes');
SELECT is(process_dna.line_of(repeat('x', 1024)), repeat('x', 1024),
  'what fits is not cut');

CREATE FUNCTION pg_temp.line(p_verdict text, state text DEFAULT 'current',
  container text DEFAULT '', package text DEFAULT 'nginx',
  baseline text DEFAULT test.digest('a'),
  path text DEFAULT '/usr/sbin/nginx') RETURNS text LANGUAGE sql AS $$
  SELECT process_dna.alert_line(p_verdict, 'web1', container,
    path, state, 'denied', test.digest('b'), baseline, '1.0',
    package, CASE package WHEN '' THEN '' ELSE '1.1' END, 'nginx', 1842)
$$;
SELECT is(pg_temp.line('no-known-update', package => ''),
  'web1: /usr/sbin/nginx is no longer the executable that was trusted: '
  'SHA-256 aaaaaaaaaaaa... became bbbbbbbbbbbb..., no package update explains '
  'it (no-known-update); pid 1842. First: cp /proc/1842/exe to a safe place',
  'no known update');
SELECT is(pg_temp.line('unverified-update', 'replaced', 'img1'),
  'web1: /usr/sbin/nginx in container img1 is no longer the executable that '
  'was trusted: SHA-256 aaaaaaaaaaaa... became bbbbbbbbbbbb... with the update '
  'of nginx from 1.0 to 1.1, whose manifest is not known (unverified-update); '
  'pid 1842. First: cp /proc/1842/root/usr/sbin/nginx to a safe place',
  'an unverified update, in a container, whose new file lies on disk only');
SELECT matches(pg_temp.line('no-known-update', 'replaced', path => p),
  '; pid 1842\. First: copy the file, as explain says, to a safe place$',
  'no command holds ' || p)
FROM unnest(ARRAY['/tmp/x;reboot', '/tmp/$(id)', '/tmp/`id`', '/tmp/a|b',
  '/tmp/a&b', '/tmp/>x', '/opt/my%20app', '/tmp/*', '/tmp/''x']) p;
SELECT matches(pg_temp.line('not-in-manifest', baseline => NULL),
  'is no trusted executable: SHA-256 bbb.* manifest of nginx 1.1 lists other',
  'not in the manifest, at first use');
SELECT matches(pg_temp.line('spoofed'), 'is not what process 1842 \(nginx\)',
  'spoofed');
SELECT matches(pg_temp.line('never-on-disk'), 'never lay on disk',
  'never on disk');
SELECT matches(pg_temp.line('unreadable'),
  'could not be hashed in three scans running: denied, although it is trusted',
  'unreadable');
SELECT matches(pg_temp.line('new-binary', package => ''),
  'is new here and no package owns it', 'a new binary');

SELECT * FROM finish();
ROLLBACK;
