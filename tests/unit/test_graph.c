/* Goal: the graph says who logged on where and what changed, and whatever
 * hosts, paths and users are called, dot reads a label and nothing else. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/graph.h"
#include "correlator/graphviz.h"
#include "tests/unit/made_result.h"
#include "tests/unit/unit.h"

#define TRUSTED                                                                \
  "aaaa456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OBSERVED                                                               \
  "bbbb456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define AT_1 "2026-05-25 09:14:02.5+00"
#define AT_2 "2026-05-25 09:16:00+00"

enum { HOST_FIELDS = 8, LOGIN_FIELDS = 11 };

static const char *const host_names[HOST_FIELDS] = {
    "host", "address",         "alert_id",        "container",
    "path", "baseline_sha256", "observed_sha256", "verdict"};
static const char *const login_names[LOGIN_FIELDS] = {
    "source", "target",      "auth_user",  "method",
    "logins", "first_login", "last_login", "severity",
    "open",   "first_time",  "ambiguous"};

typedef const char *host_row[HOST_FIELDS];
typedef const char *login_row[LOGIN_FIELDS];

static char *graph_of(size_t hosts_len, const host_row *hosts,
                      size_t logins_len, const login_row *logins) {
  PGresult *h = made_result(HOST_FIELDS, host_names, hosts_len,
                            hosts_len > 0 ? hosts[0] : NULL);
  PGresult *l = made_result(LOGIN_FIELDS, login_names, logins_len,
                            logins_len > 0 ? logins[0] : NULL);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  assert_int_equal(graph_print(out, h, l), 0);
  assert_int_equal(fclose(out), 0);
  PQclear(h);
  PQclear(l);
  return text;
}

/* A new file's name, which is the caller's to remove. */
static void new_name(char name[static 32]) {
  (void)snprintf(name, 32, "/tmp/pdna-graph-XXXXXX");
  int fd = mkstemp(name);

  assert_true(fd >= 0);
  assert_int_equal(close(fd), 0);
}

static char *content_of(const char *file) {
  FILE *in = fopen(file, "re");
  char *text = NULL;
  size_t size = 0;

  assert_non_null(in);
  if (getdelim(&text, &size, '\0', in) < 0)
    text[0] = '\0';
  assert_int_equal(fclose(in), 0);
  return text;
}

static char *drawing_of(const char *graph) {
  char file[32], reason[GRAPHVIZ_REASON_MAX] = "";

  new_name(file);
  if (graphviz_svg(graph, file, reason) != 0)
    fail_msg("%s\n%s", reason, graph);
  char *svg = content_of(file);
  assert_int_equal(unlink(file), 0);
  return svg;
}

static int count(const char *text, const char *part) {
  int n = 0;

  while ((text = strstr(text, part)) != NULL)
    n++, text += strlen(part);
  return n;
}

static const host_row hosts[] = {
    {"db1", "192.0.2.20", NULL, NULL, NULL, NULL, NULL, NULL},
    {"db2", NULL, "22", "3f2a9c1b7d04", "/usr/bin/psql", NULL, OBSERVED,
     "not-in-manifest"},
    {"web1", "192.0.2.10", "17", "", "/usr/sbin/nginx", TRUSTED, OBSERVED,
     "no-known-update"},
    {"web1", "192.0.2.10", "18", "", "/usr/sbin/sshd", TRUSTED, NULL,
     "unreadable"},
};
static const login_row logins[] = {
    {"db1", "db2", "postgres", "publickey", "1", AT_2, AT_2, "critical", "t",
     "f", "f"},
    {"web1", "db1", "deploy", "password", "1", AT_1, AT_1, "warning", "t", "f",
     "t"},
    {"web1", "db1", "root", "publickey", "3", AT_1, AT_2, "critical", "t", "t",
     "f"},
    {"web1", "db1", "root", "", "1", AT_1, AT_1, "critical", "f", "f", "f"},
};
enum {
  HOSTS = sizeof(hosts) / sizeof(*hosts),
  LOGINS = sizeof(logins) / sizeof(*logins)
};

