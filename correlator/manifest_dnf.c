#include "correlator/manifest_dnf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/config_check.h"
#include "correlator/dnf_repos.h"
#include "correlator/manifest_rpm.h"
#include "correlator/word.h"

#define DNF "/usr/bin/dnf"
#define GPGCONF "/usr/bin/gpgconf"
#define NOARCH "noarch"

enum {
  ARGUMENT_MAX = 256,   /* NAME-EPOCH:VERSION-RELEASE.ARCH */
  INDEX_MAX_MIB = 2048, /* of a file that an update writes */
  COLUMNS = 8,          /* of an answer */
};

/* Everything that dnf would look up on this machine is given: it works in an
 * empty installation of its own. The folders of main are below that. */
static const char settings[] = "[main]\n"
                               "reposdir=%1$s/repos\n"
                               "pluginconfpath=%1$s/none\n"
                               "cachedir=/cache\n"
                               "persistdir=/persist\n"
                               "logdir=/log\n"
                               "varsdir=/vars\n"
                               "gpgcheck=1\n"
                               "assumeyes=1\n" /* the keyring's keys */
                               "retries=1\n"
                               "keepcache=0\n"
                               "zchunk=0\n"
                               "log_rotate=1\n";

/* Its columns are those of manifest_dnf_answer. */
static const char query_format[] =
    "%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{downloadsize}\t"
    "%{location}\t%{repoid}";

static bool has_plugin(void) {
  static const char *const patterns[] = {
      "/usr/lib/python3*/site-packages/dnf-plugins/download.py",
      "/usr/lib/python3*/dist-packages/dnf-plugins/download.py",
  };
  bool has = false;

  for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
    glob_t found = {0};

    has = has || glob(patterns[i], 0, NULL, &found) == 0;
    globfree(&found);
  }
  return has;
}

static bool check_keyring(const struct fetch_config *config, char *what) {
  const char *keyring = config->keyring;
  int r = manifest_rpm_check_keyring(keyring);

  if (!word_is_printable(keyring, "\"'\\,%$")) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "keyring: expected a path of printable ASCII without "
                   "spaces, quotes, \\ , %% and $, found %.100s",
                   keyring);
    return false;
  }
  if (r == 0)
    return true;
  if (r == -ENOSYS)
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "manager rpm: this build has no librpm");
  else
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "keyring: expected OpenPGP public keys in %.100s, found: %s",
                   keyring, strerrordesc_np(-r));
  return false;
}

static bool dnf_check(const struct fetch_config *config, char *what) {
  char *repos = NULL;
  bool is_signed;

  if (access(DNF, X_OK) != 0 || !has_plugin()) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "manager rpm: expected dnf 4 and its plugin download here "
                   "(dnf-plugins-core), found no %s",
                   access(DNF, X_OK) != 0 ? DNF : "dnf-plugins/download.py");
    return false;
  }
  bool good = check_keyring(config, what) &&
              dnf_repos_read(config, &repos, &is_signed, what);
  free(repos);
  return good;
}

static bool dnf_prepare(const struct fetch_root *root, bool *ret_changed,
                        char *reason) {
  static const char *const folders[] = {"repos", "none", "root/log"};
  char what[CONFIG_CHECK_MAX];
  char *repos = NULL;
  char *conf = NULL;
  bool is_signed;
  bool prepared = false;

  if (!check_keyring(root->config, what) ||
      !dnf_repos_read(root->config, &repos, &is_signed, what)) {
    (void)fetch_reason(reason, "%s", what);
    goto out;
  }
  if (asprintf(&conf, settings, root->path) < 0) {
    conf = NULL;
    (void)fetch_reason(reason, "out of memory");
    goto out;
  }
  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    if (!fetch_root_folder(root, folders[i], reason))
      goto out;
  prepared =
      fetch_root_write(root, "dnf.conf", conf, ret_changed, reason) &&
      fetch_root_write(root, "repos/pdna.repo", repos, ret_changed, reason);
out:
  free(conf);
  free(repos);
  return prepared;
}

static const char *last_line(char *text) {
  size_t len = strlen(text);
  const char *last;

  while (len > 0 && text[len - 1] == '\n')
    text[--len] = '\0';
  last = strrchr(text, '\n');
  return last != NULL ? last + 1 : text;
}

/* It tells of a download that failed on standard output. */
static bool failed(const struct program_result *result, char *reason) {
  const char *said = last_line(result->error);

  if (*said == '\0')
    said = last_line(result->output);
  if (*said != '\0')
    return fetch_reason(reason, "dnf: %.400s", said);
  return fetch_reason(reason, "dnf: ended by %s %d",
                      WIFEXITED(result->status) ? "exit status" : "signal",
                      WIFEXITED(result->status) ? WEXITSTATUS(result->status)
                                                : WTERMSIG(result->status));
}

/* gpg has started one for each index that is signed, in a session of its own.
 * What goes wrong here is no failure of the fetch. */
