#include "correlator/manifest_apt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/apt_answer.h"
#include "correlator/apt_sources.h"
#include "correlator/config_check.h"
#include "correlator/word.h"

#define APT_GET "/usr/bin/apt-get"
#define APT_CACHE "/usr/bin/apt-cache"
#define ALL "all" /* the architecture of what runs on each */

enum {
  ARGUMENT_MAX = 256,   /* PACKAGE:ARCH=VERSION */
  OPTION_MAX = 1024,    /* APT_CONFIG=FILE */
  INDEX_MAX_MIB = 2048, /* of a file that an update writes */
};

/* Everything that apt would look up on this machine is given. Nothing that is
 * not signed and verified is taken, and nothing is fetched but indexes. */
static const char settings[] =
    "Dir \"%1$s\";\n"
    "Dir::State \"%1$s/state\";\n"
    "Dir::State::lists \"lists\";\n"
    "Dir::State::status \"%1$s/state/status\";\n"
    "Dir::State::extended_states \"%1$s/state/extended\";\n"
    "Dir::Cache \"%1$s/cache\";\n"
    "Dir::Log \"%1$s/log\";\n"
    "Dir::Etc \"%1$s/etc\";\n"
    "Dir::Etc::main \"/dev/null\";\n"
    "Dir::Etc::parts \"%1$s/etc/none\";\n"
    "Dir::Etc::sourcelist \"/dev/null\";\n"
    "Dir::Etc::sourceparts \"%1$s/etc/sources\";\n"
    "Dir::Etc::trusted \"/dev/null\";\n"
    "Dir::Etc::trustedparts \"%1$s/etc/none\";\n"
    "Dir::Etc::preferences \"/dev/null\";\n"
    "Dir::Etc::preferencesparts \"%1$s/etc/none\";\n"
    "Dir::Etc::netrc \"/dev/null\";\n"
    "Dir::Etc::netrcparts \"%1$s/etc/none\";\n"
    "APT::Architecture \"%2$s\";\n"
    "APT::Architectures { %3$s};\n"
    "APT::Sandbox::User \"root\";\n" /* that is, whoever runs it */
    "APT::Get::AllowUnauthenticated \"false\";\n"
    "APT::Update::Error-Mode \"any\";\n"
    "APT::Cmd::Pattern-Only \"true\";\n" /* a name is no expression */
    "APT::Install-Recommends \"false\";\n"
    "Acquire::AllowInsecureRepositories \"false\";\n"
    "Acquire::AllowWeakRepositories \"false\";\n"
    "Acquire::AllowDowngradeToInsecureRepositories \"false\";\n"
    "Acquire::AllowReleaseInfoChange \"false\";\n"
    "Acquire::Check-Valid-Until \"true\";\n"
    "Acquire::Check-Date \"true\";\n"
    "Acquire::Languages \"none\";\n"
    "Acquire::PDiffs \"false\";\n"
    "Acquire::Retries \"1\";\n";

/* As dpkg has them (Debian policy 5.6.1, 5.6.12, 5.6.8). */
static bool is_word(const char *word, size_t least, const char *also) {
  static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";

  if (strlen(word) < least || strchr(also, *word) != NULL)
    return false; /* a '-' at the begin among others */
  for (const char *c = word; *c != '\0'; c++)
    if (strchr(lower, *c) == NULL && strchr(also, *c) == NULL)
      return false;
  return true;
}

static bool is_version(const char *version) {
  static const char all[] = "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+~:-";

  return *version != '\0' && strchr(".+~:-", *version) == NULL &&
         version[strspn(version, all)] == '\0';
}

static bool is_package(const struct package *p) {
  return is_word(p->name, 2, "+.-") && is_version(p->version) &&
         is_word(p->arch, 2, "-");
}

static bool check_keyring(const char *keyring, char *what) {
  struct stat st;

  if (!word_is_printable(keyring, "\"'\\,")) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "keyring: expected a path of printable ASCII without "
                   "spaces, quotes, \\ and commas, found %.100s",
                   keyring);
    return false;
  }
  int fd = open(keyring, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  bool there = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
  if (fd >= 0)
    (void)close(fd);
  if (there)
    return true;
  (void)snprintf(what, CONFIG_CHECK_MAX,
                 "keyring: expected a file that can be read, found none at "
                 "%.150s",
                 keyring);
  return false;
}

