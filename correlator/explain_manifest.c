/* Which manifest decided, and how it stands with one that is wanted. */
#include <string.h>

#include "correlator/explain_page.h"

static const char *vouched_by(const char *provenance) {
  static const struct explain_word words[] = {
      {"signed-index", "an index that is signed names it"},
      {"signed-package", "the package is signed"},
      {"file", "nothing vouches for it but who imported it"},
  };

  return EXPLAIN_MEANING(words, provenance);
}

/* One line a digest; they stand with a space between. */
static void list_digests(struct explain_page *page) {
  const char *rest = page->safe->manifest_digests;

  if (*rest == '\0') {
    if (*page->safe->manifest_package != '\0')
      explain_item(page, "", "it does not list the file");
    return;
  }
  for (const char *head = "lists"; *rest != '\0'; head = "or") {
    size_t len = strcspn(rest, " ");

    explain_item(page, "", "%s %.*s", head, (int)len, rest);
    rest += len;
    rest += strspn(rest, " ");
  }
}

void explain_manifest_source(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (*f->manifest_package != '\0')
    explain_item(page, "manifest", "of %s %s: %s", f->manifest_package,
                 f->manifest_version, vouched_by(f->manifest_provenance));
  else
    explain_item(page, "manifest", "of a release of your own: %s",
                 vouched_by(f->manifest_provenance));
  if (*f->manifest_origin != '\0')
    explain_item(page, "", "from %s", f->manifest_origin);
  if (*f->manifest_added_at != '\0')
    explain_item(page, "", "imported %s by %s", f->manifest_added_at,
                 f->manifest_added_by);
}

static void list_request(struct explain_page *page) {
  static const struct explain_word words[] = {
      {"queued", "its turn to be fetched comes"},
      {"running", "it is being fetched"},
      {"none", "where they are fetched from there is no such version"},
      {"failed", "it could not be fetched, and will be tried again"},
  };
  const struct explain_facts *f = page->safe;

  explain_item(page, "manifest", "of %s %s: wanted since %s", f->package_name,
               f->package_version, f->request_at);
  explain_item(page, "", "%s%s%s", EXPLAIN_MEANING(words, f->request_state),
               *f->request_error != '\0' ? ": " : "", f->request_error);
}

void explain_manifest(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (*f->manifest_provenance != '\0') {
    explain_manifest_source(page);
    list_digests(page);
  } else if (*f->request_state != '\0' &&
             !explain_is(f->request_state, "found")) {
    list_request(page);
  } else if (*f->package_name != '\0') {
    explain_item(page, "manifest", "none is known of %s %s", f->package_name,
                 f->package_version);
  }
}

void explain_import(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (explain_is(f->verdict, "unverified-update")) {
    explain_step(page,
                 "If it was an update, and you have the package from elsewhere "
                 "than %s: import it, here on the central host. All hosts with "
                 "that version are then judged by it.",
                 f->host);
    explain_program(page, "manifest import PACKAGE-FILE");
  } else if (*f->package_name == '\0' &&
             (explain_is(f->verdict, "no-known-update") ||
              explain_is(f->verdict, "new-binary"))) {
    explain_step(page, "If it is a release of your own: import a list of its "
                       "digests, made by sha256sum where it was built, here on "
                       "the central host. No host that runs it raises an alert "
                       "then.");
    explain_program(page, "manifest import RELEASE.sha256");
  }
}
