/* What every unit test includes: cmocka needs these headers before its own. */
#ifndef PDNA_UNIT_H
#define PDNA_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