static bool apt_check(const struct fetch_config *config, char *what) {
  char *sources = NULL;

  if (access(APT_GET, X_OK) != 0) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "manager dpkg: expected apt here, found no " APT_GET);
    return false;
  }
  bool good = check_keyring(config->keyring, what) &&
              apt_sources_read(config, &sources, what);
  free(sources);
  return good;
}

static char *make_settings(const struct fetch_root *root) {
  char list[1024] = "";
  size_t len = 0;
  char *text;

  for (size_t i = 0; i < root->config->architectures_len; i++) {
    int n = snprintf(list + len, sizeof(list) - len, "\"%s\"; ",
                     root->config->architectures[i]);
    len += n < 0 ? 0 : (size_t)n;
    if (len >= sizeof(list))
      return NULL;
  }
  return asprintf(&text, settings, root->path, root->config->architectures[0],
                  list) < 0
             ? NULL
             : text;
}

static bool apt_prepare(const struct fetch_root *root, bool *ret_changed,
                        char *reason) {
  static const char *const folders[] = {
      "state/lists/partial",
      "cache/archives/partial",
      "etc/sources",
      "etc/none",
      "log",
  };
  char what[CONFIG_CHECK_MAX];
  char *sources = NULL;
  char *conf = make_settings(root);
  bool prepared = false;
  bool ignored = false;

  if (conf == NULL) {
    (void)fetch_reason(reason, "architectures: expected fewer");
    goto out;
  }
  if (!check_keyring(root->config->keyring, what) ||
      !apt_sources_read(root->config, &sources, what)) {
    (void)fetch_reason(reason, "%s", what);
    goto out;
  }
  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    if (!fetch_root_folder(root, folders[i], reason))
      goto out;
  prepared = fetch_root_write(root, "apt.conf", conf, ret_changed, reason) &&
             fetch_root_write(root, "etc/sources/pdna.sources", sources,
                              ret_changed, reason) &&
             fetch_root_write(root, "state/status", "", &ignored, reason);

out:
  free(conf);
  free(sources);
  return prepared;
}

/* Run one of apt's tools. False with a reason: it could not, or took too long.
 */
static bool run(const struct fetch_root *root, char *const *argv,
                uint64_t file_size_max, struct program_result *result,
                char *reason) {
  char option[OPTION_MAX];

  (void)snprintf(option, sizeof(option), "APT_CONFIG=%s/apt.conf", root->path);
  return fetch_root_run(root, argv, option, file_size_max, result, reason);
}

static bool succeeded(const struct program_result *result, const char *argv0,
                      char *reason) {
  char fallback[128];

  if (WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0)
    return true;
  (void)snprintf(fallback, sizeof(fallback), "%s: ended by %s %d", argv0,
                 WIFEXITED(result->status) ? "exit status" : "signal",
                 WIFEXITED(result->status) ? WEXITSTATUS(result->status)
                                           : WTERMSIG(result->status));
  apt_answer_reason(result->error, fallback, reason);
  return false;
}

static bool apt_update(const struct fetch_root *root, char *reason) {
  char *const argv[] = {APT_GET, "-q", "update", NULL};
  struct program_result result;

  bool updated =
      run(root, argv, (uint64_t)INDEX_MAX_MIB << 20, &result, reason) &&
      succeeded(&result, APT_GET, reason);
  program_result_free(&result);
  return updated;
}

/* What is in none of these could not even be looked up. */
static bool has_architecture(const struct fetch_config *config,
                             const char *arch) {
  bool has = strcmp(arch, ALL) == 0;

  for (size_t i = 0; i < config->architectures_len; i++)
    has = has || strcmp(config->architectures[i], arch) == 0;
  return has;
}

static bool apt_accepts(const struct fetch_config *config,
                        const struct package *p, char *reason) {
  if (!is_package(p))
    return fetch_reason(reason, "no package of Debian is called so");
  return has_architecture(config, p->arch) ||
         fetch_reason(reason, "architecture %s is none of the section",
                      p->arch);
}

