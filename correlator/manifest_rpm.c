#include "correlator/manifest_rpm.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "correlator/manifest_members.h"
#include "correlator/rpm_package.h"

static const char elf_magic[] = {0x7F, 'E', 'L', 'F'};

/* A package while it is read. */
struct rpm {
  struct manifest_reading *r;
  struct rpm_package *package;
  int len;                /* of the files */
  struct digest *digests; /* of the payload's files; NULL: the header's count */
  bool *wanted;           /* with digests: those files */
};

int manifest_rpm_check_keyring(const char *file) {
  rpmKeyring keyring = NULL;
  int r = rpm_package_keyring(file, &keyring);

  if (r == 0)
    rpmKeyringFree(keyring);
  return r;
}

static int open_package(struct manifest_reading *r, const char *keyring_file,
                        struct rpm_package **ret) {
  rpmKeyring keyring = NULL;
  char *why = NULL;
  int error = 0;

  if (keyring_file != NULL &&
      (error = rpm_package_keyring(keyring_file, &keyring)) < 0)
    return error == -ENOMEM
               ? manifest_fail(r, error)
               : manifest_broken(r, "%s: keys can't be read", keyring_file);
  if (lseek(r->fd, 0, SEEK_SET) < 0)
    error = manifest_fail(r, -errno);
  else
    error = rpm_package_open(r->fd, keyring, ret, &why);
  rpmKeyringFree(keyring);
  if (error == -EBADMSG)
    error = manifest_broken(r, "%s", why != NULL ? why : "is damaged");
  else if (error < 0)
    error = manifest_fail(r, error);
  free(why);
  return error;
}

static int vouch(struct manifest_reading *r, enum manifest_provenance *ret) {
  struct rpm_package *package = NULL;
  int error;

  if (r->keyring == NULL)
    return 0;
  error = open_package(r, r->keyring, &package);
  r->vouched = package != NULL && package->is_signed;
  if (r->vouched)
    *ret = MANIFEST_SIGNED_PACKAGE;
  rpm_package_close(package);
  return error;
}

static bool is_file(const struct rpm *rpm, int i) {
  return S_ISREG(rpmfilesFMode(rpm->package->files, i)) &&
         (rpmfilesFFlags(rpm->package->files, i) & RPMFILE_GHOST) == 0;
}

static bool may_run(const struct rpm *rpm, int i) {
  return (rpmfilesFMode(rpm->package->files, i) & 0111) != 0;
}

/* "" where the package was built without. */
static const char *class_of(const struct rpm *rpm, int i) {
  const char *class = rpmfilesFClass(rpm->package->files, i);

  return class != NULL ? class : "";
}

/* The header's digest. Returns whether there is one that we can use. */
static bool digest_of_header(const struct rpm *rpm, int i,
                             struct digest *ret_digest) {
  int algo = 0;
  size_t len = 0;
  const unsigned char *digest =
      rpmfilesFDigest(rpm->package->files, i, &algo, &len);

  if (digest == NULL || algo != RPM_HASH_SHA256 || len != DIGEST_LEN)
    return false;
  memcpy(ret_digest->bytes, digest, DIGEST_LEN);
  return true;
}

/* Does the header tell all that a manifest needs? */
static bool header_suffices(const struct rpm *rpm) {
  struct digest digest;

  for (int i = 0; i < rpm->len; i++)
    if (is_file(rpm, i) && (!digest_of_header(rpm, i, &digest) ||
                            (!may_run(rpm, i) && *class_of(rpm, i) == '\0')))
      return false;
  return true;
}

/* Digest the payload's present file, and look whether it is an ELF file. */
static int digest_content(struct rpm *rpm, EVP_MD_CTX *md,
                          struct digest *ret_digest, bool *ret_elf) {
  struct manifest_reading *r = rpm->r;
  bool first = true;
  ssize_t n;

  *ret_elf = false;
  if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL))
    return manifest_fail(r, -ENOMEM);
  while ((n = rpm_package_read(rpm->package, r->block, MANIFEST_BLOCK)) > 0) {
    if (manifest_spend(r, (uint64_t)n) < 0)
      return r->error;
    if (first)
      *ret_elf = (size_t)n >= sizeof(elf_magic) &&
                 memcmp(r->block, elf_magic, sizeof(elf_magic)) == 0;
    first = false;
    if (!EVP_DigestUpdate(md, r->block, (size_t)n))
      return manifest_fail(r, -ENOMEM);
  }
  if (n < 0)
    return manifest_broken(r, "its payload is damaged");
  return EVP_DigestFinal_ex(md, ret_digest->bytes, NULL)
             ? 0
             : manifest_fail(r, -ENOMEM);
}

/* The file and its hard links, of which the payload holds the content once. */
static void note_content(struct rpm *rpm, int i, const struct digest *digest,
                         bool elf) {
  const int *links = NULL;
  uint32_t links_len = rpmfilesFLinks(rpm->package->files, i, &links);

  for (uint32_t l = 0; l < links_len || l == 0; l++) {
    int file = links_len > 1 ? links[l] : i;

    rpm->digests[file] = *digest;
    rpm->wanted[file] = elf || may_run(rpm, file);
  }
}