static void hosts_changes_and_logins_are_told(void **state) {
  static const char *const lines[] = {
      "  n0 [label=\"db1\\l192.0.2.20\\l\"];\n",
      "  n1 [label=\"db2\\l/usr/bin/psql in container 3f2a9c1b7d04\\l"
      "  bbbb456789ab, not-in-manifest, alert 22\\l\", color=\"#b3261e\", "
      "fillcolor=\"#fbe9e7\", penwidth=2];\n",
      "  n2 [label=\"web1\\l192.0.2.10\\l/usr/sbin/nginx\\l"
      "  aaaa456789ab -> bbbb456789ab, no-known-update, alert 17\\l"
      "/usr/sbin/sshd\\l  aaaa456789ab -> ?, unreadable, alert 18\\l\", ",
      "  n0 -> n1 [label=\"postgres, publickey\\l2026-05-25T09:16:00Z\\l\", "
      "color=\"#b3261e\", penwidth=2];\n",
      "  n2 -> n0 [label=\"deploy, password\\l2026-05-25T09:14:02Z\\l"
      "from an address of several hosts\\l\", color=\"#b26a00\"];\n",
      "  n2 -> n0 [label=\"root, publickey\\l3 logins, 2026-05-25T09:14:02Z\\l"
      "to 2026-05-25T09:16:00Z\\lfirst time in 30 days\\l\", "
      "color=\"#b3261e\", penwidth=2];\n",
      "  n2 -> n0 [label=\"root\\l2026-05-25T09:14:02Z\\l\", "
      "color=\"#757575\", fontcolor=\"#757575\", style=dashed];\n",
  };
  char *graph = graph_of(HOSTS, hosts, LOGINS, logins), *at = graph;

  (void)state;
  for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
    char *found = strstr(at, lines[i]);

    if (found == NULL)
      fail_msg("no \"%s\" in\n%s", lines[i], at);
    else
      at = found + strlen(lines[i]);
  }
  char *svg = drawing_of(graph);
  assert_int_equal(count(svg, "class=\"node\""), 3);
  assert_int_equal(count(svg, "class=\"edge\""), 4);
  free(svg);
  free(graph);
}

static void no_detections_are_a_graph_as_well(void **state) {
  char *graph = graph_of(0, NULL, 0, NULL), *svg = drawing_of(graph);

  (void)state;
  assert_int_equal(count(svg, "class=\"node\""), 0);
  assert_non_null(strstr(svg, "</svg>"));
  free(svg);
  free(graph);
}

static void a_login_of_a_host_that_is_newer_is_left_out(void **state) {
  char *graph = graph_of(1, hosts, LOGINS, logins);

  (void)state;
  assert_null(strstr(graph, "->"));
  free(graph);
}

static void many_changes_of_a_host_are_counted(void **state) {
  host_row many[9];

  (void)state;
  for (size_t i = 0; i < 9; i++)
    memcpy(many[i], hosts[2], sizeof(many[i]));
  char *graph = graph_of(9, many, 0, NULL);
  assert_int_equal(count(graph, "/usr/sbin/nginx"), 6);
  assert_non_null(strstr(graph, "\\land 3 more\\l\""));
  free(graph);
}

/* The text of an SVG's text element as an XML parser gives it. */
static void unescape(char *text) {
  static const struct {
    const char *entity, *meaning;
  } entities[] = {{"&lt;", "<"},         {"&gt;", ">"},  {"&quot;", "\""},
                  {"&#39;", "'"},        {"&#45;", "-"}, {"&amp;", "&"},
                  {"&#160;", "\xc2\xa0"}};
  char *out = text;

  while (*text != '\0') {
    size_t i = 0, len = sizeof(entities) / sizeof(*entities);

    while (i < len &&
           strncmp(text, entities[i].entity, strlen(entities[i].entity)) != 0)
      i++;
    if (i == len) {
      *out++ = *text++;
      continue;
    }
    text += strlen(entities[i].entity);
    out = stpcpy(out, entities[i].meaning);
  }
  *out = '\0';
}