/* Where an index lists it. What is not listed is no error to apt-cache. */
static enum fetch_outcome find_place(const struct fetch_root *root,
                                     const struct package *p, char *ret_place,
                                     size_t size, char *reason) {
  char name[ARGUMENT_MAX];
  char *const argv[] = {APT_CACHE, "-q", "madison", "--", name, NULL};
  struct program_result result;
  enum fetch_outcome outcome = FETCH_FAILED;

  (void)snprintf(name, sizeof(name), "%s:%s", p->name, p->arch);
  if (run(root, argv, (uint64_t)INDEX_MAX_MIB << 20, &result, reason) &&
      succeeded(&result, APT_CACHE, reason)) {
    outcome = FETCH_FOUND;
    if (!apt_answer_place(result.output, p->version, ret_place, size)) {
      (void)fetch_reason(reason, "no such version in the indexes");
      outcome = FETCH_NONE;
    }
  }
  program_result_free(&result);
  return outcome;
}

/* apt looks a package for all architectures up under each, and the reverse; the
 * file's name says what it is. */
static bool is_for(const struct fetch_item *item, const char *arch) {
  char end[64];
  size_t len = strlen(item->file);

  (void)snprintf(end, sizeof(end), "_%s.deb", arch);
  return len > strlen(end) && strcmp(item->file + len - strlen(end), end) == 0;
}

/* The place reads "URI SUITE/COMPONENT ARCH Packages". */
static void add_place(struct fetch_item *item, const char *place) {
  char uri[FETCH_ORIGIN_MAX];

  memcpy(uri, item->origin, sizeof(uri));
  (void)snprintf(item->origin, sizeof(item->origin), "%.700s (%.300s)", uri,
                 place);
}

static enum fetch_outcome apt_find(const struct fetch_root *root,
                                   const struct package *p,
                                   struct fetch_item *ret_item, char *reason) {
  char wanted[ARGUMENT_MAX];
  char place[FETCH_ORIGIN_MAX];
  char *const argv[] = {APT_GET, "-q", "--print-uris", "download", "--",
                        wanted,  NULL};
  struct program_result result = {0};

  enum fetch_outcome outcome =
      find_place(root, p, place, sizeof(place), reason);
  if (outcome != FETCH_FOUND)
    return outcome;
  (void)snprintf(wanted, sizeof(wanted), "%s:%s=%s", p->name, p->arch,
                 p->version);
  outcome = FETCH_FAILED;
  if (!run(root, argv, (uint64_t)INDEX_MAX_MIB << 20, &result, reason) ||
      !succeeded(&result, APT_GET, reason))
    goto out;
  if (!apt_answer_item(result.output, ret_item)) {
    (void)fetch_reason(reason,
                       "apt-get --print-uris: expected one line, found "
                       "%s",
                       result.output);
    goto out;
  }
  outcome = FETCH_FOUND;
  ret_item->provenance = MANIFEST_SIGNED_INDEX;
  add_place(ret_item, place);
  if (!is_for(ret_item, p->arch)) {
    (void)fetch_reason(reason, "is for another architecture: %s",
                       ret_item->file);
    outcome = FETCH_NONE;
  }

out:
  program_result_free(&result);
  return outcome;
}

static bool apt_download(const struct fetch_root *root, const struct package *p,
                         const struct fetch_item *item, char *reason) {
  char wanted[ARGUMENT_MAX];
  char *const argv[] = {APT_GET, "-q", "download", "--", wanted, NULL};
  struct program_result result;

  (void)snprintf(wanted, sizeof(wanted), "%s:%s=%s", p->name, p->arch,
                 p->version);
  /* apt writes its cache, too. */
  uint64_t most = (uint64_t)INDEX_MAX_MIB << 20;
  bool downloaded =
      run(root, argv, item->size > most ? item->size : most, &result, reason) &&
      succeeded(&result, APT_GET, reason);
  program_result_free(&result);
  return downloaded;
}

const struct fetcher manifest_apt = {
    .manager = "dpkg",
    .check = apt_check,
    .prepare = apt_prepare,
    .update = apt_update,
    .accepts = apt_accepts,
    .find = apt_find,
    .download = apt_download,
};
