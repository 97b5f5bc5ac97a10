#include "correlator/syslog_tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "correlator/log.h"
#include "correlator/watched_file.h"

static_assert(SYSLOG_TLS_BUFFER >= SSL3_RT_MAX_PLAIN_LENGTH,
              "a record has room");

enum { FILE_CERT, FILE_KEY, FILE_CA, FILES };

struct syslog_tls {
  struct watched_file files[FILES];
  SSL_CTX *context;
};

struct syslog_tls_session {
  SSL *ssl;
  const char *problem;
};

/* The reason of OpenSSL's last error; its queue is emptied. */
static const char *reason(void) {
  const char *text = ERR_reason_error_string(ERR_peek_last_error());

  ERR_clear_error();
  return text ? text : "nothing in it";
}

/* The passphrase of whatever wants one: or OpenSSL would ask on a terminal. */
static char no_passphrase[] = "";

/* The server's own certificate, and after it those between it and its CA. */
static int use_certificates(SSL_CTX *context, BIO *bio) {
  X509 *x = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase);
  int ok = x != NULL && SSL_CTX_use_certificate(context, x) == 1;

  X509_free(x);
  while (ok && (x = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase))) {
    ok = SSL_CTX_add0_chain_cert(context, x) == 1;
    if (!ok)
      X509_free(x);
  }
  return ok;
}

static int use_key(SSL_CTX *context, BIO *bio) {
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase);
  const int ok = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 &&
                 SSL_CTX_check_private_key(context) == 1;

  EVP_PKEY_free(key);
  return ok;
}

/* The certificates that a peer's is verified by, whose names it is told, and
 * the lists of those that are revoked. */
static int use_ca(SSL_CTX *context, BIO *bio) {
  X509_STORE *store = SSL_CTX_get_cert_store(context);
  STACK_OF(X509_INFO) *infos =
      PEM_X509_INFO_read_bio(bio, NULL, NULL, no_passphrase);
  int certificates = 0, lists = 0, ok = 1;

  for (int i = 0; ok && i < sk_X509_INFO_num(infos); i++) {
    const X509_INFO *info = sk_X509_INFO_value(infos, i);

    if (info->x509) {
      ok = X509_STORE_add_cert(store, info->x509) == 1 &&
           SSL_CTX_add_client_CA(context, info->x509) == 1;
      certificates++;
    }
    if (info->crl) {
      ok = ok && X509_STORE_add_crl(store, info->crl) == 1;
      lists++;
    }
  }
  sk_X509_INFO_pop_free(infos, X509_INFO_free);
  if (lists > 0)
    ok = ok && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
                                               X509_V_FLAG_CRL_CHECK_ALL) == 1;
  return ok && certificates > 0;
}

static int use_file(SSL_CTX *context, struct watched_file *file,
                    int (*use)(SSL_CTX *context, BIO *bio)) {
  char *text = NULL;
  size_t len = 0;
  BIO *bio;
  int r = watched_file_read(file, &text, &len);

  if (r != 0)
    return r;
  bio = BIO_new_mem_buf(text, (int)len);
  ERR_clear_error();
  if (!bio)
    r = -ENOMEM;
  else if (!use(context, bio)) {
    log_error("%s %s: %s", file->what, file->path, reason());
    r = -EINVAL;
  }
  BIO_free(bio);
  watched_file_free(text, len);
  ERR_clear_error(); /* the end of a PEM file is one */
  return r;
}

