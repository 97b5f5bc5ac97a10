/* What every unit test includes: cmocka needs these headers before its own. */
#ifndef PDNA_UNIT_H
#define PDNA_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Put `text` into the char array `field`, cut to fit. */
#define set_text(field, text) snprintf(field, sizeof(field), "%s", text)

#endif
