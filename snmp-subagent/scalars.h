/* The scalars under pdnaAgent. */
#ifndef PDNA_AGENTX_SCALARS_H
#define PDNA_AGENTX_SCALARS_H

#include "lib/scan/settings.h"
#include "snmp-subagent/view.h"

/* As tables_register and tables_show, which call them; the view stays the
 * caller's. */
int scalars_register(const struct scan_settings *settings);
void scalars_show(const struct view *view);

/* The value of a scalar; `view` is NULL before the first scan ended. Returns
 * 0, or -ENOENT if there is no such scalar. */
int scalars_value(const struct scan_settings *settings, const struct view *view,
                  unsigned scalar, struct value *ret);

#endif
