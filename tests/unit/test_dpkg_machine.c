/* Goal: each program of this machine has the owner that `dpkg -S` tells. */
#include <dirent.h>

#include "tests/unit/made_dpkg.h"

enum { PATHS_MAX = 20000 };

struct machine {
  char *paths[PATHS_MAX];
  size_t len;
  char *said[PATHS_MAX]; /* ", name, name, " as dpkg -S says */
  struct package owners[PATHS_MAX];
};

static void list_folder(struct machine *m, const char *folder) {
  DIR *dir = opendir(folder);
  const struct dirent *entry;

  assert_non_null(dir);
  while ((entry = readdir(dir)) != NULL) {
    if (entry->d_name[0] == '.')
      continue;
    assert_true(m->len < PATHS_MAX);
    assert_true(asprintf(&m->paths[m->len++], "%s/%s", folder, entry->d_name) >
                0);
  }
  closedir(dir);
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Take over a line "name, name:arch: /path". */
static void take_line(struct machine *m, char *line) {
  char *path = strstr(line, ": /");
  char merged[PATH_MAX], *key = merged, *said, **found;

  if (path == NULL || strncmp(line, "diversion", 9) == 0)
    return;
  *path = '\0';
  path[strcspn(path + 2, "\n") + 2] = '\0';
  snprintf(merged, sizeof(merged), "%s%s",
           strncmp(path + 2, "/usr/", 5) != 0 ? "/usr" : "", path + 2);
  found = bsearch(&key, m->paths, m->len, sizeof(char *), compare_paths);
  if (found == NULL)
    return;
  said = m->said[found - m->paths];
  assert_true(asprintf(&m->said[found - m->paths], "%s%s, ",
                       said != NULL ? said : ", ", line) > 0);
  free(said);
}

/* Does dpkg -S name the package, with whatever architecture? */
static bool is_said(const char *said, const char *name) {
  char with_end[2][PACKAGE_NAME_MAX + 8];

  snprintf(with_end[0], sizeof(with_end[0]), ", %s,", name);
  snprintf(with_end[1], sizeof(with_end[1]), ", %s:", name);
  return strstr(said, with_end[0]) != NULL || strstr(said, with_end[1]) != NULL;
}

static void every_executable_has_the_owner_that_dpkg_tells(void **state) {
  static struct machine m;
  struct package_db_query query = {.paths = (const char *const *)m.paths};
  size_t owned = 0;
  char *line = NULL;
  size_t size = 0;
  struct stat st;
  FILE *pipe;

  (void)state;
  if (stat("/var/lib/dpkg/status", &st) != 0 || lstat("/bin", &st) != 0 ||
      !S_ISLNK(st.st_mode))
    skip();
  list_folder(&m, "/usr/bin");
  list_folder(&m, "/usr/sbin");
  qsort(m.paths, m.len, sizeof(char *), compare_paths);
  query.len = m.len;
  query.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  assert_int_equal(dpkg_db.find(&query, m.owners, &changing_s), 0);
  close(query.root_fd);
  /* Once by each of their names, as dpkg knows nothing of merged /usr. */
  pipe = popen("LC_ALL=C dpkg -S /usr/bin/* /usr/sbin/* /bin/* /sbin/* "
               "2>/dev/null",
               "r");
  assert_non_null(pipe);
  while (getline(&line, &size, pipe) > 0)
    take_line(&m, line);
  (void)pclose(pipe);
  free(line);
  for (size_t i = 0; i < m.len; i++) {
    bool has_owner = m.owners[i].manager[0] != '\0';

    if (m.said[i] != NULL) {
      owned++;
      if (!has_owner || !is_said(m.said[i], m.owners[i].name))
        fail_msg("%s: \"%s\", but dpkg -S says \"%s\"", m.paths[i],
                 m.owners[i].name, m.said[i]);
    } else if (has_owner && lstat(m.paths[i], &st) == 0 &&
               !S_ISLNK(st.st_mode) && strstr(m.paths[i], ".") == NULL) {
      fail_msg("%s: \"%s\", but dpkg -S says nothing", m.paths[i],
               m.owners[i].name);
    }
    free(m.paths[i]);
    free(m.said[i]);
  }
  assert_true(owned > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_executable_has_the_owner_that_dpkg_tells),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