/* Each file is read, wanted or not: what is skipped would be unpacked, too. */
static int read_payload(struct rpm *rpm) {
  struct manifest_reading *r = rpm->r;
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  struct digest digest;
  bool elf;
  int i, more = 0;

  rpm->digests = calloc((size_t)rpm->len, sizeof(*rpm->digests));
  rpm->wanted = calloc((size_t)rpm->len, sizeof(*rpm->wanted));
  if (md == NULL || rpm->digests == NULL || rpm->wanted == NULL) {
    (void)manifest_fail(r, -ENOMEM);
    goto out;
  }
  while (r->error == 0 && (more = rpm_package_next(rpm->package, &i)) > 0)
    if (manifest_spend_member(r) == 0 &&
        digest_content(rpm, md, &digest, &elf) == 0)
      note_content(rpm, i, &digest, elf);
  if (r->error == 0 && more < 0)
    (void)manifest_broken(r, "its payload is damaged");
out:
  EVP_MD_CTX_free(md);
  return r->error;
}

static int take_file(const struct rpm *rpm, struct manifest_members *members,
                     int i, const char *name) {
  static const char elf_class[] = "ELF ";
  rpmfiles files = rpm->package->files;
  struct digest digest = {0};
  bool wanted;

  if (S_ISLNK(rpmfilesFMode(files, i))) {
    const char *target = rpmfilesFLink(files, i);

    return target != NULL
               ? manifest_members_symlink(members, rpm->r, name, target)
               : manifest_broken(rpm->r, "its list of files is damaged");
  }
  if (!is_file(rpm, i))
    return manifest_members_other(members, rpm->r, name);
  if (rpm->digests != NULL) {
    digest = rpm->digests[i];
    wanted = rpm->wanted[i];
  } else {
    wanted = digest_of_header(rpm, i, &digest) &&
             (may_run(rpm, i) ||
              strncmp(class_of(rpm, i), elf_class, sizeof(elf_class) - 1) == 0);
  }
  if (manifest_members_file(members, rpm->r, name, wanted ? &digest : NULL) < 0)
    return rpm->r->error;
  return (rpmfilesFFlags(files, i) & RPMFILE_CONFIG) != 0
             ? manifest_members_conffile(members, rpm->r, name)
             : 0;
}

static int take_files(struct rpm *rpm, struct manifest *m) {
  struct manifest_reading *r = rpm->r;
  struct manifest_members *members = manifest_members_new();

  if (members == NULL)
    return manifest_fail(r, -ENOMEM);
  for (int i = 0; i < rpm->len && r->error == 0; i++) {
    char *name = rpmfilesFN(rpm->package->files, i);

    if (name == NULL)
      (void)manifest_broken(r, "its list of files is damaged");
    else if (manifest_spend_member(r) == 0)
      (void)take_file(rpm, members, i, name);
    free(name);
  }
  if (r->error == 0)
    (void)manifest_members_list(members, r, m);
  manifest_members_free(members);
  return r->error;
}

static int take_name(struct rpm *rpm, struct package *ret_package) {
  Header h = rpm->package->header;
  char *name = headerGetAsString(h, RPMTAG_NAME);
  char *version = headerGetAsString(h, RPMTAG_EVR);
  char *arch = headerGetAsString(h, RPMTAG_ARCH);
  int error =
      package_set(ret_package, "rpm", name != NULL ? name : "",
                  version != NULL ? version : "", arch != NULL ? arch : "");

  if (error == -EINVAL)
    error = manifest_broken(rpm->r,
                            "no package that rpm would take: "
                            "%.80s %.80s %.80s",
                            name != NULL ? name : "",
                            version != NULL ? version : "",
                            arch != NULL ? arch : "");
  else if (error < 0)
    error = manifest_fail(rpm->r, error);
  free(name);
  free(version);
  free(arch);
  return error;
}

/* librpm has read it; tell of it all at once. */
static int tell_progress(struct manifest_reading *r) {
  struct stat st;

  if (r->progress == NULL || fstat(r->fd, &st) != 0)
    return 0;
  return r->progress(r->arg, (uint64_t)st.st_size)
             ? 0
             : manifest_fail(r, -ECANCELED);
}

static int read_rpm(struct manifest_reading *r, struct manifest *m) {
  struct rpm rpm = {.r = r};

  (void)open_package(r, r->vouched ? r->keyring : NULL, &rpm.package);
  if (rpm.package == NULL)
    return r->error;
  if (r->vouched && !rpm.package->is_signed)
    (void)manifest_broken(r, "changed while it was read");
  rpm.len = (int)rpmfilesFC(rpm.package->files);
  if (r->error == 0 && take_name(&rpm, &m->package) == 0 &&
      (header_suffices(&rpm) || read_payload(&rpm) == 0) &&
      take_files(&rpm, m) == 0)
    (void)tell_progress(r);
  free(rpm.digests);
  free(rpm.wanted);
  rpm_package_close(rpm.package);
  return r->error;
}

const struct manifest_format manifest_rpm = {
    .name = "rpm",
    .is_package = true,
    .matches = manifest_rpm_matches,
    .vouch = vouch,
    .read = read_rpm,
};