static void end_agents(const struct fetch_root *root) {
  char pattern[4096], reason[FETCH_REASON_MAX];
  glob_t found = {0};

  (void)snprintf(pattern, sizeof(pattern), "%s/root/cache/*/pubring",
                 root->path);
  if (glob(pattern, 0, NULL, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; i++) {
      char *const argv[] = {GPGCONF,  "--homedir", found.gl_pathv[i],
                            "--kill", "gpg-agent", NULL};
      struct program_result result = {0};

      (void)fetch_root_run(root, argv, NULL, 0, &result, reason);
      program_result_free(&result);
    }
  globfree(&found);
}

enum { ARGS_MAX = 24 };

/* Run dnf for an architecture, with the arguments that follow (end: NULL). */
static bool run(const struct fetch_root *root, const char *arch,
                const char *const *more, uint64_t file_size_max,
                struct program_result *result, char *reason) {
  char config[ARGUMENT_MAX + 4096], installroot[sizeof(config)], force[64];
  char *argv[ARGS_MAX] = {DNF,
                          config,
                          installroot,
                          force,
                          "--releasever=1",
                          "--disableplugin=*",
                          "--enableplugin=download",
                          "--disableexcludes=all"};
  size_t len = 8;

  (void)snprintf(config, sizeof(config), "--config=%s/dnf.conf", root->path);
  (void)snprintf(installroot, sizeof(installroot), "--installroot=%s/root",
                 root->path);
  (void)snprintf(force, sizeof(force), "--forcearch=%s", arch);
  for (; *more != NULL; more++)
    argv[len++] = (char *)*more;
  return fetch_root_run(root, argv, NULL, file_size_max, result, reason) &&
         ((WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0) ||
          failed(result, reason));
}

/* The architectures may have places of their own ($basearch). */
static bool dnf_update(const struct fetch_root *root, char *reason) {
  static const char *const more[] = {"--refresh", "makecache", NULL};
  bool updated = true;

  for (size_t i = 0; updated && i < root->config->architectures_len; i++) {
    struct program_result result = {0};

    updated = run(root, root->config->architectures[i], more,
                  (uint64_t)INDEX_MAX_MIB << 20, &result, reason);
    program_result_free(&result);
  }
  end_agents(root);
  return updated;
}

static bool dnf_accepts(const struct fetch_config *config,
                        const struct package *p, char *reason) {
  bool has = strcmp(p->arch, NOARCH) == 0;

  if (!word_is_plain(p->name, "._+-") ||
      !word_is_plain(p->version, "._+~^:-") ||
      strchr(p->version, '-') == NULL || !word_is_plain(p->arch, "_"))
    return fetch_reason(reason, "no package of rpm is called so");
  for (size_t i = 0; i < config->architectures_len; i++)
    has = has || strcmp(config->architectures[i], p->arch) == 0;
  return has || fetch_reason(reason, "architecture %s is none of the section",
                             p->arch);
}

static const char *arch_of(const struct fetch_root *root,
                           const struct package *p) {
  return strcmp(p->arch, NOARCH) == 0 ? root->config->architectures[0]
                                      : p->arch;
}

/* What dnf takes for exactly this package. */
static void name_of(const struct package *p,
                    char ret_name[static ARGUMENT_MAX]) {
  (void)snprintf(ret_name, ARGUMENT_MAX, "%s-%s%s.%s", p->name,
                 strchr(p->version, ':') != NULL ? "" : "0:", p->version,
                 p->arch);
}

bool manifest_dnf_answer(const char *line, const struct package *package,
                         struct fetch_item *ret_item) {
  enum { NAME, EPOCH, VERSION, RELEASE, ARCH, SIZE, LOCATION, REPOSITORY };
  char wanted[ARGUMENT_MAX], found[2 * ARGUMENT_MAX], copy[4096];
  char *columns[COLUMNS] = {0};
  char *rest = copy, *end;
  struct fetch_item item = {0};
  const char *file;

  if (snprintf(copy, sizeof(copy), "%s", line) >= (int)sizeof(copy))
    return false;
  for (size_t i = 0; i < COLUMNS; i++)
    if ((columns[i] = strsep(&rest, "\t")) == NULL)
      return false;
  name_of(package, wanted);
  (void)snprintf(found, sizeof(found), "%.80s-%.20s:%.80s-%.80s.%.20s",
                 columns[NAME], columns[EPOCH], columns[VERSION],
                 columns[RELEASE], columns[ARCH]);
  file = strrchr(columns[LOCATION], '/');
  file = file != NULL ? file + 1 : columns[LOCATION];
  if (rest != NULL || strcmp(found, wanted) != 0 || *file == '\0' ||
      *file == '.' || strlen(file) >= sizeof(item.file) ||
      strlen(columns[REPOSITORY]) >= sizeof(item.place) ||
      columns[SIZE][0] < '0' || columns[SIZE][0] > '9')
    return false;
  item.size = strtoull(columns[SIZE], &end, 10);
  if (*end != '\0')
    return false;
  (void)snprintf(item.file, sizeof(item.file), "%s", file);
  (void)snprintf(item.place, sizeof(item.place), "%s", columns[REPOSITORY]);
  *ret_item = item;
  return true;
}

/* Look at each line of an answer. */
static enum fetch_outcome take_answer(char *lines, const struct package *p,
                                      struct fetch_item *ret_item) {
  char *line;

  while ((line = strsep(&lines, "\n")) != NULL)
    if (manifest_dnf_answer(line, p, ret_item))
      return FETCH_FOUND;
  return FETCH_NONE;
}

/* Ask for the package. Free the result in any case. */
static bool query(const struct fetch_root *root, const struct package *p,
                  const char *option, const char *value,
                  struct program_result *result, char *reason) {
  char name[ARGUMENT_MAX];
  const char *const more[] = {"--quiet", "--cacheonly", "repoquery", option,
                              value,     "--",          name,        NULL};

  name_of(p, name);
  return run(root, arch_of(root, p), more, (uint64_t)INDEX_MAX_MIB << 20,
             result, reason);
}

/* Where it would come from, which no column says. */
static bool add_origin(const struct fetch_root *root, const struct package *p,
                       struct fetch_item *item, char *reason) {
  char from[sizeof(item->place) + 16];
  struct program_result result = {0};

  (void)snprintf(from, sizeof(from), "--repo=%s", item->place);
  bool told = query(root, p, "--location", from, &result, reason);
  if (told) {
    result.output[strcspn(result.output, "\n")] = '\0';
    (void)snprintf(item->origin, sizeof(item->origin), "%.800s (%s)",
                   result.output, item->place);
  }
  program_result_free(&result);
  return told;
}

/* Signed is only what each index vouches for, wherever a package comes from. */
static bool grade(const struct fetch_root *root, struct fetch_item *item,
                  char *reason) {
  char what[CONFIG_CHECK_MAX];
  char *repos = NULL;
  bool is_signed;

  if (!dnf_repos_read(root->config, &repos, &is_signed, what))
    return fetch_reason(reason, "%s", what);
  free(repos);
  item->provenance =
      is_signed ? MANIFEST_SIGNED_INDEX : MANIFEST_SIGNED_PACKAGE;
  return true;
}

static enum fetch_outcome dnf_find(const struct fetch_root *root,
                                   const struct package *p,
                                   struct fetch_item *ret_item, char *reason) {
  struct program_result result = {0};
  enum fetch_outcome outcome = FETCH_FAILED;

  if (query(root, p, "--queryformat", query_format, &result, reason)) {
    outcome = take_answer(result.output, p, ret_item);
    if (outcome == FETCH_NONE)
      (void)fetch_reason(reason, "no such version in the indexes");
  }
  program_result_free(&result);
  if (outcome == FETCH_FOUND && (!add_origin(root, p, ret_item, reason) ||
                                 !grade(root, ret_item, reason)))
    outcome = FETCH_FAILED;
  return outcome;
}

static bool check_signature(const struct fetch_root *root,
                            const struct fetch_item *item, char *reason) {
  struct manifest_reading reading = {.limits = &manifest_limits_default,
                                     .keyring = root->config->keyring};
  enum manifest_provenance provenance = MANIFEST_FILE;
  char path[sizeof(item->file) + 4096];
  int r;

  (void)snprintf(path, sizeof(path), "%s/%s", root->download, item->file);
  reading.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (reading.fd < 0)
    return fetch_reason(reason, "%s: %m", path);
  r = manifest_rpm.vouch != NULL ? manifest_rpm.vouch(&reading, &provenance)
                                 : -ENOSYS;
  (void)close(reading.fd);
  if (r < 0)
    return fetch_reason(reason, "%s: %.400s", item->file,
                        r == -EBADMSG ? reading.why : strerrordesc_np(-r));
  return provenance == MANIFEST_SIGNED_PACKAGE ||
         fetch_reason(reason,
                      "%s: expected a signature of a key in %s, found none",
                      item->file, root->config->keyring);
}

static bool dnf_download(const struct fetch_root *root, const struct package *p,
                         const struct fetch_item *item, char *reason) {
  char name[ARGUMENT_MAX], folder[4096], from[sizeof(item->place) + 16];
  const char *const more[] = {from, "download", folder, "--", name, NULL};
  struct program_result result = {0};
  uint64_t most = (uint64_t)INDEX_MAX_MIB << 20;

  name_of(p, name);
  (void)snprintf(folder, sizeof(folder), "--destdir=%s", root->download);
  (void)snprintf(from, sizeof(from), "--repo=%s", item->place);
  bool downloaded = run(root, arch_of(root, p), more,
                        item->size > most ? item->size : most, &result, reason);
  program_result_free(&result);
  return downloaded && check_signature(root, item, reason);
}

const struct fetcher manifest_dnf = {
    .manager = "rpm",
    .check = dnf_check,
    .prepare = dnf_prepare,
    .update = dnf_update,
    .accepts = dnf_accepts,
    .find = dnf_find,
    .download = dnf_download,
};