static SSL_CTX *new_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());

  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    SSL_CTX_free(context);
    return NULL;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     NULL);
  (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET |
                                         SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_NO_COMPRESSION);
  (void)SSL_CTX_set_num_tickets(context, 0);
  /* An idle session keeps no buffers. */
  (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

static int load(struct syslog_tls *tls, SSL_CTX **ret) {
  SSL_CTX *context = new_context();
  int r = context ? 0 : -ENOMEM;

  if (r == 0)
    r = use_file(context, &tls->files[FILE_CERT], use_certificates);
  if (r == 0)
    r = use_file(context, &tls->files[FILE_KEY], use_key);
  if (r == 0)
    r = use_file(context, &tls->files[FILE_CA], use_ca);
  if (r == 0)
    *ret = context;
  else
    SSL_CTX_free(context);
  return r;
}

int syslog_tls_new(const struct syslog_config *config,
                   struct syslog_tls **ret) {
  struct syslog_tls *tls = calloc(1, sizeof(*tls));
  int r;

  if (!tls)
    return -ENOMEM;
  tls->files[FILE_CERT] =
      (struct watched_file){.what = "tls-cert", .path = config->tls_cert};
  tls->files[FILE_KEY] = (struct watched_file){
      .what = "tls-key", .path = config->tls_key, .secret = true};
  tls->files[FILE_CA] =
      (struct watched_file){.what = "tls-ca", .path = config->tls_ca};
  r = load(tls, &tls->context);
  if (r == 0)
    *ret = tls;
  else
    syslog_tls_free(tls);
  return r;
}

void syslog_tls_free(struct syslog_tls *tls) {
  if (!tls)
    return;
  SSL_CTX_free(tls->context);
  free(tls);
}

void syslog_tls_refresh(struct syslog_tls *tls, int64_t now_ms) {
  SSL_CTX *fresh = NULL;
  bool changed = false;

  for (size_t i = 0; i < FILES; i++)
    if (watched_file_changed(&tls->files[i], now_ms))
      changed = true;
  if (!changed)
    return;
  if (load(tls, &fresh) != 0) {
    log_warning("syslog: tls-cert, tls-key or tls-ca has changed and is "
                "refused; what was read before stays in force");
    return;
  }
  SSL_CTX_free(tls->context); /* sessions hold it as long as they need it */
  tls->context = fresh;
  log_info("syslog: tls-cert, tls-key and tls-ca: read again");
}

struct syslog_tls_session *syslog_tls_session_new(struct syslog_tls *tls,
                                                  int fd) {
  struct syslog_tls_session *s = calloc(1, sizeof(*s));

  if (!s)
    return NULL;
  ERR_clear_error();
  s->problem = "none";
  s->ssl = SSL_new(tls->context);
  if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
    syslog_tls_session_free(s);
    return NULL;
  }
  SSL_set_accept_state(s->ssl);
  return s;
}

void syslog_tls_session_free(struct syslog_tls_session *s) {
  if (!s)
    return;
  SSL_free(s->ssl);
  free(s);
}

/* A peer's certificate that does not hold says more than the handshake's end
 * because of it. */
static const char *problem_of(const SSL *ssl) {
  const long verified = SSL_get_verify_result(ssl);
  const char *text = reason();

  return verified == X509_V_OK ? text : X509_verify_cert_error_string(verified);
}

ssize_t syslog_tls_read(struct syslog_tls_session *s, char *buffer,
                        size_t len) {
  size_t done;
  int saved;

  ERR_clear_error();
  errno = 0;
  if (SSL_read_ex(s->ssl, buffer, len, &done) == 1)
    return (ssize_t)done;
  saved = errno;
  switch (SSL_get_error(s->ssl, 0)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE:
    return -EAGAIN;
  case SSL_ERROR_ZERO_RETURN:
    return 0;
  case SSL_ERROR_SYSCALL:
    ERR_clear_error();
    s->problem = "the connection broke";
    return saved > 0 ? -saved : -ECONNRESET;
  default:
    s->problem = problem_of(s->ssl);
    return -EPROTO;
  }
}

bool syslog_tls_wants_write(const struct syslog_tls_session *s) {
  return SSL_want_write(s->ssl);
}

bool syslog_tls_is_verified(const struct syslog_tls_session *s) {
  return SSL_is_init_finished(s->ssl);
}

const char *syslog_tls_problem(const struct syslog_tls_session *s) {
  return s->problem;
}

void syslog_tls_say_end(struct syslog_tls_session *s) {
  ERR_clear_error();
  if (SSL_is_init_finished(s->ssl))
    (void)SSL_shutdown(s->ssl);
  ERR_clear_error();
}