/* Is it the whole of one of the drawing's texts? */
static bool is_drawn(const char *svg, const char *text) {
  bool drawn = false;

  for (const char *at = svg; !drawn && (at = strstr(at, "<text ")) != NULL;) {
    const char *from = strchr(at, '>') + 1, *to = strstr(from, "</text>");
    char *one = strndup(from, (size_t)(to - from));

    unescape(one);
    drawn = strcmp(one, text) == 0;
    free(one);
    at = to;
  }
  return drawn;
}

static const struct {
  const char *name, *drawn;
} hostile[] = {
    {"\"];x[label=\"y", "\"];x[label=\"y"},
    {"\"", "\""},
    {"\\", "\\"},
    {"\\\"];x;", "\\\"];x;"},
    {"\\N\\G\\E\\T\\H\\L\\n\\l\\r", "\\N\\G\\E\\T\\H\\L\\n\\l\\r"},
    {"a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"},
    {"\033[31m\033]0;t\a", "\\x1b[31m\\x1b]0;t\\x07"},
    {"<b>&<script>", "<b>&<script>"},
    {"&lt;&amp;&quot;&#65;&#x41;&", "&lt;&amp;&quot;&#65;&#x41;&"},
    {"<<table><tr><td>x</td></tr></table>>",
     "<<table><tr><td>x</td></tr></table>>"},
    {"{a|<p>b}", "{a|<p>b}"},
    {"--></text><!--", "--></text><!--"},
    {"]]>x<![CDATA[", "]]>x<![CDATA["},
    {"/* */ // # ;", "/* */ // # ;"},
    {"subgraph", "subgraph"},
    {"-> n0", "-> n0"},
    {"%s%n", "%s%n"},
    {"\xff\xc3", "\\xff\\xc3"},
    {"\xe2\x80\xae"
     "abc",
     "\\xe2\\x80\\xae"
     "abc"},
    {"h\xc3\xb6st", "h\xc3\xb6st"},
    {"0123456789abcdefghijklmnopqrstuvwxyz"
     "0123456789abcdefghijklmnopqrstuvwxyz",
     "0123456789abcdefghi..xyz0123456789abcdefghijklmnopqrstuvwxyz"},
};
enum { HOSTILE = sizeof(hostile) / sizeof(*hostile) };

/* Each name alone in a graph, wherever one can stand. */
static void hostile_names_stay_text(void **state) {
  (void)state;
  for (size_t i = 0; i < HOSTILE; i++) {
    const char *name = hostile[i].name;
    const host_row one[] = {{name, name, name, name, name, name, name, name}};
    const login_row login[] = {
        {name, name, name, name, name, name, name, name, "t", "t", "t"}};
    char *graph = graph_of(1, one, 1, login), *svg = drawing_of(graph);

    if (!is_drawn(svg, hostile[i].drawn))
      fail_msg("\"%s\" is not drawn:\n%s\n%s", hostile[i].drawn, graph, svg);
    assert_int_equal(count(svg, "class=\"node\""), 1);
    assert_int_equal(count(svg, "class=\"edge\""), 1);
    assert_int_equal(count(svg, "<script"), 0);
    assert_int_equal(count(svg, "<a "), 0);
    for (const char *c = graph; *c != '\0'; c++)
      if ((unsigned char)*c < ' ' && *c != '\n')
        fail_msg("control byte %d in\n%s", *c, graph);
    free(svg);
    free(graph);
  }
}

