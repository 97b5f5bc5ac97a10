#include "correlator/rpm_package.h"

#include <errno.h>
#include <rpm/rpmarchive.h>
#include <rpm/rpmcli.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/rpm_header.h"

/* What librpm says is wrong with the package that is read, in its own words:
 * its first error. */
static char *complaint;

static int note_complaint(rpmlogRec rec, rpmlogCallbackData data) {
  const char *text = rpmlogRecMessage(rec);

  (void)data;
  if (complaint == NULL && text != NULL &&
      (rpmlogRecPriority(rec) <= RPMLOG_ERR || strstr(text, ": BAD") != NULL)) {
    text += strspn(text, " ");
    complaint = strndup(text, strcspn(text, "\n"));
  }
  return 0;
}

static void listen_to_librpm(void) {
  free(complaint);
  complaint = NULL;
  rpmlogSetMask(RPMLOG_UPTO(RPMLOG_INFO));
  rpmlogSetCallback(note_complaint, NULL);
}

static int broken(char **ret_why, const char *otherwise) {
  *ret_why = complaint != NULL ? complaint : strdup(otherwise);
  complaint = NULL;
  return -EBADMSG;
}

static bool has_signature(Header h) {
  static const rpmTagVal tags[] = {RPMTAG_RSAHEADER, RPMTAG_DSAHEADER,
                                   RPMTAG_SIGPGP, RPMTAG_SIGGPG};

  for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
    if (headerIsEntry(h, tags[i]))
      return true;
  return false;
}

/* Read the whole of it once more, with digests and, where `with_signatures`
 * is set, signatures that cover all of it. */
static bool verify(struct rpm_package *p, off_t start, bool with_signatures) {
  struct rpmQVKArguments_s arguments = {0};

  if (Fseek(p->fd, start, SEEK_SET) < 0)
    return false;
  rpmtsSetVfyLevel(p->ts, with_signatures
                              ? RPMSIG_DIGEST_TYPE | RPMSIG_SIGNATURE_TYPE
                              : RPMSIG_DIGEST_TYPE);
  rpmtsSetVfyFlags(p->ts,
                   with_signatures ? 0 : (rpmVSFlags)RPMVSF_MASK_NOSIGNATURES);
  return rpmVerifySignatures(&arguments, p->ts, p->fd, "package") == 0;
}

static int read_package(struct rpm_package *p, rpmKeyring keyring,
                        char **ret_why) {
  off_t start = Ftell(p->fd);
  off_t payload;
  rpmRC rc = rpmReadPackageFile(p->ts, p->fd, "package", &p->header);

  if (rc == RPMRC_FAIL || rc == RPMRC_NOTFOUND || p->header == NULL)
    return broken(ret_why, "this is no rpm package");
  if (!rpm_header_is_sane(p->header))
    return broken(ret_why, "its header is damaged");
  if (headerIsSource(p->header))
    return broken(ret_why, "this is a source package");
  payload = Ftell(p->fd);
  p->is_signed = keyring != NULL && rc == RPMRC_OK && has_signature(p->header);
  if (!verify(p, start, p->is_signed))
    return broken(ret_why, "its digests or signatures don't fit its content");
  if (Fseek(p->fd, payload, SEEK_SET) < 0)
    return broken(ret_why, "it can't be read again");
  p->files = rpmfilesNew(NULL, p->header, 0, RPMFI_KEEPHEADER);
  return p->files != NULL ? 0 : broken(ret_why, "its list of files is damaged");
}

int rpm_package_open(int fd, rpmKeyring keyring, struct rpm_package **ret,
                     char **ret_why) {
  struct rpm_package *p;
  rpmKeyring none = NULL;
  int r = -ENOMEM;

  listen_to_librpm();
  *ret_why = NULL;
  if ((p = calloc(1, sizeof(*p))) == NULL)
    return -ENOMEM;
  /* Without a keyring of its own, librpm would open its database. */
  if ((none = keyring == NULL ? rpmKeyringNew() : NULL) == NULL &&
      keyring == NULL)
    goto out;
  if ((p->fd = fdDup(fd)) == NULL || (p->ts = rpmtsCreate()) == NULL)
    goto out;
  rpmtsSetKeyring(p->ts, keyring != NULL ? keyring : none);
  r = read_package(p, keyring, ret_why);
out:
  rpmKeyringFree(none);
  if (r < 0)
    rpm_package_close(p);
  else
    *ret = p;
  return r;
}

static int open_payload(struct rpm_package *p) {
  const char *compressor = headerGetString(p->header, RPMTAG_PAYLOADCOMPRESSOR);
  char mode[32];

  (void)snprintf(mode, sizeof(mode), "r.%.16s",
                 compressor != NULL ? compressor : "gzip");
  if (Fdopen(p->fd, mode) == NULL)
    return -EBADMSG;
  p->payload = rpmfiNewArchiveReader(p->fd, p->files, RPMFI_ITER_READ_ARCHIVE);
  return p->payload != NULL ? 0 : -EBADMSG;
}

int rpm_package_next(struct rpm_package *p, int *ret_index) {
  if (p->payload == NULL && open_payload(p) < 0)
    return -EBADMSG;
  for (;;) {
    int index = rpmfiNext(p->payload);

    if (index == RPMERR_ITER_END)
      return 0;
    if (index < 0)
      return -EBADMSG;
    if (rpmfiArchiveHasContent(p->payload)) {
      *ret_index = index;
      return 1;
    }
  }
}

ssize_t rpm_package_read(struct rpm_package *p, void *buf, size_t len) {
  ssize_t n = rpmfiArchiveRead(p->payload, buf, len);

  return n >= 0 ? n : -EBADMSG;
}

void rpm_package_close(struct rpm_package *p) {
  if (p == NULL)
    return;
  rpmfiFree(p->payload);
  rpmfilesFree(p->files);
  headerFree(p->header);
  rpmtsFree(p->ts);
  Fclose(p->fd);
  free(p);
  rpmlogClose();
}
