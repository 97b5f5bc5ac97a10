/* The way of correlator.conf through libconfuse into a struct config. */
#ifndef PDNA_CONFIG_PARSE_H
#define PDNA_CONFIG_PARSE_H

#include <stdarg.h>

#include "correlator/config.h"

/* Fill a zeroed config from a text that config_text_check has passed. What is
 * wrong is printed with `file` before it. Returns 0, -EINVAL or -ENOMEM; the
 * caller frees what is in config in any case. */
int config_parse(const char *file, const char *text, struct config *config);

/* "FILE:LINE: what" to standard error; line 0 is left out. */
void config_print(const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_print_v(const char *file, unsigned line, const char *format,
                    va_list args) __attribute__((format(printf, 3, 0)));

#endif