/* Every byte that a name can have, between two others. */
static void every_byte_stays_text(void **state) {
  char names[255][8];
  host_row all[255] = {{NULL}};

  (void)state;
  for (int i = 0; i < 255; i++) {
    (void)snprintf(names[i], sizeof(names[i]), "a%cb%c", i + 1, i + 1);
    all[i][0] = names[i];
  }
  char *graph = graph_of(255, all, 0, NULL), *svg = drawing_of(graph);
  assert_int_equal(count(svg, "class=\"node\""), 255);
  for (int c = ' '; c < 0x7f; c++) {
    const char drawn[] = {'a', (char)c, 'b', (char)c, '\0'};

    if (c != ' ' && !is_drawn(svg, drawn))
      fail_msg("%s is not drawn", drawn);
  }
  free(svg);
  free(graph);
}

static void what_is_no_drawing_leaves_the_file_as_it_was(void **state) {
  char file[32], reason[GRAPHVIZ_REASON_MAX] = "";
  struct stat before, after;

  (void)state;
  new_name(file);
  assert_int_equal(stat(file, &before), 0);
  assert_int_equal(graphviz_svg("digraph {", file, reason), -EIO);
  assert_non_null(strstr(reason, "syntax error"));
  assert_int_equal(stat(file, &after), 0);
  assert_true(before.st_ino == after.st_ino && after.st_size == 0);
  assert_int_equal(unlink(file), 0);
}

static void a_drawing_takes_the_place_of_a_file_behind_a_link(void **state) {
  char file[32], link[32], reason[GRAPHVIZ_REASON_MAX] = "";
  struct stat status;

  (void)state;
  new_name(file);
  new_name(link);
  assert_int_equal(chmod(file, 0640), 0);
  assert_int_equal(unlink(link), 0);
  assert_int_equal(symlink(file, link), 0);
  assert_int_equal(graphviz_svg("digraph {}", link, reason), 0);
  assert_int_equal(lstat(link, &status), 0);
  assert_true(S_ISLNK(status.st_mode));
  assert_int_equal(stat(file, &status), 0);
  assert_int_equal(status.st_mode & 07777, 0640);
  assert_true(status.st_size > 0);
  assert_int_equal(unlink(link), 0);
  assert_int_equal(unlink(file), 0);
}

static void what_can_be_no_file_is_told(void **state) {
  char reason[GRAPHVIZ_REASON_MAX] = "";

  (void)state;
  assert_int_equal(graphviz_svg("digraph {}", "/tmp", reason), -EINVAL);
  assert_string_equal(reason, "/tmp: expected a regular file");
  assert_int_equal(graphviz_svg("digraph {}", "/nonexistent/x.svg", reason),
                   -ENOENT);
  assert_string_equal(reason, "/nonexistent/x.svg: No such file or directory");
}

static void without_graphviz_that_is_said(void **state) {
  const char *now = getenv("PATH");
  char reason[GRAPHVIZ_REASON_MAX] = "", *path = strdup(now != NULL ? now : "");

  (void)state;
  assert_int_equal(setenv("PATH", "/nonexistent:bin:", 1), 0);
  assert_int_equal(graphviz_svg("digraph {}", NULL, reason), -ENOENT);
  assert_non_null(strstr(reason, "Graphviz"));
  assert_int_equal(setenv("PATH", path, 1), 0);
  free(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts_changes_and_logins_are_told),
      cmocka_unit_test(no_detections_are_a_graph_as_well),
      cmocka_unit_test(a_login_of_a_host_that_is_newer_is_left_out),
      cmocka_unit_test(many_changes_of_a_host_are_counted),
      cmocka_unit_test(hostile_names_stay_text),
      cmocka_unit_test(every_byte_stays_text),
      cmocka_unit_test(what_is_no_drawing_leaves_the_file_as_it_was),
      cmocka_unit_test(a_drawing_takes_the_place_of_a_file_behind_a_link),
      cmocka_unit_test(what_can_be_no_file_is_told),
      cmocka_unit_test(without_graphviz_that_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
