/* Checks of single values of correlator.conf. Each returns true, or false and
 * in `what` (of CONFIG_CHECK_MAX bytes) what was expected; of those with a
 * secret in them all that may be said. */
#ifndef PDNA_CONFIG_CHECK_H
#define PDNA_CONFIG_CHECK_H

#include <stdbool.h>

enum { CONFIG_CHECK_MAX = 256 };

typedef bool config_check_fn(const char *value, char *what);

config_check_fn config_check_conninfo; /* libpq, 34.1.1 */
config_check_fn config_check_name;     /* of a tenant, a relay's user, a sink */
config_check_fn config_check_directory;
config_check_fn config_check_file;
config_check_fn config_check_listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT" */
config_check_fn config_check_glob;   /* fnmatch(3) */
config_check_fn config_check_session;
config_check_fn config_check_poll_session;
config_check_fn config_check_host;
config_check_fn config_check_unverified_update;
config_check_fn config_check_manager;     /* one that can be fetched from */
config_check_fn config_check_folder_name; /* a title that names a folder */
config_check_fn config_check_architecture;
config_check_fn config_check_auth_log; /* a file, or "-" */

/* Does a valid conninfo hold a password? */
bool config_conninfo_has_secret(const char *conninfo);

#endif
