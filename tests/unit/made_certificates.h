/* Certificates that openssl(1) makes, below a folder of the test's own. */
#ifndef PDNA_MADE_CERTIFICATES_H
#define PDNA_MADE_CERTIFICATES_H

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

/* NAME.pem and NAME.key of: server and client, whose CA is ca.pem; stranger, of
 * another CA; expired; served, which is for servers only; revoked, which is in
 * the revocation list crl.pem. locked.key wants a passphrase. */
static const char certificates_script[] =
    "umask 077\n"
    "new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "ca() {\n"
    "  openssl req -x509 $new -keyout $1.key -out $1.pem -days 30 -subj /CN=$1"
    " -addext keyUsage=critical,keyCertSign,cRLSign\n"
    "}\n"
    "certificate() {\n" /* NAME CA USAGE DAYS NUMBER */
    "  openssl req $new -keyout $1.key -out $1.csr -subj /CN=$1\n"
    "  echo extendedKeyUsage=$3 >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -set_serial $5"
    " -days $4 -extfile $1.ext -out $1.pem\n"
    "}\n"
    "ca ca\n"
    "ca other\n"
    "certificate server ca serverAuth 30 1\n"
    "certificate client ca clientAuth 30 2\n"
    "certificate stranger other clientAuth 30 3\n"
    "certificate expired ca clientAuth -1 4\n"
    "certificate served ca serverAuth 30 5\n"
    "certificate revoked ca clientAuth 30 6\n"
    "openssl ec -in server.key -aes256 -passout pass:secret -out locked.key\n"
    "printf '[ca]\\ndefault_ca=ours\\n[ours]\\ndatabase=index\\n"
    "default_md=sha256\\ndefault_crl_days=30\\n' >ca.conf\n"
    ": >index\n"
    "for what in '-revoke revoked.pem' '-gencrl -out crl.pem'; do\n"
    "  openssl ca -config ca.conf -cert ca.pem -keyfile ca.key $what\n"
    "done\n";

static inline void make_certificates(const char *folder) {
  char text[512];
  FILE *f;

  snprintf(text, sizeof(text), "%s/script", folder);
  f = fopen(text, "we");
  assert_non_null(f);
  assert_true(fputs(certificates_script, f) >= 0);
  assert_int_equal(fclose(f), 0);
  snprintf(text, sizeof(text), "cd %s && sh -eu script >log 2>&1", folder);
  assert_int_equal(system(text), 0);
}

#endif
